// A forgotten password: a code to the bound number, a new password.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { change, RpcError } from "./rpc.js";
import { card, form, link, toast } from "./ui.js";
import { codeFields, passwordFields } from "./reset.js";
import { pictureField } from "./login.js";

const t = texts({
	text: ["验证码将发送到已绑定的手机号。手机号已停用的，请联系服务台。", "The code goes to the bound number. If you no longer have that number, ask the service desk."],
	submit: ["设置新密码", "Set the new password"],
	done: ["密码已修改，请登录", "The password is set: log in"],
	back: ["返回登录", "Back to the log-in"],
	picture: ["图形验证码", "Picture code"],
});
export const title = ["忘记密码", "Forgot the password"];

// Codes that strangers may ask for want a picture code once there were several.
export async function withPicture(purpose, more) {
	const picture = pictureField();
	let shown = false;
	const code = codeFields({
		purpose,
		picture: () => (shown ? { picture: picture.id(), picture_code: node.values().picture_code } : {}),
		onError: async (n, e) => {
			if (e instanceof RpcError && /^picture/.test(e.reason)) {
				shown = true;
				n.fieldAt("picture_code").node.hidden = false;
				await picture.load();
				n.fieldAt("picture_code").focus();
				if (e.reason === "picture_wanted") return;
			}
			n.fail(e);
		},
	});
	const field = { name: "picture_code", label: t("picture"), secret: true, max: 12, after: picture.node };
	const node = form(more([field, ...code.fields, ...passwordFields()]));
	node.fieldAt("picture_code").node.hidden = true;
	code.bind(node);
	return node;
}

export async function render({ go }) {
	const node = await withPicture("forgot", (fields) => ({
		name: "forgot", fields, submit: t("submit"),
		call: async ({ picture_code, ...v }, id) => {
			await change("account.forgot", v, id);
			toast(t("done"));
			go("login");
		},
	}));
	return h("div.narrow", {}, card(null, h("p", {}, t("text")), node, h("p.links", {}, link("login", t("back")))));
}
