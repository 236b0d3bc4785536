/*
 * `hufu roster show|sign|submit`: who may sign what, changed only by the officers' quorum.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/transcript.h"
#include "tools/hufu/note_files.h"

#include <string.h>

static void put_kinds(const struct member *m, struct buf *b)
{
	if (m->all_kinds)
		buf_char(b, '*');
	for (int k = 0; !m->all_kinds && k < TALLY_KIND_N; k++)
		if (m->kinds & (1u << k))
			buf_fmt(b, "%s%s", b->len ? "," : "", tally_kind_word((enum tally_kind)k));
}

static json_t *member_rows(const struct roster *r)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < r->n_members; i++) {
		const struct member *m = &r->members[i];
		_cleanup_buf_ struct buf kinds = {0}, key = {0};
		put_kinds(m, &kinds);
		buf_base64(&key, m->key, sizeof m->key);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", m->name, "role",
						      role_word(m->role), "projects", m->projects, "kinds",
						      buf_text(&kinds), "key", buf_text(&key)));
	}
	return rows;
}

int run_roster_show(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_note, run_roster_show), rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	_cleanup_(roster_done) struct roster r = {0};
	if (argc < 2 && cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (roster_load(argc > 1 ? argv[1] : c->roster, &r, &f) != OK)
		return cli_fail(c, &f);
	_cleanup_buf_ struct buf hash = {0};
	hash_aloud(r.sha256, "        ", &hash);
	if (!c->json)
		printf("roster version %llu, quorum %llu, made %s\nSHA-256 %s\n", (unsigned long long)r.version,
		       (unsigned long long)r.quorum, UTC(r.made), buf_text(&hash));
	static const struct column columns[] = {
		{"name", "NAME"}, {"role", "ROLE"}, {"projects", "PROJECTS"}, {"kinds", "KINDS"}, {"key", "KEY"}};
	json_t *rows = member_rows(&r);
	cli_table(c, columns, 5, rows);
	json_decref(rows);
	return EXIT_DONE;
}

static int sign_command(struct cli *c, int (*self)(struct cli *, int, char **), int argc, char **argv)
{
	const char *key = NULL;
	bool yes = false;
	const struct option_rule rules[] = {{.name = "--key", .value = &key}, {.name = "--yes", .flag = &yes}, {0}};
	const struct command *cmd = cli_command(commands_note, self);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!key)
		return cli_usage(cmd, "--key FILE is missing: the officer's own key");
	return note_sign_file(c, argv[1], key, yes);
}

int run_roster_sign(struct cli *c, int argc, char **argv)
{
	return sign_command(c, run_roster_sign, argc, argv);
}

int run_policy_sign(struct cli *c, int argc, char **argv)
{
	return sign_command(c, run_policy_sign, argc, argv);
}

int run_roster_submit(struct cli *c, int argc, char **argv)
{
	bool yes = false;
	const struct option_rule rules[] = {{.name = "--yes", .flag = &yes}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_note, run_roster_submit), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	_cleanup_buf_ struct buf bytes = {0}, request = {0}, reply = {0};
	_cleanup_(freep) char *changes = NULL;
	struct wire_ok ok = {0};
	if (cli_load(c, &f) != OK || file_read(argv[1], NOTE_MAX_BYTES, &bytes, &f) != OK ||
	    change_confirm(c, buf_slice(&bytes), yes, &changes, &f) != OK)
		return cli_fail(c, &f);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&bytes)}, &request);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:s,s:b}", "file", argv[1], "changes", changes, "dry_run", 1),
				"would submit %s to the signer (dry run)\n", argv[1]);
	if (cli_operator(c, buf_slice(&request), WIRE_TYPE_OK, &reply, &f) != OK ||
	    wire_ok_get(buf_slice(&reply), &ok, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:I,s:s}", "entry", (json_int_t)ok.index, "changes", changes),
			"roster taken: ledger entry %llu\n", (unsigned long long)ok.index);
}
