// Which officer is at the keyboard. Where the proxy or the desk's own configuration says it, that counts; where several share a Unix user, the person says it here, and it is
// order among colleagues: what counts for a certificate is the officer's signature.
import { texts } from "./i18n.js";
import { form, toast } from "./ui.js";

const KEY = "hufu-officer";
const t = texts({
	name: ["审核员姓名", "Name of the officer"],
	hint: ["名册中的名字，如 alice。由代理服务器确认身份时无需填写。", "As in the roster, for example alice. Needless where the proxy before this portal says it."],
	form: ["名册中的名字不含空格和加号", "a name of the roster has no space and no plus sign"],
	keep: ["保存", "Keep"],
	kept: ["已保存", "Kept"],
});

function read() {
	try { return localStorage.getItem(KEY) || ""; } catch { return ""; }
}

// Whether who is here may review at all: an administrator who is no officer has no queue, and reads the rest. desk.js finds out.
export const staff = { officer: true };

// The parameter of calls that note who did it.
export const acting = () => ({ officer: read() || undefined });

export const actingForm = () => form({
	submit: t("keep"), tone: "plain", fields: [{ name: "officer", label: t("name"), hint: t("hint"), max: 47, value: read(), autocomplete: "username", check: (v) => (/[\s+]/.test(v) ? t("form") : "") }],
	call: async (v) => {
		try { localStorage.setItem(KEY, v.officer); } catch { /* a browser that keeps nothing */ }
		toast(t("kept"));
	},
});
