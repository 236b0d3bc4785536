// One case: who asks for what, the paper that was sent with it, and the officer's answer, which the asker hears.
import { h, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { card, facts, form, mono, note, toast } from "./ui.js";
import { viewer } from "./viewer.js";
import { caseBadge, caseKind } from "./desk-cases.js";
import { minute } from "./format.js";

const t = texts({
	about: ["事项", "About"],
	state: ["状态", "State"],
	organisation: ["单位", "Organisation"],
	agent: ["联系人", "Asked by"],
	mobile: ["手机号", "Mobile"],
	made: ["提出时间", "Asked"],
	text: ["说明", "What was said"],
	by: ["办理人", "Decided by"],
	decided: ["办理时间", "Decided"],
	answer: ["答复", "Answer"],
	record: ["登记在册的信息", "What is on record"],
	identifier: ["机构代码", "Identifier"],
	login_mobile: ["登录手机号", "Logs in by"],
	recorded: ["登记手机号", "Number on record"],
	paper: ["材料", "Paper"],
	decide: ["办理", "Decide"],
	decision: ["决定", "Decision"],
	accept: ["同意", "accept"],
	accept_does: ["所申请的事项立即生效。", "What was asked for is done at once."],
	freeze_does: ["撤销新绑定，恢复原联系人。", "What was bound is undone; the contact of before stands."],
	call_does: ["请按登记或公示的电话告知申请人。", "Call the asker, by a number on record or publicly known."],
	refuse: ["拒绝", "refuse"],
	refuse_does: ["一切照旧。", "Everything stays as it is."],
	done: ["已办理", "Decided"],
});
export const title = ["服务事项", "A case"];

function decideCard(k, again) {
	if (k.state !== "open") return null;
	const does = { frozen: "freeze_does", identifier: "call_does" }[k.kind] || "accept_does";
	return card(t("decide"), form({
		name: `case-${k.case}`, submit: t("decide"),
		fields: [{ name: "decision", label: t("decision"), type: "radio", required: true, options: [["accept", t("accept"), t(does)], ["refuse", t("refuse"), t("refuse_does")]] },
			{ name: "answer", label: t("answer"), type: "lines", required: true, max: 500 }],
		call: async (v, id) => {
			await change("account.decide", { case: k.case, ...v }, id);
			toast(t("done"));
			await again();
		},
	}));
}

export async function render({ params }) {
	const box = h("div", {});
	const draw = async () => {
		const k = await rpc("account.case", { case: params.id });
		const a = k.account;
		replace(box, card(null, facts([[t("about"), caseKind(k.kind)], [t("state"), caseBadge(k.state)], [t("organisation"), k.organisation], [t("agent"), k.agent], [t("mobile"), k.mobile], [t("made"), minute(k.made)], [t("decided"), k.decided ? minute(k.decided) : null], [t("by"), k.by]]), k.text ? note("plain", h("strong", {}, t("text")), ` ${k.text}`) : null, k.answer ? note("ok", h("strong", {}, t("answer")), ` ${k.answer}`) : null),
			h("div.sides", {}, h("div", {}, a ? card(t("record"), facts([[t("organisation"), a.organisation], [t("identifier"), mono(a.identifier)], [t("agent"), a.agent], [t("login_mobile"), a.login_mobile], [t("recorded"), a.mobile]])) : null, decideCard(k, draw)),
				(k.materials || []).length ? card(t("paper"), viewer({ case: k.case }, k.materials)) : null));
	};
	await draw();
	return box;
}
