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

// A redraw that takes what has the focus gives it to what stands in its place: the same control again, or else the heading of what is new, or the whole; never the top of the page.
export function replace(node, ...children) {
	const here = document.activeElement, back = node.contains(here) ? held(node, here) : null;
	node.replaceChildren();
	add(node, children);
	if (back && node.isConnected) back();
	return node;
}

const CONTROLS = "a[href], button:not(:disabled), input, select, textarea, summary";
const headingOf = (card) => card?.querySelector("h2")?.textContent || "";
const wordsOf = (n) => [headingOf(n.closest("section")), n.tagName, n.getAttribute("aria-label") || (n.labels?.[0] || n).textContent].join("|");

function held(node, from) {
	const words = from === node ? "" : wordsOf(from); // the whole has it since a redraw before: then only what is new takes it
	const same = () => [...node.querySelectorAll(CONTROLS)].filter((n) => wordsOf(n) === words);
	const nth = same().indexOf(from), place = headingOf(from.closest("section")), before = new Set([...node.querySelectorAll("section")].map(headingOf));
	return () => {
		const again = same(), cards = [...node.querySelectorAll("section")];
		const card = cards.find((c) => headingOf(c) && !before.has(headingOf(c))) || cards.find((c) => place && headingOf(c) === place);
		const to = again[nth] || again.at(-1) || (card ? card.querySelector("h2") : node);
		if (!again.length) to.tabIndex = -1;
		to.focus();
	};
}

let last = 0;
export const newId = (prefix) => `${prefix}-${++last}`;
