// The beginning: find the project whose certificate it is about, or log in at once.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { state } from "./app.js";
import { card, link, searchBox, errorNote, note } from "./ui.js";

const t = texts({
	find: ["查找合作项目", "Find your project"],
	label: ["项目名称", "Name of the project"],
	hint: ["输入您使用证书的平台名称，例如“金华市公共资源中心”。", "Type the platform on which you use your certificate, for example 金华市公共资源中心."],
	none: ["没有找到。请换一个名称，或联系服务台。", "Nothing found: try another name, or ask the service desk."],
	known: ["已经知道怎么办？", "Know your way?"],
	login: ["直接登录", "Log in"],
	freeze: ["收到陌生的绑定通知？", "A notice of a binding that you did not make?"],
	freeze_link: ["冻结账户", "Freeze the account"],
	contact: ["联系我们", "Contact"],
	also: ["又名", "also"],
});
export const title = ["数字证书服务", "Certificate services"];

export async function render({ go, query }) {
	if (state.account) {
		go("services");
		return null;
	}
	const found = h("div.projects", { "aria-live": "polite" });
	const look = async (text) => {
		if (text === "") return replace(found);
		const { projects } = await rpc("project.search", { query: text });
		replace(found, projects.length === 0 ? note("plain", t("none")) : projects.map((p) =>
			h("a.project", { href: `#/project/${encodeURIComponent(p.project)}` }, h("strong", {}, say(p.title)), p.aliases && p.aliases.length ? h("small", {}, `${t("also")} ${p.aliases.join(", ")}`) : null, h("span", { "aria-hidden": "true" }, "→"))));
	};
	if (query.find) look(query.find).catch((e) => replace(found, errorNote(e)));
	return h("div.two", {},
		card(t("find"), h("p", {}, t("hint")), searchBox(t("label"), look, query.find || "", 600), found),
		h("div", {}, card(t("known"), h("p", {}, h("a.button.primary", { href: "#/login" }, t("login")))), card(t("freeze"), h("p", {}, link("freeze", t("freeze_link")))), h("p.links", {}, link("contact", t("contact")))));
}
