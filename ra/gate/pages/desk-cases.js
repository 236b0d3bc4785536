// 服务事项: what people ask the service desk for: a forgotten identifier, a number that another account has, a frozen account.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { link } from "./ui.js";
import { filters } from "./filters.js";
import { keyed } from "./keyed.js";
import { minute } from "./format.js";

const t = texts({
	caption: ["服务事项", "Cases"],
	state: ["状态", "State"],
	open: ["待处理", "open"],
	accepted: ["已同意", "accepted"],
	refused: ["已拒绝", "refused"],
	kind: ["事项", "About"],
	organisation: ["单位", "Organisation"],
	mobile: ["手机号", "Mobile"],
	made: ["提出时间", "Asked"],
	look: ["查看", "Look"],
	identifier: ["遗忘机构代码", "identifier forgotten"],
	agent_kind: ["变更经办人", "another agent"],
	frozen: ["账户冻结", "account frozen"],
});
export const title = ["服务事项", "Service desk's cases"];

const STATES = { open: "busy", accepted: "ok", refused: "bad" };
export const caseBadge = (state) => h(`span.badge.${STATES[state] || "plain"}`, {}, STATES[state] ? t(state) : state);
const KINDS = { identifier: "identifier", agent: "agent_kind", frozen: "frozen" };
export const caseKind = (kind) => (KINDS[kind] ? t(KINDS[kind]) : kind);

export async function render({ query, go }) {
	return h("div", {}, filters("cases", { query, go }, [["state", t("state"), [["accepted", t("accepted")], ["refused", t("refused")]], t("open")]]), keyed({
		caption: t("caption"),
		load: async ({ after }) => { const r = await rpc("account.cases", { state: query.state, after }); return { ...r, rows: r.cases }; },
		columns: [
			{ label: t("kind"), cell: (k) => caseKind(k.kind) },
			{ label: t("organisation"), cell: (k) => k.organisation || "–" },
			{ label: t("mobile"), cell: (k) => k.mobile || "–" },
			{ label: t("made"), cell: (k) => minute(k.made) },
			{ label: t("state"), cell: (k) => caseBadge(k.state) },
			{ label: t("look"), cell: (k) => link(`case/${k.case}`, t("look")) },
		],
	}));
}
