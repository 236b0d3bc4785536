// Find an account: by identifier, by the number that logs in, or by a part of its name; and a one-time code for a first log-in, after looking at papers.
import { h, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { card, facts, form, mono, note, searchBox } from "./ui.js";
import { keyed } from "./keyed.js";
import { minute } from "./format.js";

const t = texts({
	label: ["机构代码、登录手机号或名称的一部分（一两个字时为名称的开头）", "identifier, number that logs in, or a part of the name (one or two characters: its beginning)"],
	caption: ["账户", "Accounts"],
	organisation: ["单位", "Organisation"],
	identifier: ["机构代码", "Identifier"],
	agent: ["经办人", "Agent"],
	login_mobile: ["登录手机号", "Logs in by"],
	mobile: ["登记手机号", "Number on record"],
	remarks: ["备注", "Remarks"],
	initial: ["尚未首次登录", "has not logged in yet"],
	frozen: ["已冻结", "frozen"],
	identifier_check: ["代码校验不符", "the identifier fails its check"],
	mobile_form: ["登记手机号格式不符", "the number on record is malformed"],
	grant: ["核发首次登录验证码", "A code for a first log-in"],
	grant_text: ["核对营业执照等材料原件后，为尚未完成首次登录的账户核发一次性验证码，当面或按工商公示电话告知。", "After looking at the papers themselves: a one-time code for an account that has not finished its first log-in, told in person or by the publicly known number."],
	reason: ["核实依据", "What you have looked at"],
	code: ["验证码（只显示一次）", "The code, which is shown once"],
	dies: ["有效至", "Valid until"],
	make: ["核发", "Make it"],
});
export const title = ["查找账户", "Find an account"];

const flag = (name) => (["identifier_check", "mobile_form"].includes(name) ? t(name) : name);

export async function render({ query, go }) {
	const found = query.find ? keyed({
		caption: t("caption"),
		load: async ({ after }) => { const r = await rpc("account.find", { search: query.find, after }); return { ...r, rows: r.accounts }; },
		columns: [
			{ label: t("organisation"), cell: (a) => a.organisation },
			{ label: t("identifier"), cell: (a) => mono(a.identifier) },
			{ label: t("agent"), cell: (a) => a.agent || "–" },
			{ label: t("login_mobile"), cell: (a) => a.login_mobile || "–" },
			{ label: t("mobile"), cell: (a) => a.mobile || "–" },
			{ label: t("remarks"), cell: (a) => h("span", {}, a.initial ? h("span.badge.plain", {}, t("initial")) : null, a.frozen ? h("span.badge.bad", {}, t("frozen")) : null, (a.flags || []).map((name) => h("span.badge.warn", {}, flag(name)))) },
		],
	}) : null;
	const said = h("div", { "aria-live": "polite" });
	return h("div", {}, searchBox(t("label"), (text) => go(text ? `accounts?find=${encodeURIComponent(text)}` : "accounts"), query.find || ""), found,
		h("div.readable", {}, card(t("grant"), h("p", {}, t("grant_text")), form({
			name: "grant", submit: t("make"), tone: "plain",
			fields: [{ name: "identifier", label: t("identifier"), required: true, max: 40 }, { name: "reason", label: t("reason"), required: true, max: 400 }],
			call: async (v) => {
				const r = await rpc("account.grant", v);
				replace(said, note("ok", facts([[t("organisation"), r.account.organisation], [t("code"), mono(r.code)], [t("dies"), minute(r.dies)]])));
			},
		}), said)));
}
