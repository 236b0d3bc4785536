// 我的订单.
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { badge, link, list, mono } from "./ui.js";
import { kindWord, minute, yuan } from "./format.js";

const t = texts({
	caption: ["我的订单", "My orders"],
	order: ["订单编号", "Order"],
	kind: ["类型", "Kind"],
	service: ["服务编号", "Service"],
	amount: ["金额", "Amount"],
	created: ["下单时间", "Made"],
	state: ["状态", "State"],
});
export const title = ["我的订单", "My orders"];

export async function render() {
	return list({
		caption: t("caption"), perPage: 10,
		load: async ({ page, per_page }) => { const r = await rpc("order.list", { page, per_page }); return { rows: r.orders, total: r.total }; },
		columns: [
			{ label: t("order"), cell: (o) => link(`order/${o.order}`, mono(o.order)) },
			{ label: t("kind"), cell: (o) => kindWord(o.kind) },
			{ label: t("service"), cell: (o) => o.service_id },
			{ label: t("created"), cell: (o) => minute(o.created) },
			{ label: t("amount"), tone: "number", cell: (o) => yuan(o.amount_fen) },
			{ label: t("state"), cell: (o) => badge(o.state) },
		],
	});
}
