/*
 * Paying orders, paying back, invoices.
 */
#include "ra/api.h"

#include "ra/invoice.h"
#include "ra/order_json.h"
#include "ra/payment.h"

static const char *const way_words[] = {"bank", "provider", NULL};
static const char *const payment_words[] = {"applied", "to_refund", "refunded", NULL};
#define ORDER TEXT("order", true, 1, ORDER_ID_MAX, "订单编号", "id of the order")
#define BANK(zh, en) TEXT("bank_reference", true, 1, BANK_REFERENCE_MAX, zh, en)
static const struct rpc_param pay_params[] = {
	ORDER, WORD("way", false, way_words, "付款方式", "bank (when absent) or provider"), {0}};
static const struct rpc_param confirm_params[] = {
	ORDER,
	BANK("银行流水号", "the bank's own reference"),
	NUMBER("amount_fen", false, 0, AMOUNT_MAX, "到账金额（分）", "what has come, in fen; must be the order's"),
	{"to_refund", PARAM_BOOLEAN, false, 0, 0, NULL, "订单不再收款时，登记为待退款",
	 "the order takes no money any more: record it as to be refunded"},
	{0}};
static const struct rpc_param callback_params[] = {
	ORDER,
	NUMBER("amount_fen", true, 0, AMOUNT_MAX, "金额（分）", "what was paid, in fen"),
	TEXT("transaction", true, 1, BANK_REFERENCE_MAX, "支付平台交易号", "the provider's id of the payment"),
	TEXT("time", true, 20, 20, "签名时间", "when the call was signed, as 2026-11-23T00:00:00Z"),
	TEXT("nonce", true, 16, NONCE_MAX, "随机数", "random text of this call"),
	TEXT("signature", true, 64, 64, "签名", "HMAC-SHA256 of the text, in hex"),
	{0}};
static const struct rpc_param refund_params[] = {ORDER,
						 BANK("退款的银行流水号", "the bank's reference of the transfer back"),
						 TEXT("payment", false, 1, PAYMENT_ID_MAX, "付款编号",
						      "the payment that goes back; the order's own when absent"),
						 {0}};
static const struct rpc_param payments_params[] = {
	LONG_PAGE,
	WORD("state", false, payment_words, "付款状态", "applied, to_refund, refunded"),
	TEXT("order", false, 0, ORDER_ID_MAX, "订单编号", "id of the order"),
	{0}};
static const struct rpc_param invoice_params[] = {
	ORDER,
	TEXT("title", true, 1, INVOICE_TITLE_MAX, "发票抬头", "whom the invoice names"),
	TEXT("tax_number", true, 15, TAX_NUMBER_MAX, "纳税人识别号", "unified code, or tax number of 15 characters"),
	{0}};
static const struct rpc_param invoiced_params[] = {
	ORDER, TEXT("number", true, 8, INVOICE_NUMBER_MAX, "发票号码", "number of the invoice"), {0}};

#define OFFICER_CHANGES(name, fn, params, zh, en)                                                                      \
	METHOD(name, fn, MODE_CHANGE, DESK_OFFICER, false, true, false, params, OBJECT(ORDER_IS), zh, en)
#define PAYMENT                                                                                                        \
	STR("payment")                                                                                                 \
	"," STR("order") "," INT("amount_fen") "," STR("state") "," STR("at") "," STR("who") "," STR(                  \
		"refund") "," STR("refunded")

static const struct desk_method methods[] = {
	CHANGES("order.pay", order_pay, pay_params,
		OBJECT(ORDER_IS
		       "," STR("reference") "," STR("url") ",\"bank\":{\"type\":[\"object\",\"null\"],\"properties\":"
							   "{" STR("name") "," STR("bank") "," STR("account") "}}"),
		"付款", "bank details and the reference to pay under, or the provider's address"),
	METHOD("order.callback", order_callback, MODE_CHANGE, DESK_PORTAL, false, true, false, callback_params,
	       OBJECT(STR("order") "," STR("state") "," STR("payment")), "支付平台通知",
	       "the provider's signed call: the money has come"),
	OFFICER_CHANGES("order.confirm", order_confirm, confirm_params, "确认收款",
			"the bank's reference has come: the service runs on"),
	OFFICER_CHANGES("order.refund", order_refund, refund_params, "退款",
			"the money has gone back, and with it the service's period"),
	METHOD("order.payments", order_payments, MODE_READ, DESK_OFFICER, false, false, false, payments_params,
	       OBJECT(ROWS("payments", PAYMENT) "," LIST_END), "付款记录", "payments, oldest first"),
	CHANGES("order.invoice", order_invoice, invoice_params, OBJECT(ORDER_IS), "申请发票",
		"ask for the order's invoice"),
	OFFICER_CHANGES("order.invoiced", order_invoiced, invoiced_params, "登记发票号码",
			"the invoice was issued under that number"),
};

static const struct rpc_message messages[] = {
	{"bank_reference_used", "该银行流水号已用于其他订单", "the bank reference has paid another order"},
	{"transaction_used", "该支付交易号已用于其他订单", "the transaction has paid another order"},
	{"refund_reference_used", "该退款流水号已用于其他退款", "the reference belongs to another refund"},
	{"payment_amount", "金额与订单不符", "the amount is not the order's"},
	{"payment_unknown", "该订单没有这笔付款", "the order has no such payment"},
	{"provider_missing", "本服务台不支持在线支付，请使用银行转账", "no payments online here: pay by bank transfer"},
	{"callback_form", "支付通知格式不正确", "the payment call is malformed"},
	{"callback_signature", "支付通知的签名验证未通过", "the payment call's signature does not hold"},
	{"callback_time", "支付通知已过时，请重新签名", "the payment call is not of now: sign it anew"},
	{"callback_nonce", "支付通知重复，请重新签名", "the payment call was made before: sign it anew"},
	{"order_in_use", "订单正在使用或已使用，不能退款", "the order is in use: no refund"},
	{"order_refund_later", "请先退后来的续费订单", "refund the later order of the service first"},
	{"invoice_issued", "发票已开具或已作废", "the invoice is issued or void"},
	{"invoice_unknown", "该订单没有申请发票", "nobody asked for an invoice of this order"},
	{"invoice_number_form", "发票号码格式不正确", "the invoice number is malformed"},
	{"invoice_number_used", "该发票号码已用于其他订单", "the invoice number stands for another order"},
	{"tax_number_form", "纳税人识别号格式不正确", "the tax number is malformed"},
};

DESK_PART(api_payment, methods, messages);
