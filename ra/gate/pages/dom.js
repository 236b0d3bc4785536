// Elements without markup in strings: what people typed and what the desk says are text, always.

// h("p.note", {attributes, onclick: f}, child, …): false and null children are left out, lists are taken apart.
export function h(spec, attributes, ...children) {
	const [tag, ...classes] = spec.split(".");
	const node = document.createElement(tag || "div");
	if (classes.length) node.className = classes.join(" ");
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false) continue;
		if (typeof value === "function") node.addEventListener(name.slice(2), value);
		else if (name === "value") node.value = value;
		else node.setAttribute(name, value === true ? "" : value);
	}
	add(node, children);
	return node;
}

export function add(node, children) {
	for (const child of [children].flat(Infinity)) {
		if (child === null || child === undefined || child === false || child === "") continue;
		node.append(child instanceof Node ? child : String(child));
	}
	return node;
}

export function replace(node, ...children) {
	node.replaceChildren();
	return add(node, children);
}

let last = 0;
export const newId = (prefix) => `${prefix}-${++last}`;
