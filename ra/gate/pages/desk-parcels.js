// Parcels with USB keys: to be packed and shipped, on their way, overdue, come back or lost.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { acting } from "./acting.js";
import { badge, card, form, link, mono, toast } from "./ui.js";
import { filters } from "./filters.js";
import { keyed } from "./keyed.js";
import { minute, stateWord } from "./format.js";

const t = texts({
	caption: ["包裹", "Parcels"],
	which: ["状态", "State"],
	late: ["签收", "Receipt"],
	overdue: ["逾期未签收", "overdue"],
	number: ["申请编号", "Request"],
	to: ["收件", "To"],
	token: ["USB Key 序列号", "Serial number of the USB key"],
	carrier: ["承运", "Carrier"],
	due: ["应于此前签收", "Receipt due"],
	state: ["状态", "State"],
	pack: ["装箱", "Pack"],
	ship: ["寄出", "Ship"],
	lost: ["遗失", "Lost"],
	returned: ["退回", "Come back"],
	request: ["申请编号", "Number of the request"],
	request_form: ["申请编号形如 20261126-XKV3Y3FCDJGR", "a number as 20261126-XKV3Y3FCDJGR"],
	company: ["快递公司", "Who carries it"],
	tracking: ["快递单号", "The carrier's number"],
	recipient: ["收件人（更正）", "Corrected recipient"],
	mobile: ["收件电话（更正）", "Corrected telephone"],
	ship_to: ["收件地址（更正）", "Corrected address"],
	remark: ["说明", "What is known of it"],
	close: ["同时关闭申请", "the request ends too"],
	packed: ["已装箱", "Packed"],
	shipped: ["已寄出", "Shipped"],
	noted: ["已记录", "Recorded"],
});
export const title = ["包裹", "Parcels"];

const STATES = ["packed", "shipped", "received", "lost", "returned", "undone"];

export async function render({ query, go }) {
	const rows = keyed({
		caption: t("caption"),
		load: async ({ after }) => { const r = await rpc("parcel.list", { state: query.state, overdue: query.overdue === "1" || undefined, after }); return { ...r, rows: r.parcels }; },
		columns: [
			{ label: t("number"), cell: (p) => link(`request/${p.number}`, mono(p.number)) },
			{ label: t("to"), cell: (p) => h("span", {}, `${p.recipient || ""} ${p.mobile || ""}`, p.address ? [h("br"), h("small", {}, p.address)] : null) },
			{ label: t("token"), cell: (p) => mono(p.token) },
			{ label: t("carrier"), cell: (p) => (p.carrier ? `${p.carrier} ${p.tracking || ""}` : "–") },
			{ label: t("due"), cell: (p) => (p.due ? h("span", {}, minute(p.due), p.overdue ? h("span.badge.bad", {}, t("overdue")) : null) : "–") },
			{ label: t("state"), cell: (p) => badge(p.state) },
		],
	});
	const request = { name: "request", label: t("request"), required: true, max: 64, value: query.request || "", check: (v) => (v.length < 8 ? t("request_form") : "") }, token = { name: "token", label: t("token"), required: true, max: 64 };
	const remark = { name: "note", label: t("remark"), required: true, max: 500 };
	const step = (method, submit, words, fields, tone = "primary") => h("details", { open: query.request && ["parcel.pack", "parcel.ship"].includes(method) }, h("summary", {}, submit), form({
		name: `${method}-${query.request || ""}`, submit, tone, fields,
		call: async (v, id) => {
			await change(method, { ...v, close: v.close || undefined, ...acting() }, id);
			toast(t(words));
			await rows.reload();
		},
	}));
	return h("div", {}, filters("parcels", { query, go }, [["state", t("which"), STATES.map((s) => [s, stateWord(s)])], ["overdue", t("late"), [["1", t("overdue")]]]]), rows,
		card(null, step("parcel.pack", t("pack"), "packed", [request, token]),
			step("parcel.ship", t("ship"), "shipped", [request, { name: "carrier", label: t("company"), required: true, max: 60 }, { name: "tracking", label: t("tracking"), required: true, max: 60 }, { name: "recipient", label: t("recipient"), max: 120 }, { name: "mobile", label: t("mobile"), max: 20 }, { name: "ship_to", label: t("ship_to"), max: 400 }]),
			step("parcel.returned", t("returned"), "noted", [request, token, remark], "plain"),
			step("parcel.lost", t("lost"), "noted", [request, remark, { name: "close", label: t("close"), type: "check" }], "danger")));
}
