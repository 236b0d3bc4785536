// A new certificate with new data: an account of the new organisation under the same number and password.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { change } from "./rpc.js";
import { refresh, state } from "./app.js";
import { card, codeButton, form, note, toast } from "./ui.js";
import { sixDigits, tick } from "./reset.js";

const t = texts({
	text: ["以新的资料建立账户，沿用本手机号和密码。建立后在“服务申请”中办理。", "An account with the new data is made under this number and password; then apply for the service there."],
	identifier: ["统一社会信用代码", "Unified social credit code"],
	organisation: ["单位名称（与营业执照一致）", "Organisation, as on the licence"],
	code: ["短信验证码", "SMS code"],
	send: ["获取验证码", "Send a code"],
	submit: ["建立账户", "Make the account"],
	done: ["已建立", "Done"],
});
export const title = ["以新资料办理新证书", "New certificate with new data"];

export async function render({ go }) {
	const node = form({
		name: "link", submit: t("submit"),
		fields: [
			{ name: "identifier", label: t("identifier"), required: true, tick: tick("identifier"), max: 40 },
			{ name: "organisation", label: t("organisation"), required: true, tick: tick("organisation"), max: 400 },
			{ name: "sms_code", label: t("code"), required: true, secret: true, inputmode: "numeric", check: sixDigits, max: 10, after: codeButton(t("send"), () => change("account.sms", { purpose: "register", mobile: state.account.login_mobile }), (e) => node.fail(e)) },
		],
		call: async (v, id) => {
			const r = await change("account.link", v, id);
			await change("account.choose", { identifier: r.identifier });
			await refresh();
			toast(t("done"));
			go("apply");
		},
	});
	return h("div.narrow", {}, card(null, note("plain", t("text")), node));
}
