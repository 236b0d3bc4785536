// Shut the account by the code of the notice.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { change } from "./rpc.js";
import { card, form, link, note, toast } from "./ui.js";

const t = texts({
	text: ["收到“手机号已绑定”的通知而您没有操作过，请输入通知中的冻结码。账户立即冻结，由审核员核实。", "If a notice tells of a binding that you did not make, type its code: the account is shut at once, until an officer has decided."],
	code: ["冻结码", "Code of the notice"],
	submit: ["冻结账户", "Freeze the account"],
	back: ["返回首页", "Back to the start page"],
	done: ["账户已冻结", "The account is frozen"],
});
export const title = ["冻结账户", "Freeze the account"];

export async function render({ go }) {
	return h("div.narrow", {}, card(null, note("warn", t("text")), form({
		name: "freeze", submit: t("submit"), tone: "danger", fields: [{ name: "code", label: t("code"), required: true, max: 40 }],
		call: async (v, id) => {
			await change("account.freeze", v, id);
			toast(t("done"));
			go("");
		},
	}), h("p.links", {}, link("", t("back")))));
}
