// Which code was registered? The licence goes to the officers, and the desk calls.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { change, RpcError } from "./rpc.js";
import { card, form, link, note } from "./ui.js";
import { dropBox } from "./upload.js";
import { pictureField } from "./login.js";
import { tick } from "./reset.js";

const t = texts({
	text: ["填写单位资料并上传现行营业执照，服务台核实后会致电您。", "Give the organisation's data and upload the present licence: the desk looks at it and calls you."],
	organisation: ["单位名称", "Organisation"],
	agent: ["联系人", "Who asks"],
	mobile: ["联系手机号", "Mobile"],
	more: ["补充说明", "Anything else"],
	picture: ["图形验证码", "Picture code"],
	submit: ["下一步", "Next"],
	licence: ["营业执照（盖章扫描件）", "business licence, stamped and scanned"],
	done: ["已收到。", "It is here."],
	back: ["返回登录", "Back to the log-in"],
});
export const title = ["忘记登记的代码", "Forgot the registered code"];

export async function render() {
	const box = h("div", {});
	const picture = pictureField();
	const node = form({
		name: "licence", submit: t("submit"),
		fields: [
			{ name: "organisation", label: t("organisation"), required: true, tick: tick("organisation"), max: 400 },
			{ name: "agent", label: t("agent"), required: true, tick: tick("agent"), max: 200 },
			{ name: "mobile", label: t("mobile"), required: true, inputmode: "numeric", tick: tick("mobile"), max: 20 },
			{ name: "text", label: t("more"), type: "lines", max: 2000 },
			{ name: "picture_code", label: t("picture"), secret: true, max: 12, after: picture.node },
		],
		call: async ({ picture_code, ...v }, id) => {
			try {
				const shown = !node.fieldAt("picture_code").node.hidden;
				const r = await change("account.licence", shown ? { ...v, picture: picture.id(), picture_code } : v, id);
				replace(box, note("ok", h("p", {}, say(r))), dropBox({ label: t("licence"), name: "business-licence", owner: async () => ({ case: r.case }), onDone: () => replace(box, note("ok", h("p", {}, t("done"), " ", say(r)))) }));
			} catch (e) {
				if (!(e instanceof RpcError) || !/^picture/.test(e.reason)) throw e;
				node.fieldAt("picture_code").node.hidden = false;
				await picture.load();
				throw e;
			}
		},
	});
	node.fieldAt("picture_code").node.hidden = true;
	replace(box, h("p", {}, t("text")), node);
	return h("div.narrow", {}, card(null, box, h("p.links", {}, link("login", t("back")))));
}
