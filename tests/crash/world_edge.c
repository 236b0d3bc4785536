/*
 * The programs at the edge of a world: a gate whose responder the officers' roster lists, which listens on Unix sockets so that worlds side by side do not
 * meet, and a notifier that hands messages over as files.
 */
#include "tests/crash/world.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "ra/outbox.h"
#include "tests/crash/gate_view.h"
#include "tools/hufu/setup.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PAUSE_MS 50
#define READY_MS 60000
#define LETTERS_MS 150000 /* a lease of two minutes runs out */
#define LETTER_MAX 65536u

static char *in_tree(const struct world *x, const char *path)
{
	return path_join(x->tree.dir, path);
}

char *world_gate_socket(const struct world *x)
{
	return in_tree(x, "run/hufu/gate.sock");
}

/* --- laying out --- */

static enum err append(const struct world *x, const char *name, const char *line, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *path = in_tree(x, name);
	TRY(file_read(path, 65536, &text, f));
	buf_str(&text, line);
	return file_write(path, buf_slice(&text), 0644, f);
}

static enum err write_gate(const struct world *x, struct fault *f)
{
	_cleanup_(freep) char *path = in_tree(x, "etc/hufu/soak-gate.yaml");
	return file_write(path,
			  slice_str("role: status\ndesk_socket: run/hufu/ra/desk.sock\nstate: var/lib/hufu-gate\n"
				    "log_key: etc/hufu/log.vkey\nissuer: etc/hufu/issuing.crt\n"
				    "root_certificate: etc/hufu/root.crt\nlisten: run/hufu/gate.sock\n"
				    "metrics: run/hufu/gate-metrics.sock\ncrl_minutes: 1\n"
				    "responder: {keys: [etc/hufu/ocsp.key]}\n"),
			  0644, f);
}

static enum err make_responder_key(const struct world *x, const char *public_path, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf secret = {0}, open = {0};
	_cleanup_(freep) char *path = in_tree(x, "etc/hufu/ocsp.key");
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(privkey_to_pem(key, &secret, f));
	TRY(file_write_new(path, buf_slice(&secret), 0600, f));
	TRY(privkey_public(key, &public, f));
	pem_put(&open, "PUBLIC KEY", slice_of(public.spki, public.spki_len));
	return file_write_new(public_path, buf_slice(&open), 0644, f);
}

static enum err hufu(const struct world *x, const char *const *arguments, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(x->tree.build, "tools/hufu"),
			      *log = xasprintf("%s.log", x->tree.dir);
	const char *argv[12] = {program};
	for (size_t i = 0; i < 10 && arguments[i]; i++)
		argv[i + 1] = arguments[i];
	enum err e = process_run(&(struct process_spec){.argv = argv, .stdout_path = log, .stderr_path = log}, f);
	if (e != OK)
		fault_prefix(f, "%s %s, see %s", arguments[0], arguments[1], log);
	return e;
}

/* The roster's next version, by two officers; desk and receipts read it where it always lies. */
static enum err list_responder(const struct world *x, const char *public_path, struct fault *f)
{
	_cleanup_(freep) char *note = in_tree(x, "etc/hufu/roster-2.note"),
			      *in_force = in_tree(x, "etc/hufu/roster.note"),
			      *config = in_tree(x, "etc/hufu/hufu.yaml"),
			      *responder = xasprintf("responder:ocsp-1=%s", public_path);
	_cleanup_buf_ struct buf text = {0};
	setenv("HUFU_CONFIG", config, 1);
	TRY(hufu(x, (const char *const[]){"roster", "note", "--add", responder, note, NULL}, f));
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *key = setup_person_path(x->tree.dir, setup_officers[i]);
		TRY(hufu(x, (const char *const[]){"roster", "sign", "--yes", "--key", key, note, NULL}, f));
	}
	TRY(hufu(x, (const char *const[]){"roster", "submit", note, NULL}, f));
	TRY(file_read(note, 1u << 20, &text, f));
	return file_write(in_force, buf_slice(&text), 0644, f);
}

/* --- starting --- */

static enum err start_notifier(struct world *x, const char *logs, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(x->tree.build, "ra/notify/hufu-notifier"),
			      *config = in_tree(x, "etc/hufu/notifier.yaml"),
			      *log = path_join(logs, "hufu-notifier.log");
	const char *argv[] = {program, "--config", config, NULL};
	TRY(process_start(
		&(struct process_spec){.argv = argv, .stderr_path = log, .notify_socket = x->daemons.notify.name},
		&x->notifier, f));
	return notify_wait(&x->daemons.notify, x->notifier, "hufu-notifier", READY_MS, f);
}

