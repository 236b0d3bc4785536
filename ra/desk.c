/*
 * The desk opens what it goes by, in this order: policies and roster, the database, the index of states, its keys, the line to the signer; and
 * makes one table of all methods for JSON-RPC, whose calls take the road of call.c.
 */
#include "ra/desk.h"

#include "ra/account.h"
#include "ra/account_case.h"
#include "ra/call.h"
#include "ra/facts.h"
#include "ra/material.h"
#include "ra/password.h"
#include "ra/root_watch.h"
#include "ra/signer.h"
#include "ra/status.h"
#include "ra/status_index.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/wire.h"

#include <sodium.h>
#include <string.h>

#define SIGNER_TIMEOUT_MS 20000
#define PROVIDER_SECRET_MIN 16
#define PROVIDER_SECRET_MAX 256

static uint64_t roles_of(void *arg, const struct rpc_peer *peer)
{
	const struct desk *d = arg;
	return ra_config_roles(&d->config, peer->uid);
}

/* --- what an error says beside its text --- */

static const struct project *desk_of(struct desk *d, const struct law *law, int64_t account)
{
	const struct project *p = NULL;
	struct fault why = {0};
	struct db *db = NULL;
	enum err e = account != 0 ? store_read(d->store, &db, &why) : OK;
	if (e == OK)
		e = account_desk(db, law->policy, account, &p, &why);
	if (db)
		store_read_end(d->store, db);
	if (e != OK)
		log_fault(LOG_LEVEL_WARNING, "error_data", &why);
	return p;
}

/* The project that is asked about; else the desk of whoever asks. */
static const struct project *project_of(struct desk *d, const struct law *law, const struct rpc_call *call)
{
	const char *name = call ? json_string_value(json_object_get(call->params, "project")) : NULL;
	const struct project *p = name ? policy_project(law->policy, name) : NULL;
	return p ? p : desk_of(d, law, call ? call->account : 0);
}

static json_t *contact_of(const struct project *p)
{
	json_t *o = json_object();
	json_object_set_new(o, "name", json_bilingual(&p->contact_name));
	json_object_set_new(o, "hours", json_bilingual(&p->contact_hours));
	json_object_set_new(o, "address", json_bilingual(&p->contact_address));
	if (p->contact_telephone)
		json_object_set_new(o, "telephone", json_string(p->contact_telephone));
	if (p->contact_emergency)
		json_object_set_new(o, "emergency", json_string(p->contact_emergency));
	return o;
}

static void add_error_data(void *arg, const struct rpc_call *call, const struct fault *f, json_t *data)
{
	struct desk *d = arg;
	(void)f;
	struct law *law = laws_take(d->laws);
	const struct project *p = project_of(d, law, call);
	if (p)
		json_object_set_new(data, "contact", contact_of(p));
	law_put(d->laws, law);
}

/* --- calls --- */

void desk_handle(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct desk *d = arg;
	jsonrpc_handle(&d->rpc, peer, request, reply);
}

bool desk_take(void *arg, const struct rpc_peer *peer, struct rpc_ticket *t, struct slice request, struct buf *reply)
{
	struct desk *d = arg;
	return jsonrpc_take(&d->rpc, peer, request, t, reply);
}

bool desk_at_once(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	return status_quick(arg, peer, request, reply);
}

/* --- opening and closing --- */

static void make_methods(struct desk *d)
{
	size_t n_methods = 0, n_messages = 0;
	while (desk_method_at(n_methods))
		n_methods++;
	while (desk_message_at(n_messages))
		n_messages++;
	d->methods = xcalloc(n_methods, sizeof(*d->methods));
	d->messages = xcalloc(n_messages, sizeof(*d->messages));
	for (size_t i = 0; i < n_methods; i++) {
		d->methods[i] = desk_method_at(i)->rpc;
		d->methods[i].fn = call_dispatch;
		if (d->methods[i].roles & DESK_PORTAL)
			d->methods[i].implied = call_portal_params;
	}
	for (size_t i = 0; i < n_messages; i++)
		d->messages[i] = *desk_message_at(i);
	d->rpc = (struct jsonrpc_config){
		.title = "hufu-ra",
		.version = HUFU_VERSION,
		.methods = d->methods,
		.n_methods = n_methods,
		.messages = d->messages,
		.n_messages = n_messages,
		.role_words = desk_role_words,
		.roles = roles_of,
		.session = call_session,
		.session_done = call_session_done,
		.error_data = add_error_data,
		.arg = d,
	};
}

static void derive(const struct desk *d, const char *context, uint8_t ret[32])
{
	crypto_generichash(ret, 32, (const uint8_t *)context, strlen(context), d->key.secret.p, 64);
}

