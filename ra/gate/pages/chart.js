// Small charts without a library: bars as SVG, and the same numbers as a table beside them, which is what a screen reader reads.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { table } from "./ui.js";

const t = texts({ numbers: ["查看数字", "The numbers"] });
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640, HEIGHT = 180, LEFT = 36, BOTTOM = 24, TOP = 10;

function s(name, attributes, text) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	if (text !== undefined) node.textContent = text;
	return node;
}

// A round number that is not below max: 1, 2 or 5 times a power of ten.
function roundUp(max) {
	const power = 10 ** Math.floor(Math.log10(Math.max(max, 1)));
	return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= max);
}

// rows: [{label, values: [number or null, …]}, …]; series: the names of the values. Bars of a row stand side by side.
function bars(rows, series) {
	const top = roundUp(Math.max(1, ...rows.flatMap((r) => r.values.map((v) => v || 0))));
	const node = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", "aria-hidden": "true" });
	const y = (v) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - v / top);
	for (const v of [0, top / 2, top]) {
		node.append(s("line", { x1: LEFT, x2: WIDTH, y1: y(v), y2: y(v), class: "grid" }), s("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, String(v)));
	}
	const step = (WIDTH - LEFT) / rows.length, width = (step * 0.7) / series.length, every = Math.ceil(rows.length / 7);
	rows.forEach((r, i) => {
		r.values.forEach((v, k) => {
			if (v) node.append(s("rect", { x: LEFT + step * (i + 0.15) + width * k, y: y(v), width: Math.max(width - 1, 1), height: y(0) - y(v), class: `bar${k}` }));
		});
		if (i % every === 0) node.append(s("text", { x: LEFT + step * (i + 0.5), y: HEIGHT - 6, "text-anchor": "middle" }, r.label));
	});
	return node;
}

// chart({caption, head, series, rows}): head is the name of what the rows are (day, week). short(label) is what stands below a bar.
export function chart({ caption, head, series, rows, short = (label) => label }) {
	const legend = series.length < 2 ? null : h("ul.legend", { "aria-hidden": "true" }, series.map((name, k) => h(`li.bar${k}`, {}, name)));
	return h("figure", {}, h("figcaption", {}, caption), legend, bars(rows.map((r) => ({ ...r, label: short(r.label) })), series),
		h("details", {}, h("summary", {}, t("numbers")), table(caption, [{ label: head, cell: (r) => r.label }, ...series.map((name, k) => ({ label: name, tone: "number", cell: (r) => (r.values[k] === null ? "–" : String(r.values[k])) }))], rows)));
}
