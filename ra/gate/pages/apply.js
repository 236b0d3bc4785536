// 服务申请: a service that the account does not have yet.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { button, card, errorNote, failed, note, searchBox, table } from "./ui.js";
import { yuan } from "./format.js";

const t = texts({
	find: ["先查找合作项目", "First find the project"],
	label: ["项目名称", "Name of the project"],
	service: ["服务", "Service"],
	period: ["服务期", "Period"],
	price: ["价格", "Price"],
	months: ["{n} 个月", "{n} months"],
	apply: ["申请", "Apply"],
	none: ["没有找到", "Nothing found"],
	text: ["申请后生成订单；付款后在“我的服务”中办理证书。", "An order is made; once it is paid, get the certificate under my services."],
});
export const title = ["服务申请", "Apply for a service"];

export async function render({ go }) {
	const found = h("div", { "aria-live": "polite" });
	const said = h("div", { "aria-live": "polite" });
	const apply = (project, s) => async () => {
		const r = await change("service.apply", { project, service: s.service });
		go(`order/${r.order}`);
	};
	const look = async (query) => {
		replace(said);
		if (!query) return replace(found);
		const { projects } = await rpc("project.search", { query });
		const all = await Promise.all(projects.slice(0, 5).map((p) => rpc("project.show", { project: p.project })));
		replace(found, all.length === 0 ? note("plain", t("none")) : all.map((p) => card(say(p.title), table(say(p.title), [{ label: t("service"), cell: (s) => say(s.title) }, { label: t("period"), cell: (s) => t("months", { n: s.period_months }) }, { label: t("price"), tone: "number", cell: (s) => yuan(s.price_fen) }, { label: t("apply"), cell: (s) => button(t("apply"), apply(p.project, s), { tone: "primary", onError: (e) => (e.loggedOut ? failed(e) : replace(said, errorNote(e))) }) }], p.services))));
	};
	return h("div.readable", {}, card(t("find"), h("p", {}, t("text")), searchBox(t("label"), look, "", 600)), said, found);
}
