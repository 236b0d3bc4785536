// 我的服务: what is paid for and until when. Renew → order → pay.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { badge, button, dialog, facts, list, mono, note, span } from "./ui.js";
import { projectTitle, readProjects } from "./projects.js";
import { yuan } from "./format.js";

const t = texts({
	caption: ["我的服务", "My services"],
	intro: ["服务到期后不能延期证书：请先续费并付款，再办理延期。", "A certificate cannot be extended when its service has expired: renew and pay first, then extend."],
	search: ["按证书名称查找", "Find by the certificate's name"],
	id: ["编号", "No."],
	project: ["项目", "Project"],
	service: ["服务", "Service"],
	name: ["证书名称", "Certificate name"],
	serial: ["序列号", "Serial number"],
	period: ["服务期", "Service period"],
	state: ["状态", "State"],
	action: ["操作", "Action"],
	renew: ["续费", "Renew"],
	pay: ["付款", "Pay"],
	apply: ["重新申请", "Apply again"],
	enrol: ["办理证书", "Get the certificate"],
	sure: ["续费", "Renew the service"],
	sure_text: ["将生成一张订单，付款后服务期顺延。", "An order is made; when it is paid the service period runs on."],
	months: ["{n} 个月", "{n} months"],
	price: ["金额", "Amount"],
	length: ["时长", "Length"],
	order: ["生成订单", "Make the order"],
	none: ["–", "–"],
});

export const title = ["我的服务", "My services"];

export async function render({ go }) {
	const renew = async (s) => {
		const yes = await dialog(t("sure"), h("div", {}, h("p", {}, t("sure_text")), facts([[t("name"), s.certificate_name], [t("length"), s.period_months ? t("months", { n: s.period_months }) : null], [t("price"), yuan(s.price_fen)]])), [[t("order"), true, "primary"]]);
		if (!yes) return;
		const order = await change("order.create", { service_id: s.id, kind: "renew" });
		go(`order/${order.order}`);
	};
	const action = (s) => {
		if (s.action === "renew") return button(t("renew"), () => renew(s), { tone: "primary" });
		if (s.action === "pay" && s.open_order) return h("a.button.primary", { href: `#/order/${s.open_order}` }, t("pay"));
		if (s.action === "apply") return h("a.button", { href: "#/apply" }, t("apply"));
		if (s.state === "active" && !s.serial) return h("a.button", { href: `#/new/enrol/${s.id}` }, t("enrol"));
		return t("none");
	};
	return h("div", {}, note("plain", t("intro")), list({
		caption: t("caption"), search: t("search"),
		load: async (p) => {
			const r = await rpc("service.list", p);
			await readProjects(r.services.map((s) => s.project));
			return { rows: r.services, total: r.total };
		},
		columns: [
			{ label: t("id"), cell: (s) => s.id },
			{ label: t("project"), cell: (s) => projectTitle(s.project) },
			{ label: t("name"), cell: (s) => s.certificate_name || t("none") },
			{ label: t("serial"), cell: (s) => (s.serial ? mono(s.serial) : t("none")) },
			{ label: t("period"), cell: (s) => (s.begins ? span(s.begins, s.ends) : t("none")) },
			{ label: t("state"), cell: (s) => badge(s.state) },
			{ label: t("action"), cell: action },
		],
	}));
}
