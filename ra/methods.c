/*
 * All nouns of the desk. rpc.discover is made from them. Next: any ra/api_<noun>.c.
 */
#include "ra/api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

/* --- by name --- */

static const struct desk_method **methods_sorted;
static const struct rpc_message **messages_sorted;
static size_t n_methods, n_messages;

/* Both kinds of pointers are to what begins with its name: by that they are sorted and found. */
_Static_assert(offsetof(struct desk_method, rpc.name) == 0 && offsetof(struct rpc_message, rule) == 0,
	       "the name comes first");

static int by_name(const void *a, const void *b)
{
	const char *const *const *x = a, *const *const *y = b;
	return strcmp(**x, **y);
}

static void sort_all(void)
{
	while (desk_method_at(n_methods))
		n_methods++;
	while (desk_message_at(n_messages))
		n_messages++;
	methods_sorted = xcalloc(n_methods, sizeof(void *));
	messages_sorted = xcalloc(n_messages, sizeof(void *));
	for (size_t i = 0; i < n_methods; i++)
		methods_sorted[i] = desk_method_at(i);
	for (size_t i = 0; i < n_messages; i++)
		messages_sorted[i] = desk_message_at(i);
	qsort(methods_sorted, n_methods, sizeof(void *), by_name);
	qsort(messages_sorted, n_messages, sizeof(void *), by_name);
}

static const void *find(const char *name, const void *sorted, size_t n)
{
	const char *const *key = &name;
	const void *const *at = bsearch(&key, sorted, n, sizeof(void *), by_name);
	return at ? *at : NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct desk_method *desk_method_named(const char *name)
{
	pthread_once(&once, sort_all);
	return find(name, methods_sorted, n_methods);
}

const struct rpc_message *desk_message_of(const char *rule)
{
	pthread_once(&once, sort_all);
	return find(rule, messages_sorted, n_messages);
}
