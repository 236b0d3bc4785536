/*
 * Configuration files: each text is read as every daemon's, and as the command's own. What is taken is within the bounds that its header names.
 */
#include "tests/fuzz/as_file.h"
#include "tests/fuzz/mutate.h"

#include "ca/config.h"
#include "common/base/cleanup.h"
#include "ra/config.h"
#include "ra/gate/config.h"
#include "ra/notify/config.h"
#include "tools/hufu/cli.h"

/* Some name a file that is read as well: here there is none. */
static void must_say(enum err e, const struct fault *f)
{
	if (e == ERR_NOT_FOUND)
		must(f->kind == e && f->rule[0] && f->text[0]);
	else
		must_refuse(e, f);
}

static void as_signer(const char *path)
{
	_cleanup_(ca_config_done) struct ca_config c = {0};
	struct fault f = {0};
	enum err e = ca_config_load(path, &c, &f);
	if (e != OK) {
		must_say(e, &f);
		return;
	}
	must(c.state[0] == '/' && c.ra_socket[0] == '/' && c.operator_socket[0] == '/' && c.issuer[0] == '/');
	must(c.key && c.n_ra_uids > 0 && c.n_operator_uids > 0 && c.n_retired <= CA_MAX_RETIRED && c.workers > 0);
	must(c.crl_next_update_hours > 0 && c.beat_seconds > 0 && !!c.log_key == !!c.log_key_pin);
}

static void as_desk(const char *path)
{
	_cleanup_(ra_config_done) struct ra_config c = {0};
	struct fault f = {0};
	enum err e = ra_config_load(path, &c, &f);
	if (e != OK) {
		must_say(e, &f);
		return;
	}
	for (size_t i = 0; i < c.n_callers; i++)
		must(c.callers[i].uid >= 0 && c.callers[i].roles != 0 && c.callers[i].roles < 2 * DESK_GATE);
	(void)ra_config_roles(&c, 0);
}

static void as_gate(const char *path)
{
	_cleanup_(gate_config_done) struct gate_config c = {0};
	struct fault f = {0};
	enum err e = gate_config_load(path, &c, &f);
	if (e != OK) {
		must_say(e, &f);
		return;
	}
	must(c.desk_socket[0] == '/' && !c.listen.path == !!c.listen.address && !c.metrics.path == !!c.metrics.address);
	must(c.n_keys <= RESPONDER_KEYS_MAX && c.n_retired < GATE_ISSUERS_MAX && c.threads > 0 && c.connections > 0);
	must(c.role == GATE_PORTAL || (c.state && c.log_key && c.issuer));
	must(c.listen.path || (c.listen.port > 0 && c.listen.port < 65536));
}

static void as_notifier(const char *path)
{
	_cleanup_(notifier_config_done) struct notifier_config c = {0};
	struct fault f = {0};
	enum err e = notifier_config_load(path, &c, &f);
	if (e != OK)
		must_say(e, &f);
}

static void as_command(const char *path)
{
	struct cli c = {.config_path = xstrdup(path)};
	struct fault f = {0};
	enum err e = cli_load(&c, &f);
	if (e != OK)
		must_say(e, &f);
	else
		must(c.root[0] == '/' && c.desk_socket[0] == '/' && c.operator_socket[0] == '/' &&
		     c.policies[0] == '/' && c.roster[0] == '/' && c.log_key[0] == '/' && c.token_key[0] == '/');
	cli_done(&c);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = as_file(data, size);
	as_signer(path);
	as_desk(path);
	as_gate(path);
	as_notifier(path);
	as_command(path);
	return 0;
}