static enum err load_key(struct desk *d, struct fault *f)
{
	TRY(person_key_load(d->config.ra_key, NULL, &d->key, f));
	if (strcmp(d->key.name, d->config.ra_name) != 0)
		return fault_raise(f, ERR_CONFIG, "ra_name", "ra_key",
				   "%s: the key is of \"%s\", wanted ra_name \"%s\"", d->config.ra_key, d->key.name,
				   ESC(d->config.ra_name, strlen(d->config.ra_name)));
	derive(d, "hufu-desk call digest", d->call_key);
	derive(d, "hufu-desk code hash", d->code_key);
	derive(d, "hufu-desk seal", d->seal_key);
	struct law *law = laws_take(d->laws);
	const struct member *m = roster_by_name(&law->roster, d->key.name);
	if (!m || m->role != ROLE_RA || memcmp(m->key, d->key.public_key, 32) != 0)
		log_event(LOG_LEVEL_WARNING, "ra_not_in_roster",
			  "name=%s text=\"the roster has no RA of this name with this key: the signer will refuse\"",
			  d->key.name);
	law_put(d->laws, law);
	return OK;
}

static enum err load_log_key(struct desk *d, struct fault *f)
{
	_cleanup_buf_ struct buf vkey = {0};
	TRY(file_read(d->config.log_key, 1024, &vkey, f));
	enum err e = log_key_parse(buf_slice(&vkey), &d->log_key, f);
	if (e != OK)
		fault_prefix(f, "%s", d->config.log_key);
	return e;
}

static enum err load_provider(struct desk *d, struct fault *f)
{
	const char *path = d->config.provider_secret;
	if (!d->config.has_provider)
		return OK;
	TRY(secret_read_file(path, PROVIDER_SECRET_MAX, &d->provider_secret, f));
	if (d->provider_secret.n >= PROVIDER_SECRET_MIN)
		return OK;
	return fault_raise(f, ERR_CONFIG, "provider_secret", "provider.secret",
			   "%s: found %zu bytes, wanted at least %d", path, d->provider_secret.n, PROVIDER_SECRET_MIN);
}

static enum err open_parts(struct desk *d, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(d->config.state, "desk.db");
	TRY(dir_make(d->config.state, 0700, f));
	d->materials = path_join(d->config.state, "materials");
	d->spool = path_join(d->config.state, "spool");
	TRY(dir_make(d->materials, 0700, f));
	TRY(dir_make(d->spool, 0700, f));
	TRY(laws_open(d->config.policies, d->config.roster, d->config.calendar, &d->laws, f));
	TRY(store_open(path, &d->store, f));
	store_when_over(d->store, call_over, d);
	TRY(material_open(d, f));
	TRY(store_cert_prints_complete(d->store, f));
	TRY(status_index_open(d->store, &d->status, f));
	TRY(root_watch_open(&d->config, d->store, d->status, &d->root, f));
	TRY(load_key(d, f));
	TRY(account_cases_adopt(d, f));
	TRY(load_log_key(d, f));
	TRY(load_provider(d, f));
	TRY(facts_record_now(d, "start", f));
	if (d->config.token_key)
		TRY(puk_key_load(d->config.token_key, &d->token_key, f));
	TRY(password_guard_open(d->config.login.initial_password, &d->passwords, f));
	TRY(signer_view_open(d->store, &d->view, f));
	return rpc_client_open(d->config.signer_socket, SIGNER_TIMEOUT_MS, WIRE_MAX_MESSAGE, &d->signer, f);
}

json_t *desk_openrpc(void)
{
	struct desk d = {0};
	make_methods(&d);
	json_t *o = jsonrpc_openrpc(&d.rpc);
	free(d.methods);
	free(d.messages);
	return o;
}

enum err desk_open(struct ra_config *config, struct desk **ret, struct fault *f)
{
	_cleanup_(desk_closep) struct desk *d = xcalloc(1, sizeof(*d));
	d->config = *config;
	*config = (struct ra_config){0};
	d->finished = bell_new(DESK_WAITERS - DESK_NOTIFIERS - DESK_GATES);
	d->followed = bell_new(DESK_GATES);
	d->posted = bell_new(1 + DESK_NOTIFIERS);
	make_methods(d);
	TRY(open_parts(d, f));
	*ret = TAKE(d);
	return OK;
}

void desk_close(struct desk *d)
{
	if (d->signer)
		rpc_client_close(d->signer);
	if (d->view)
		signer_view_close(d->view);
	if (d->passwords)
		password_guard_close(d->passwords);
	if (d->root)
		root_watch_close(d->root);
	if (d->status)
		status_index_close(d->status);
	if (d->vault)
		vault_close(d->vault);
	if (d->store)
		store_close(d->store);
	if (d->laws)
		laws_close(d->laws);
	if (d->finished)
		bell_free(d->finished);
	if (d->followed)
		bell_free(d->followed);
	person_key_done(&d->key);
	secret_done(&d->provider_secret);
	if (d->posted)
		bell_free(d->posted);
	sodium_memzero(d->call_key, sizeof(d->call_key));
	sodium_memzero(d->code_key, sizeof(d->code_key));
	sodium_memzero(d->seal_key, sizeof(d->seal_key));
	ra_config_done(&d->config);
	free(d->materials);
	free(d->spool);
	free(d->methods);
	free(d->messages);
	free(d);
}
