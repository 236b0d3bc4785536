/*
 * How an order looks in answers, as JSON Schema, for the api files that give one.
 */
#ifndef HUFU_RA_ORDER_JSON_H
#define HUFU_RA_ORDER_JSON_H

#include "ra/api.h"

#define AMOUNT_MAX INT64_C(100000000000) /* fen */
// clang-format off
#define ORDER_ROW STR("order") "," STR("kind") "," STR("service_id") "," INT("amount_fen") "," INT("period_months") ","   \
	INT("uses") "," INT("months") "," STR("state") "," STR("created") "," STR("paid_at") "," STR("bank_reference") ","   \
	STR("transaction") "," STR("begins") "," STR("ends") "," STR("closed") "," STR("why")
#define INVOICE "\"invoice\":{\"type\":[\"object\",\"null\"],\"properties\":{" STR("title") "," STR("tax_number") ","   \
	INT("amount_fen") "," STR("state") "," STR("asked") "," STR("number") "," STR("issued") "}}"
#define ORDER_IS ORDER_ROW "," INT("uses_left") "," INVOICE
// clang-format on

#endif
