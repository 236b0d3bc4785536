// Logging in: identifier or mobile number, password, and the picture code where it is asked for.
import { h, replace } from "./dom.js";
import { texts, say } from "./i18n.js";
import { rpc, RpcError } from "./rpc.js";
import { refresh, state } from "./app.js";
import { form, button, card, link, toast } from "./ui.js";

const t = texts({
	login: ["登录", "Log in"],
	name: ["用户名", "User name"],
	name_hint: ["首次登录：办理证书时登记的组织机构代码或统一社会信用代码；此后也可用手机号。", "The first time: the organisation code or unified code that was registered; afterwards the mobile number too."],
	password: ["密码", "Password"],
	picture: ["图形验证码", "Picture code"],
	picture_alt: ["图形验证码；无法看清时请致电服务台", "a picture with characters; if you cannot see it, ask the service desk"],
	other: ["换一张", "Another"],
	forgot: ["忘记密码", "Forgot the password"],
	identifier: ["忘记登记的代码", "Forgot the registered code"],
	register: ["注册新单位", "Register an organisation"],
	welcome: ["登录成功", "You are logged in"],
});
export const title = ["登录", "Log in"];

// A picture and the field for what stands on it. read() gives {picture, picture_code}.
export function pictureField() {
	const img = h("img.picture", { alt: t("picture_alt"), width: 160, height: 60 });
	const help = h("span", {});
	let id = "";
	const load = async () => {
		const p = await rpc("account.picture");
		id = p.picture;
		img.src = `data:image/png;base64,${p.png}`;
		replace(help, p.alternative ? say(p.alternative) : "");
	};
	return {
		load,
		id: () => id,
		node: h("span.picture-box", {}, img, button(t("other"), load, { tone: "quiet" })),
		help,
	};
}

// After the log-in: where the person was going, unless something must be done before.
export async function enter(go, next, result) {
	state.organisations = result.organisations || [];
	await refresh();
	const a = state.account;
	toast(t("welcome"));
	go(a.must_choose ? "choose" : a.must_reset ? "reset" : next || "services");
}

// always: the picture is shown from the beginning, as a project's own log-in page does.
export async function loginForm({ go, next, always, name }) {
	const box = h("div", {});
	const picture = pictureField();
	const draw = (withPicture, kept) => {
		const fields = [
			{ name: "identifier", label: t("name"), hint: t("name_hint"), required: true, autocomplete: "username", value: kept?.identifier, max: 40 },
			{ name: "password", label: t("password"), type: "password", secret: true, required: true, autocomplete: "current-password", value: kept?.password, max: 128 },
		];
		if (withPicture) fields.push({ name: "picture_code", label: t("picture"), secret: true, required: true, max: 12, after: picture.node });
		const node = form({
			name: name || "login", fields, submit: t("login"),
			call: async (v) => {
				let result;
				try {
					result = await rpc("account.login", { identifier: v.identifier, password: v.password, ...(withPicture ? { picture: picture.id(), picture_code: v.picture_code } : {}) });
				} catch (e) {
					if (!(e instanceof RpcError) || !(withPicture || /^picture/.test(e.reason))) throw e;
					await picture.load();
					const again = draw(true, v);
					if (e.reason !== "picture_wanted") again.fail(e);
					else again.fieldAt("picture_code").focus();
					return false;
				}
				await enter(go, next, result);
			},
		});
		replace(box, node, withPicture ? h("p.hint", {}, picture.help) : null);
		return node;
	};
	if (always) await picture.load();
	draw(always);
	return box;
}

export async function render({ go, query }) {
	return h("div.narrow", {}, card(null, await loginForm({ go, next: query.next }), h("p.links", {}, link("forgot", t("forgot")), link("identifier", t("identifier")), link("register", t("register")))));
}
