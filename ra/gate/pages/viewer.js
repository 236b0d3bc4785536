// A material beside the data: fetched in parts through the desk, shown from memory. Each look is a row of the desk's audit.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { button, errorNote, note } from "./ui.js";
import { size } from "./format.js";

const t = texts({
	none: ["没有材料。", "There are no materials."],
	choose: ["请选择一份材料查看。", "Choose a material to look at it."],
	part: ["正在读取第 {part}/{parts} 部分…", "reading part {part} of {parts}…"],
	matches: ["SHA-256 与申请中的一致（由本页面计算；批准时由客户端再次核对）", "SHA-256 as in the request (as this page computes it; the agent checks it again when you approve)"],
	differs: ["SHA-256 与申请中的不一致，请勿批准", "The SHA-256 is not the one in the request: do not approve"],
	save: ["下载", "Download"],
	bigger: ["放大", "Larger"],
	alt: ["材料图片：{name}", "picture of the material {name}"],
});

const TYPES = { pdf: "application/pdf", png: "image/png", jpeg: "image/jpeg" };

async function fetched(owner, m, tell) {
	const parts = [];
	for (let part = 1, all = 1; part <= all; part++) {
		const r = await rpc("material.get", { ...owner, name: m.name, sha256: m.sha256, part });
		all = r.parts;
		tell(t("part", { part, parts: all }));
		parts.push(Uint8Array.from(atob(r.content), (c) => c.charCodeAt(0)));
	}
	return new Blob(parts, { type: TYPES[m.type] || "application/octet-stream" });
}

async function sameHash(blob, wanted) {
	if (!crypto.subtle) return null; // not on https: the agent checks all the same
	const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
	return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("") === wanted;
}

function shown(m, name, url) {
	if (m.type === "pdf") return h("iframe.material", { src: url, title: name });
	const image = h("img.material", { src: url, alt: t("alt", { name }) });
	return [h("div.material-box", { tabindex: "0" }, image), button(t("bigger"), () => image.classList.toggle("large"), { tone: "small" })];
}

// viewer(owner, materials): owner is {request} or {case}.
export function viewer(owner, materials) {
	if (!materials || materials.length === 0) return h("p.empty", {}, t("none"));
	const place = h("div", { "aria-live": "polite" }, h("p.empty", {}, t("choose")));
	let url = null;
	const show = (m) => async (pressed) => {
		for (const b of tabs) b.setAttribute("aria-pressed", String(b === pressed));
		if (url) URL.revokeObjectURL(url);
		try {
			const blob = await fetched(owner, m, (text) => replace(place, note("busy", text)));
			const same = await sameHash(blob, m.sha256);
			url = URL.createObjectURL(blob);
			replace(place, same === null ? null : note(same ? "ok" : "bad", t(same ? "matches" : "differs")), shown(m, say(m.title), url),
				h("p", {}, h("a", { href: url, download: `${m.name}.${m.type}` }, t("save")), ` ${size(m.bytes)} `, h("small.mono", {}, m.sha256.slice(0, 16), "…")));
		} catch (e) {
			replace(place, errorNote(e));
		}
	};
	const tabs = materials.map((m) => button(say(m.title), show(m), { tone: "small" }));
	return h("div.viewer", {}, h("div.row", {}, tabs), place);
}
