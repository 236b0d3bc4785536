/*
 * All nouns of the desk. rpc.discover is made from them. Next: any ra/api_<noun>.c.
 */
#include "ra/api.h"

const struct rpc_param no_params[] = {{0}};

static const struct desk_part *const parts[] = {
	// clang-format off
	&api_account,
	&api_admin,
	&api_audit,
	&api_edge,
	&api_material,
	&api_notice,
	&api_order,
	&api_parcel,
	&api_payment,
	&api_receipt,
	&api_request,
	&api_review, &api_case,
	&api_service,
	&api_status,
	&api_token,
	&api_unlock,
	&desk_messages,
	// clang-format on
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

const struct desk_method *desk_method_at(size_t i)
{
	for (size_t k = 0; k < N_PARTS; k++) {
		if (i < parts[k]->n_methods)
			return &parts[k]->methods[i];
		i -= parts[k]->n_methods;
	}
	return NULL;
}

const struct rpc_message *desk_message_at(size_t i)
{
	for (size_t k = 0; k < N_PARTS; k++) {
		if (i < parts[k]->n_messages)
			return &parts[k]->messages[i];
		i -= parts[k]->n_messages;
	}
	return NULL;
}
