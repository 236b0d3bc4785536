// Orders that wait for their money, and money that came: confirm a transfer, send money back.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { badge, card, form, mono, searchBox, toast } from "./ui.js";
import { filters } from "./filters.js";
import { keyed } from "./keyed.js";
import { minute, stateWord, yuan } from "./format.js";

const t = texts({
	search: ["订单编号、单位、代码或手机号", "order, organisation, identifier or mobile"],
	orders: ["订单", "Orders"],
	order: ["订单编号", "Order"],
	organisation: ["单位", "Organisation"],
	amount: ["金额", "Amount"],
	state: ["状态", "State"],
	created: ["下单时间", "Ordered"],
	reference: ["银行流水号", "The bank's reference"],
	payments: ["到账记录", "Money that came"],
	payment: ["付款编号", "Payment"],
	at: ["时间", "When"],
	applied: ["已入账", "applied"],
	to_refund: ["待退款", "to be sent back"],
	refunded: ["已退款", "sent back"],
	confirm: ["确认到账", "Confirm a transfer"],
	yuan: ["到账金额（元）", "What has come, in yuan"],
	yuan_hint: ["填写后必须与订单金额一致", "When it is said, it must be the order's amount"],
	yuan_wrong: ["请填写金额，如 300.00", "wanted an amount, as 300.00"],
	confirmed: ["已确认", "Confirmed"],
	refund: ["登记退款", "Record a refund"],
	payment_hint: ["退回单独一笔款项时填写", "For money that counts for no order"],
	refunded_now: ["已登记", "Recorded"],
});
export const title = ["收款与退款", "Payments"];

const ORDER_STATES = ["created", "paid", "fulfilled", "cancelled", "refunded"], PAYMENTS = { applied: "ok", to_refund: "warn", refunded: "plain" };
const asFen = (text) => (text === "" ? undefined : Math.round(Number(text) * 100));

function ordersList({ query, go }) {
	return [searchBox(t("search"), (text) => go(`payments?${new URLSearchParams({ ...query, find: text })}`), query.find || ""),
		filters("payments", { query, go }, [["state", t("orders"), ORDER_STATES.map((s) => [s, stateWord(s)])], ["money", t("payments"), Object.keys(PAYMENTS).map((s) => [s, t(s)])]]),
		h("h2", {}, t("orders")), keyed({
			caption: t("orders"),
			load: async ({ after }) => { const r = await rpc("order.find", { search: query.find, state: query.state, per_page: 10, after }); return { ...r, rows: r.orders }; },
			columns: [
				{ label: t("order"), cell: (o) => mono(o.order) },
				{ label: t("organisation"), cell: (o) => o.organisation || "–" },
				{ label: t("amount"), tone: "number", cell: (o) => yuan(o.amount_fen) },
				{ label: t("created"), cell: (o) => minute(o.created) },
				{ label: t("reference"), cell: (o) => o.bank_reference || "–" },
				{ label: t("state"), cell: (o) => badge(o.state) },
			],
		})];
}

const paymentsList = ({ query }) => [h("h2", {}, t("payments")), keyed({
	caption: t("payments"),
	load: async ({ after }) => { const r = await rpc("order.payments", { state: query.money, per_page: 10, after }); return { ...r, rows: r.payments }; },
	columns: [
		{ label: t("payment"), cell: (p) => mono(p.payment) },
		{ label: t("order"), cell: (p) => (p.order ? mono(p.order) : "–") },
		{ label: t("amount"), tone: "number", cell: (p) => yuan(p.amount_fen) },
		{ label: t("at"), cell: (p) => minute(p.at) },
		{ label: t("state"), cell: (p) => h(`span.badge.${PAYMENTS[p.state] || "plain"}`, {}, PAYMENTS[p.state] ? t(p.state) : p.state) },
	],
})];

export async function render({ query, go }) {
	const box = h("div", {});
	const draw = () => box.replaceChildren(...ordersList({ query, go }), ...paymentsList({ query }));
	draw();
	const order = { name: "order", label: t("order"), required: true, max: 40 }, reference = { name: "bank_reference", label: t("reference"), required: true, max: 64 };
	const done = (words) => { toast(t(words)); draw(); };
	const confirm = form({
		name: "confirm", submit: t("confirm"), fields: [order, reference, { name: "amount_fen", label: t("yuan"), hint: t("yuan_hint"), inputmode: "decimal", max: 12, check: (v) => (v === "" || /^\d+(\.\d{1,2})?$/.test(v) ? "" : t("yuan_wrong")) }],
		call: async (v, id) => { await change("order.confirm", { ...v, amount_fen: asFen(v.amount_fen) }, id); done("confirmed"); },
	});
	const refund = form({
		name: "refund", submit: t("refund"), tone: "plain", fields: [order, reference, { name: "payment", label: t("payment"), hint: t("payment_hint"), max: 80 }],
		call: async (v, id) => { await change("order.refund", v, id); done("refunded_now"); },
	});
	return h("div", {}, box, h("div.sides", {}, card(t("confirm"), confirm), card(t("refund"), refund)));
}
