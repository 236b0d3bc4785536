// The inventory of USB keys: where each is, and the steps of its life.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { acting } from "./acting.js";
import { badge, card, facts, form, link, mono, searchBox, toast } from "./ui.js";
import { filters } from "./filters.js";
import { keyed } from "./keyed.js";
import { minute, stateWord, time, whoWord } from "./format.js";

const t = texts({
	caption: ["USB Key 库存", "USB keys"],
	search: ["序列号的开头", "what the serial number begins with"],
	state: ["状态", "State"],
	token: ["序列号", "Serial number"],
	label: ["标签", "Label"],
	model: ["型号", "Model"],
	certificate: ["证书", "Certificate"],
	puk: ["PUK", "PUK"],
	held: ["已密封保存", "kept sealed"],
	unknown: ["未知", "unknown"],
	changed: ["变动时间", "Changed"],
	history: ["经历", "Its life"],
	move: ["变更状态", "Move it"],
	to: ["新状态", "Where it goes"],
	why: ["原因", "Why, for the record"],
	moved: ["已变更", "Moved"],
});
export const title = ["USB Key 库存", "USB keys"];

const STATES = ["stock", "prepared", "shipped", "in_use", "lost", "damaged", "returned", "scrapped"];
const pukWord = (k) => t(k.puk_held ? "held" : "unknown");

function inventory({ query, go }) {
	return h("div", {}, searchBox(t("search"), (text) => go(`tokens?${new URLSearchParams({ ...query, find: text })}`), query.find || "", 64),
		filters("tokens", { query, go }, [["state", t("state"), STATES.map((s) => [s, stateWord(s)])]]), keyed({
			caption: t("caption"),
			load: async ({ after }) => { const r = await rpc("token.list", { token: query.find, state: query.state, after }); return { rows: r.tokens, next: r.next }; },
			columns: [
				{ label: t("token"), cell: (k) => link(`token/${encodeURIComponent(k.token)}`, mono(k.token)) },
				{ label: t("label"), cell: (k) => k.label || "–" },
				{ label: t("model"), cell: (k) => k.model || "–" },
				{ label: t("puk"), cell: pukWord },
				{ label: t("changed"), cell: (k) => minute(k.changed) },
				{ label: t("state"), cell: (k) => badge(k.state) },
			],
		}));
}

async function one(token) {
	const box = h("div.readable", {});
	const draw = async () => {
		const k = await rpc("token.show", { token });
		const move = k.may_become.length === 0 ? null : card(t("move"), form({
			name: `token-${token}`, submit: t("move"), fields: [{ name: "to", label: t("to"), type: "select", options: k.may_become.map((s) => [s, stateWord(s)]) }, { name: "why", label: t("why"), required: true, max: 500 }],
			call: async (v, id) => {
				await change("token.move", { token, ...v, ...acting() }, id);
				toast(t("moved"));
				await draw();
			},
		}));
		replace(box, card(null, facts([[t("token"), mono(k.token)], [t("state"), badge(k.state)], [t("label"), k.label], [t("model"), k.model], [t("certificate"), k.certificate ? mono(k.certificate) : null], [t("puk"), pukWord(k)]])), move,
			card(t("history"), h("ol.line", {}, k.history.map((e) => h("li", {}, h("time", { datetime: e.at }, time(e.at)), say(e), e.why ? ` ${e.why}` : "", e.who ? h("small", {}, ` ${whoWord(e.who)}`) : null)))));
	};
	await draw();
	return box;
}

export const render = ({ query, go, params }) => (params.token ? one(params.token) : inventory({ query, go }));
