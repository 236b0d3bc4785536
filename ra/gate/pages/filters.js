// What a list shows, chosen above it; the choice stands in the address, so that it can be kept, sent and gone back to.
import { h, newId } from "./dom.js";
import { texts } from "./i18n.js";
import { card } from "./ui.js";

const t = texts({ filter: ["筛选", "Filter"], all: ["全部", "all"] });

// filters(page, {query, go}, [[name, label, [[value, text], …], first], …]): first is the text of the choice that needs no word, all when absent.
export function filters(page, { query, go }, fields) {
	const choose = (name) => (e) => go(`${page}?${new URLSearchParams(Object.entries({ ...query, [name]: e.target.value }).filter(([, v]) => v !== ""))}`);
	return card(t("filter"), h("div.filters", {}, fields.map(([name, label, options, first = t("all")]) => {
		const id = newId(name);
		return h("div.field", {}, h("label", { for: id }, label), h("select", { id, onchange: choose(name) }, [["", first], ...options].map(([v, text]) => h("option", { value: v, selected: v === (query[name] || "") }, text))));
	})));
}
