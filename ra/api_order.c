/*
 * Orders: making, looking, cancelling; for officers, finding. Payment is in api_payment.c.
 */
#include "ra/api.h"

#include "ra/order.h"
#include "ra/order_json.h"
#include "ra/store_payment.h"

static const char *const kind_words[] = {"renew", NULL};
static const char *const invoice_words[] = {"asked", "issued", "void", NULL};
#define ORDER TEXT("order", true, 1, ORDER_ID_MAX, "订单编号", "id of the order")
#define ORDER_STATE WORD("state", false, order_state_words, "订单状态", "created, paid, fulfilled, cancelled, refunded")
static const struct rpc_param list_params[] = {PAGE, ORDER_STATE, {0}};
static const struct rpc_param create_params[] = {
	TEXT("service_id", true, 1, SERVICE_ID_MAX, "服务编号", "id of the service"),
	WORD("kind", true, kind_words, "订单类型", "renew"),
	{0}};
static const struct rpc_param order_params[] = {ORDER, {0}};
static const struct rpc_param find_params[] = {
	LONG_PAGE,
	TEXT("search", false, 0, 200, "订单编号或其开头、日期之后部分的开头；单位名称的一部分；单位代码；手机号",
	     "beginning of the order's id or of its part behind the date; part of the organisation's name; identifier; "
	     "mobile"),
	NUMBER("amount_fen", false, 0, AMOUNT_MAX, "金额（分）", "amount in fen"),
	ORDER_STATE,
	WORD("invoice", false, invoice_words, "发票状态", "state of its invoice"),
	{0}};

static const struct desk_method methods[] = {
	CHANGES("order.create", order_create, create_params, OBJECT(ORDER_IS), "下单续费",
		"order the renewal of a service"),
	READS("order.list", order_list, list_params, OBJECT(ROWS("orders", ORDER_ROW) "," INT("total")), "我的订单",
	      "my orders"),
	READS("order.show", order_show, order_params, OBJECT(ORDER_IS), "订单", "one order"),
	CHANGES("order.cancel", order_cancel, order_params, OBJECT(ORDER_IS), "取消订单", "cancel an unpaid order"),
	METHOD("order.find", order_find, MODE_READ, DESK_OFFICER, false, false, false, find_params,
	       OBJECT(ROWS("orders", ORDER_ROW "," STR("organisation") "," STR("identifier") "," INVOICE) "," LIST_END),
	       "查找订单", "orders of everybody, oldest first: what a bank statement is matched with"),
};

static const struct rpc_message messages[] = {
	{"order_unknown", "没有找到这个订单", "you have no such order"},
	{"order_open", "该服务已有未付款的订单，请先付款或取消", "an order of this service waits for its payment"},
	{"order_unpaid", "订单尚未付款", "the order is not paid yet"},
	{"order_paid", "订单已付款", "the order is paid"},
	{"order_fulfilled", "订单已完成", "the order is fulfilled"},
	{"order_cancelled", "订单已取消", "the order is cancelled"},
	{"order_refunded", "订单已退款", "the order is refunded"},
	{"order_other_service", "订单属于另一项服务", "the order is for another service"},
	{"order_used", "订单已使用完", "the order has been used up"},
	{"order_months", "延期时长超出订单允许的范围", "the order does not allow so many months"},
	{"order_missing", "请先下单并付款", "a paid order is needed"},
	{"order_unwanted", "本业务不需要订单", "no order is needed for this"},
};

DESK_PART(api_order, methods, messages);
