// A list that is read by keys: each page begins behind the last row of the one before, so that the thousandth costs what the first costs.
import { h, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { button, errorNote, table } from "./ui.js";

const t = texts({
	previous: ["上一页", "Previous"],
	next: ["下一页", "Next"],
	page: ["第 {page} 页", "page {page}"],
	total: ["共 {total} 条", "{total} in all"],
	more: ["{total} 条以上", "more than {total}"],
	again: ["重试", "Try again"],
});

// keyed({caption, columns, load}): load({after}) gives {rows, next, total, counted}; next is absent behind the last row. The node has .reload().
export function keyed({ caption, columns, load }) {
	const node = h("div.list", { "aria-live": "polite" });
	let places = [undefined], asked = 0;
	const show = async () => {
		const now = ++asked;
		node.setAttribute("aria-busy", "true");
		try {
			const page = await load({ after: places.at(-1) });
			if (now === asked) replace(node, table(caption, columns, page.rows), pager(page));
		} catch (e) {
			if (now === asked) replace(node, errorNote(e), button(t("again"), show, { tone: "plain" }));
		} finally {
			node.removeAttribute("aria-busy");
		}
	};
	const back = async () => { places.pop(); await show(); };
	const on = (next) => async () => { places.push(next); await show(); };
	function pager({ next, total, counted }) {
		if (!next && places.length === 1) return null;
		const all = total === undefined ? "" : ` · ${t(counted === false ? "more" : "total", { total })}`;
		return h("nav.pager", { "aria-label": caption }, button(t("previous"), back, { tone: "plain", disabled: places.length === 1 }), h("span", {}, t("page", { page: places.length }) + all), button(t("next"), on(next), { tone: "plain", disabled: !next }));
	}
	node.reload = () => { places = [undefined]; return show(); };
	show();
	return node;
}