enum err world_edge_again(struct world *x, enum victim who, struct fault *f)
{
	_cleanup_(freep) char *logs = in_tree(x, "var/log");
	if (who == GATE)
		return daemons_start_gate(&x->daemons, x->tree.dir, "etc/hufu/soak-gate.yaml", logs, f);
	return start_notifier(x, logs, f);
}

/* It asks the desk for its responder's certificate; then it knows that nobody has that one. */
static enum err wait_for_ocsp(const struct world *x, struct fault *f)
{
	_cleanup_(gate_view_done) struct gate_view v = {0};
	_cleanup_(freep) char *socket = world_gate_socket(x);
	const struct serial none = {.b = {0x47, 0x11}, .n = 2};
	int64_t until = clock_mono_us() + READY_MS * INT64_C(1000);
	enum ocsp_said said = SAID_LATER;
	TRY(gate_view_open(x->tree.dir, socket, &v, f));
	while (said != SAID_UNKNOWN && clock_mono_us() < until) {
		TRY(gate_view_ocsp(&v, &none, &said, f));
		world_pause_ms(PAUSE_MS);
	}
	return said == SAID_UNKNOWN ? OK : fault_raise(f, ERR_NET, "crash_gate", "gate", "it never answers by OCSP");
}

enum err world_edge_start(struct world *x, struct fault *f)
{
	_cleanup_(freep) char *public = in_tree(x, "etc/hufu/ocsp.pub");
	TRY(make_responder_key(x, public, f));
	TRY(list_responder(x, public, f));
	TRY(write_gate(x, f));
	TRY(append(x, "etc/hufu/ra.yaml", "notices: {by: notifier}\n", f));
	TRY(world_kill(x, DESK, f));
	TRY(world_edge_again(x, GATE, f));
	TRY(world_edge_again(x, NOTIFIER, f));
	return wait_for_ocsp(x, f);
}

/* --- messages --- */

static enum err count_letter(const char *path, uint64_t n[CLIENTS], struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(json_freep) json_t *o = NULL;
	unsigned client;
	TRY(file_read(path, LETTER_MAX, &text, f));
	o = json_loadb((const char *)text.data, text.len, 0, NULL);
	/* In both languages. */
	if (strstr(world_text(o, "subject"), outbox_subject("mail", "zh")) &&
	    sscanf(world_text(o, "to"), "agent-%1u-", &client) == 1 && client < CLIENTS)
		n[client]++;
	return OK;
}

/* A killed notifier leaves the beginning of a letter under another name. */
static bool is_letter(const char *name)
{
	size_t n = strlen(name);
	return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static enum err count_letters(const struct world *x, uint64_t n[CLIENTS], struct fault *f)
{
	_cleanup_(freep) char *spool = in_tree(x, "var/lib/hufu-notify/spool");
	DIR *d = opendir(spool);
	enum err e = d ? OK : fault_raise(f, ERR_IO, "opendir", spool, "there is no spool");
	for (struct dirent *at; e == OK && (at = readdir(d));) {
		_cleanup_(freep) char *path = path_join(spool, at->d_name);
		if (is_letter(at->d_name))
			e = count_letter(path, n, f);
	}
	if (d)
		closedir(d);
	return e;
}

static enum err wait_for_letters(struct client *watcher, struct fault *f)
{
	int64_t until = clock_mono_us() + LETTERS_MS * INT64_C(1000);
	while (clock_mono_us() < until) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(world_ask(watcher, "desk.health", json_object(), false, false, &r, f));
		if (json_integer_value(json_object_get(r, "messages_failed")) != 0)
			return fault_raise(f, ERR_INTERNAL, "crash_letters", "desk", "a message has failed");
		if (json_integer_value(json_object_get(r, "messages_waiting")) == 0)
			return OK;
		world_pause_ms(PAUSE_MS);
	}
	return fault_raise(f, ERR_INTERNAL, "crash_letters", "desk", "messages wait for ever");
}

enum err world_check_letters(struct world *x, struct client *watcher, struct fault *f)
{
	uint64_t n[CLIENTS] = {0}, all = 0;
	TRY(wait_for_letters(watcher, f));
	TRY(count_letters(x, n, f));
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (n[i] != x->clients[i].letters)
			return fault_raise(f, ERR_INTERNAL, "crash_letters", "notifier",
					   "found %" PRIu64 " mails to person %u, wanted %" PRIu64, n[i], i,
					   x->clients[i].letters);
		all += n[i];
	}
	printf("%" PRIu64 " mails, each handed over\n", all);
	return OK;
}
