/*
 * Orders and their payment.
 */
#include "ra/api.h"

#include "ra/order.h"

static const char *const renew_words[] = {"renew", NULL};
#define ORDER TEXT("order", true, 1, ORDER_ID_MAX, "订单编号", "id of the order")
static const struct rpc_param page_params[] = {PAGE, {0}};
static const struct rpc_param order_create_params[] = {
	TEXT("service_id", true, 1, SERVICE_ID_MAX, "服务编号", "id of the service"),
	WORD("kind", true, renew_words, "订单类型", "renew"),
	{0}};
static const struct rpc_param order_params[] = {ORDER, {0}};
static const struct rpc_param confirm_params[] = {
	ORDER, TEXT("bank_reference", true, 1, BANK_REFERENCE_MAX, "银行流水号", "the bank's own reference"), {0}};

// clang-format off
#define ORDER_IS STR("order") "," STR("kind") "," STR("service_id") "," INT("amount_fen") "," INT("period_months") ","   \
	INT("uses") "," INT("uses_left") "," INT("months") "," STR("state") "," STR("created") "," STR("paid_at") ","    \
	STR("bank_reference")
// clang-format on

static const struct desk_method methods[] = {
	CHANGES("order.create", order_create, order_create_params, OBJECT(ORDER_IS), "下单续费",
		"order the renewal of a service"),
	READS("order.list", order_list, page_params, OBJECT(ROWS("orders", ORDER_IS) "," INT("total")), "我的订单",
	      "my orders"),
	READS("order.show", order_show, order_params, OBJECT(ORDER_IS), "订单", "one order"),
	CHANGES("order.pay", order_pay, order_params,
		OBJECT(ORDER_IS "," STR("reference") ",\"bank\":{\"type\":[\"object\",\"null\"],\"properties\":{" STR(
			"name") "," STR("bank") "," STR("account") "}}"),
		"付款", "bank details and the reference to pay under"),
	CHANGES("order.cancel", order_cancel, order_params, OBJECT(ORDER_IS), "取消订单", "cancel an unpaid order"),
	METHOD("order.confirm", order_confirm, MODE_CHANGE, DESK_OFFICER, false, true, false, confirm_params,
	       OBJECT(ORDER_IS), "确认收款", "the bank's reference has come: the service runs on"),
};

static const struct rpc_message messages[] = {
	{"order_unknown", "没有找到这个订单", "you have no such order"},
	{"order_open", "该服务已有未付款的订单，请先付款或取消", "an order of this service waits for its payment"},
	{"order_unpaid", "订单尚未付款", "the order is not paid yet"},
	{"order_paid", "订单已付款", "the order is paid"},
	{"order_cancelled", "订单已取消", "the order is cancelled"},
	{"order_other_service", "订单属于另一项服务", "the order is for another service"},
	{"order_used", "订单已使用完", "the order has been used up"},
	{"order_months", "延期时长超出订单允许的范围", "the order does not allow so many months"},
	{"order_missing", "请先下单并付款", "a paid order is needed"},
	{"order_unwanted", "本业务不需要订单", "no order is needed for this"},
	{"bank_reference_used", "该银行流水号已用于其他订单", "the bank reference has paid another order"},
};

DESK_PART(api_order, methods, messages);
