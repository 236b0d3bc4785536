// 审计: who did what, when. An officer sees one request's rows; an administrator all, by person and time as well. Rows are read by their numbers.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, RpcError } from "./rpc.js";
import { card, code, form, note, visible } from "./ui.js";
import { keyed } from "./keyed.js";
import { auditWord } from "./audit-words.js";
import { time } from "./format.js";

const t = texts({
	caption: ["审计记录", "Audit"],
	object: ["对象：申请编号或其他编号", "Object: number of a request, or another id"],
	who: ["操作者，如 account:35353550-9", "Who, as account:35353550-9"],
	since: ["自（日期）", "From the day"],
	until: ["至（日期，含）", "To the day, included"],
	show: ["查询", "Show"],
	row: ["序号", "Row"],
	at: ["时间", "When"],
	person: ["操作者", "Who"],
	from: ["来源地址", "From"],
	what: ["操作", "What"],
	on: ["对象", "Object"],
	detail: ["详情", "Detail"],
	backwards: ["结束日期早于开始日期", "the last day is before the first"],
	hint: ["审核员可查一份申请的记录；管理员可查全部，并可按操作者和时间查询。", "An officer sees the rows of one request; an administrator all, also by person and time."],
});
export const title = ["审计记录", "Audit"];

const LIMIT = 25;
// A day here begins at midnight in Shanghai.
const start = (day, plus = 0) => (day ? new Date(Date.parse(`${day}T00:00:00+08:00`) + plus * 86400000).toISOString().slice(0, 19) + "Z" : undefined);

const asked = (v) => ({ object: v.object, who: v.who, since: start(v.since), until: start(v.until, 1) });

export async function render({ query, go }) {
	const rows = keyed({
		caption: t("caption"),
		load: async ({ after }) => {
			const r = await rpc("audit.list", { ...asked(query), after, limit: LIMIT });
			return { rows: r.rows, next: r.rows.length === LIMIT ? r.rows.at(-1).id : undefined };
		},
		columns: [
			{ label: t("row"), cell: (r) => String(r.id) },
			{ label: t("at"), cell: (r) => time(r.at) },
			{ label: t("person"), cell: (r) => code(r.who) },
			{ label: t("from"), cell: (r) => r.address || "–" },
			{ label: t("what"), cell: (r) => h("span", {}, auditWord(r.what), " ", code(r.what)) },
			{ label: t("on"), cell: (r) => code(r.object) },
			{ label: t("detail"), cell: (r) => code(r.detail) },
		],
	});
	return h("div.audit", {}, note("plain", t("hint")), card(null, form({
		name: `audit-${new URLSearchParams(query)}`, submit: t("show"), tone: "plain",
		fields: [{ name: "object", label: t("object"), max: 96, check: visible, value: query.object || "" }, { name: "who", label: t("who"), max: 79, check: visible, value: query.who || "" }, { name: "since", label: t("since"), type: "date", value: query.since || "" }, { name: "until", label: t("until"), type: "date", value: query.until || "" }],
		call: async (v) => {
			if (v.since && v.until && v.until < v.since) throw new RpcError({ message: t("backwards"), data: { zh: t("backwards"), en: t("backwards"), field: "until" } });
			await rpc("audit.list", { ...asked(v), limit: 1 }); // what is wrong is said at its field
			go(`audit?${new URLSearchParams(Object.entries(v).filter(([, x]) => x !== ""))}`);
		},
	})), rows);
}
