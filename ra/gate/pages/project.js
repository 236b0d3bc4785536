// A project's own page, before anybody logs in: log-in with a picture code, process, help, downloads, account data, services and prices.
import { h } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { state } from "./app.js";
import { card, contact, link, table } from "./ui.js";
import { yuan } from "./format.js";
import { loginForm } from "./login.js";

const t = texts({
	login: ["登录", "Log in"],
	process: ["办理流程", "Process"],
	help: ["使用帮助", "Help"],
	downloads: ["软件下载", "Downloads"],
	account: ["账户信息", "Account data"],
	services: ["服务与价格", "Services and prices"],
	contact: ["联系我们", "Contact"],
	name: ["名称", "Name"],
	version: ["版本", "Version"],
	hash: ["SHA-256（下载后请核对）", "SHA-256, to be compared after the download"],
	price: ["价格", "Price"],
	period: ["服务期", "Period"],
	months: ["{n} 个月", "{n} months"],
	ways: ["业务与材料", "What can be done, and its papers"],
	officers: ["审核人数", "Officers"],
	materials: ["所需材料", "Papers"],
	none: ["无", "none"],
	or: [" 或 ", " or "],
	logged: ["您已登录。", "You are logged in."],
	to: ["进入我的服务", "To my services"],
	user: ["用户名为首次办理时登记的组织机构代码或统一社会信用代码；初始密码由服务台公布。", "The user name is the organisation code or unified code of the first issue; the initial password is published by the service desk."],
	forgot: ["忘记登记的代码", "Forgot the registered code"],
});
// What a subscriber can ask for; what several profiles have alike is said once.
const KINDS = ["extend", "change", "enrol", "reissue", "recover", "unlock"];
let found = null;
export const title = () => (found ? found.title : ["合作项目", "Project"]);

export async function render({ params, go }) {
	found = await rpc("project.show", { project: params.project });
	const p = found;
	const login = state.account ? card(t("login"), h("p", {}, t("logged")), h("p", {}, link("services", t("to")))) : card(t("login"), await loginForm({ go, always: true, name: `login-${params.project}` }));
	return h("div.two", {},
		h("div", {},
			card(t("process"), h("ol.line", {}, (p.process || []).map((s) => h("li", {}, h("strong", {}, say(s.title)), h("p", {}, say(s.text)))))),
			card(t("services"), table(t("services"), [
				{ label: t("name"), cell: (s) => say(s.title) },
				{ label: t("period"), cell: (s) => t("months", { n: s.period_months }) },
				{ label: t("price"), tone: "number", cell: (s) => yuan(s.price_fen) },
			], p.services || [])),
			card(t("ways"), table(t("ways"), [
				{ label: t("name"), cell: (w) => say(w.title) },
				{ label: t("materials"), cell: (w) => (w.materials.length ? h("span", {}, w.materials.map((g, i) => [i ? h("br") : null, g.map((m) => say(m.title || m)).join(t("or"))])) : t("none")) },
				{ label: t("officers"), tone: "number", cell: (w) => w.officers },
			], (p.ways || []).filter((w, i, all) => KINDS.includes(w.kind) && all.findIndex((v) => say(v.title) === say(w.title)) === i)))),
		h("div.first", {}, login,
			card(t("account"), h("p", {}, t("user")), h("p", {}, link("identifier", t("forgot")))),
			card(t("help"), (p.help || []).map((s) => h("details", {}, h("summary", {}, say(s.title)), h("p", {}, say(s.text))))),
			card(t("downloads"), (p.downloads || []).map((d) => h("div", {}, h("p", {}, h("a", { href: d.url, rel: "noreferrer" }, say(d.title)), ` ${t("version")} ${d.version}`), h("p.hint", {}, t("hash")), h("p.mono", {}, d.sha256)))),
			card(t("contact"), contact(p.contact), p.contact && p.contact.address ? h("p", {}, say(p.contact.address)) : null)));
}
