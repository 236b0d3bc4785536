// A new organisation.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { change } from "./rpc.js";
import { card, link, toast } from "./ui.js";
import { tick } from "./reset.js";
import { withPicture } from "./forgot.js";

const t = texts({
	identifier: ["统一社会信用代码", "Unified social credit code"],
	organisation: ["单位名称（与营业执照一致）", "Organisation, as on the licence"],
	agent: ["经办人", "Agent"],
	submit: ["注册", "Register"],
	done: ["注册成功，请登录", "Registered: log in"],
	back: ["返回登录", "Back to the log-in"],
});
export const title = ["注册新单位", "Register an organisation"];

export async function render({ go }) {
	const node = await withPicture("register", (fields) => ({
		name: "register", submit: t("submit"),
		fields: [
			{ name: "identifier", label: t("identifier"), required: true, tick: tick("identifier"), max: 40 },
			{ name: "organisation", label: t("organisation"), required: true, tick: tick("organisation"), max: 400 },
			{ name: "agent", label: t("agent"), required: true, tick: tick("agent"), max: 200 },
			...fields,
		],
		call: async ({ picture_code, ...v }, id) => {
			await change("account.register", v, id);
			toast(t("done"));
			go("login");
		},
	}));
	return h("div.narrow", {}, card(null, node, h("p.links", {}, link("login", t("back")))));
}
