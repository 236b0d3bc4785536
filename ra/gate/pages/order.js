// One order: pay it, cancel it, ask for the invoice.
import { h, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { badge, button, card, dialog, facts, form, link, mono, note, toast } from "./ui.js";
import { kindWord, time, yuan } from "./format.js";
import { state } from "./app.js";

const t = texts({
	order: ["订单编号", "Order"],
	kind: ["类型", "Kind"],
	amount: ["金额", "Amount"],
	created: ["下单时间", "Made"],
	paid: ["付款时间", "Paid"],
	begins: ["服务期自", "Period from"],
	ends: ["服务期至", "Period until"],
	state: ["状态", "State"],
	uses: ["剩余可办次数", "Uses left"],
	pay: ["付款", "Pay"],
	bank: ["银行转账", "Bank transfer"],
	online: ["在线支付", "Pay online"],
	bank_text: ["请转账到以下账户，附言填写付款参考号；到账后由服务台确认。", "Transfer to this account with the reference in the text; the desk confirms when it has arrived."],
	holder: ["户名", "Account holder"],
	bank_name: ["开户行", "Bank"],
	account: ["账号", "Account"],
	reference: ["付款参考号", "Reference"],
	cancel: ["取消订单", "Cancel the order"],
	cancel_sure: ["确认取消这张订单？", "Cancel this order?"],
	cancelled: ["已取消", "Cancelled"],
	invoice: ["发票", "Invoice"],
	title: ["发票抬头", "Title"],
	tax: ["纳税人识别号", "Tax number"],
	tax_form: ["纳税人识别号为 18 位统一社会信用代码，或原 15 位税号", "a unified code of 18 characters, or a tax number of 15"],
	ask: ["申请开票", "Ask for the invoice"],
	asked: ["已申请", "Asked for"],
	next: ["付款确认后可办理延期", "When it is confirmed you can extend"],
	certificates: ["去延期证书", "To my certificates"],
	number: ["发票号码", "Number"],
});
export const title = ["订单", "Order"];

export async function render({ params }) {
	const box = h("div.readable", {});
	const pay = (way) => async () => {
		const r = await change("order.pay", { order: params.order, way });
		if (r.url) return location.assign(r.url);
		if (r.state !== "created") return draw();
		replace(how, note("busy", h("p", {}, t("bank_text")), facts([[t("holder"), r.bank && r.bank.name], [t("bank_name"), r.bank && r.bank.bank], [t("account"), r.bank && mono(r.bank.account)], [t("reference"), mono(r.reference || params.order)], [t("amount"), yuan(r.amount_fen)]])));
	};
	const how = h("div", { "aria-live": "polite" });
	const cancel = async () => {
		if (!(await dialog(t("cancel"), h("p", {}, t("cancel_sure")), [[t("cancel"), true, "danger"]]))) return;
		await change("order.cancel", { order: params.order });
		toast(t("cancelled"));
		await draw();
	};
	const invoice = (o) => {
		if (o.invoice && o.invoice.state === "issued") return card(t("invoice"), facts([[t("title"), o.invoice.title], [t("tax"), o.invoice.tax_number], [t("number"), o.invoice.number]]));
		return card(t("invoice"), o.invoice ? note("ok", t("asked")) : null, form({
			name: `invoice-${o.order}`, submit: t("ask"), tone: "plain",
			fields: [{ name: "title", label: t("title"), required: true, value: o.invoice ? o.invoice.title : state.account.organisation, max: 400 }, { name: "tax_number", label: t("tax"), required: true, value: o.invoice ? o.invoice.tax_number : "", max: 20, check: (v) => (v.length === 15 || v.length === 18 ? "" : t("tax_form")) }],
			call: async (v, id) => {
				await change("order.invoice", { order: o.order, ...v }, id);
				toast(t("asked"));
				await draw();
			},
		}));
	};
	const draw = async () => {
		const o = await rpc("order.show", { order: params.order });
		replace(how);
		replace(box,
			card(null, facts([[t("order"), mono(o.order)], [t("kind"), kindWord(o.kind)], [t("amount"), yuan(o.amount_fen)], [t("state"), badge(o.state)], [t("created"), time(o.created)], [t("paid"), o.paid_at ? time(o.paid_at) : null], [t("begins"), o.begins ? time(o.begins) : null], [t("ends"), o.ends ? time(o.ends) : null], [t("uses"), o.state === "paid" ? o.uses_left : null]])),
			o.state === "created" ? card(t("pay"), h("div.row", {}, button(t("bank"), pay("bank"), { tone: "primary" }), button(t("online"), pay("provider")), button(t("cancel"), cancel, { tone: "danger" })), how) : null,
			o.state === "paid" ? note("ok", t("next"), " ", link("certificates", t("certificates"))) : null,
			o.state === "paid" || o.state === "fulfilled" ? invoice(o) : null);
	};
	await draw();
	return box;
}
