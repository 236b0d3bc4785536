/*
 * `hufu policy check|explain|note|sign|submit|schema`: policies are reviewed like code, signed by the officers' quorum,
 * and taken by the signer in sequence.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/note_files.h"

#include <assert.h>
#include <string.h>

struct bundle {
	struct policy_source *files;
	size_t n;
	struct buf note;
	struct policy *policy;
};
static void bundle_done(struct bundle *b)
{
	policy_freep(&b->policy);
	policy_sources_done(b->files, b->n);
	buf_done(&b->note);
}

/* with_note: the bundle must match its policy.note. */
static enum err bundle_load(const char *dir, bool with_note, struct bundle *b, struct fault *f)
{
	if (!b->files)
		TRY(policy_read_dir(dir, &b->files, &b->n, f));
	if (with_note) {
		_cleanup_(freep) char *path = path_join(dir, "policy.note");
		TRY(note_load(path, &b->note, f));
	}
	return policy_load(buf_slice(&b->note), b->files, b->n, &b->policy, f);
}

static enum err dir_of(struct cli *c, int argc, char **argv, int at, const char **ret, struct fault *f)
{
	if (argc > at) {
		*ret = argv[at];
		return OK;
	}
	TRY(cli_load(c, f));
	*ret = c->policies;
	return OK;
}

/* A tally of this policy lives on; one of the policy before, when it dies before that one stops to count. */
static bool outlives(const struct policy_note *n, const char *policy, const char *dies)
{
	char now[65], before[65];
	int64_t t = 0;
	hex_lower(n->sha256, 32, now);
	hex_lower(n->previous, 32, before);
	if (strcmp(policy, now) == 0)
		return true;
	return n->has_previous && strcmp(policy, before) == 0 && dies && time_parse_utc(dies, strlen(dies), &t) &&
	       t <= n->until;
}

/* Goes through all pages. */
static enum err find_killed(struct cli *c, const struct bundle *b, json_t *rows, struct fault *f)
{
	_cleanup_(freep) char *next = NULL;
	do {
		_cleanup_(json_freep) json_t *r = NULL;
		json_t *row;
		size_t i;
		TRY(cli_desk(c, "policy.pending", json_pack("{s:i,s:s*}", "per_page", 500, "after", next), false, false,
			     &r, f));
		json_array_foreach(json_object_get(r, "requests"), i, row)
		{
			const char *policy = json_string_value(json_object_get(row, "policy")),
				   *dies = json_string_value(json_object_get(row, "dies"));
			if (policy && !outlives(&b->policy->note, policy, dies))
				json_array_append(rows, row);
		}
		freep(&next);
		if (json_object_get(r, "next"))
			next = xstrdup(json_string_value(json_object_get(r, "next")));
	} while (next);
	return OK;
}

/* Requests of the desk that the bundle in `dir` would kill: those that live longer than tallies of the policy before
 * count. They are added to *said as well. */
static int check_against_desk(struct cli *c, const struct bundle *b, json_t *said)
{
	struct fault f = {0};
	json_t *rows = json_array();
	if (find_killed(c, b, rows, &f) != OK) {
		json_decref(rows);
		return cli_fail(c, &f);
	}
	static const struct column columns[] = {{"request", "REQUEST"},
						{"kind", "KIND"},
						{"state", "STATE"},
						{"dies", "DIES"},
						{"policy", "MADE UNDER"}};
	int rc = json_array_size(rows) ? EXIT_REFUSED : EXIT_DONE;
	json_object_set_new(said, "killed", rows);
	if (!c->json) {
		printf("%zu pending requests would be killed%s%s\n", json_array_size(rows),
		       b->policy->note.until ? " after " : " at once",
		       b->policy->note.until ? UTC(b->policy->note.until) : "");
		cli_table(c, columns, 5, rows);
	}
	return rc;
}

static json_t *lines_of(const char *text)
{
	json_t *a = json_array();
	for (size_t n = strcspn(text, "\n"); *text; text += n + (text[n] == '\n'), n = strcspn(text, "\n"))
		json_array_append_new(a, json_stringn(text, n));
	return a;
}

/* What policy_check() found, in words or as an object; the requests that would be killed come behind it. */
static int tell_findings(struct cli *c, const struct bundle *b, const char *findings, size_t errors, bool against)
{
	static const struct policy none;
	const struct policy *p = b->policy ? b->policy : &none; /* NULL: a file of it did not load */
	_cleanup_(json_freep) json_t *said =
		json_pack("{s:o,s:I,s:I,s:I,s:I,s:I}", "findings", lines_of(findings), "profiles",
			  (json_int_t)p->n_profiles, "projects", (json_int_t)p->n_projects, "issuers",
			  (json_int_t)p->n_issuers, "notices", (json_int_t)p->n_notices, "errors", (json_int_t)errors);
	int rc = errors ? EXIT_REFUSED : EXIT_DONE;
	if (!c->json)
		fputs(findings, stdout);
	if (!c->json && b->policy)
		printf("%zu profiles, %zu projects, %zu pinned issuers, %zu notices: ", p->n_profiles, p->n_projects,
		       p->n_issuers, p->n_notices);
	if (!c->json)
		printf("%zu errors\n", errors);
	if (!errors && against) {
		assert(b->policy);
		rc = check_against_desk(c, b, said);
	}
	if (c->json && (errors || !against || json_object_get(said, "killed")))
		cli_print_json(said);
	return rc;
}

int run_policy_check(struct cli *c, int argc, char **argv)
{
	bool against = false;
	const struct option_rule rules[] = {{.name = "--against", .flag = &against}, {0}};
	struct fault f = {0};
	const char *dir = NULL;
	if (!cli_options(cli_command(commands_note, run_policy_check), rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	_cleanup_(bundle_done) struct bundle b = {0};
	if (dir_of(c, argc, argv, 1, &dir, &f) != OK)
		return cli_fail(c, &f);
	_cleanup_(freep) char *note = path_join(dir, "policy.note");
	_cleanup_buf_ struct buf findings = {0};
	if (policy_read_dir(dir, &b.files, &b.n, &f) != OK)
		return cli_fail(c, &f);
	size_t errors = policy_check(b.files, b.n, &findings);
	if (errors == 0 && bundle_load(dir, against || file_exists(note), &b, &f) != OK)
		return cli_fail(c, &f);
	return tell_findings(c, &b, buf_text(&findings), errors, against);
}

int run_policy_explain(struct cli *c, int argc, char **argv)
{
	const char *lang = "en", *dir = NULL;
	const struct option_rule rules[] = {{.name = "--lang", .value = &lang}, {0}};
	const struct command *cmd = cli_command(commands_note, run_policy_explain);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 2))
		return EXIT_CONFIG;
	if (strcmp(lang, "en") != 0 && strcmp(lang, "zh") != 0)
		return cli_usage(cmd, "--lang is \"%s\"; wanted en or zh", lang);
	_cleanup_(bundle_done) struct bundle b = {0};
	if (dir_of(c, argc, argv, 2, &dir, &f) != OK || bundle_load(dir, false, &b, &f) != OK)
		return cli_fail(c, &f);
	if (!policy_profile(b.policy, argv[1])) {
		fault_raise(&f, ERR_NOT_FOUND, "profile_unknown", "profile", "no profile \"%s\" in %s",
			    ESC(argv[1], strlen(argv[1])), dir);
		return cli_fail(c, &f);
	}
	_cleanup_buf_ struct buf words = {0};
	policy_explain(b.policy, argv[1], lang, &words);
	return cli_said(c, json_pack("{s:s,s:s,s:s}", "profile", argv[1], "lang", lang, "text", buf_text(&words)), "%s",
			buf_text(&words));
}

/* Head of the new note: the version after the policy.note that is there, or the first. */
static enum err next_head(struct cli *c, const char *dir, const char *until, struct policy_note *head, struct fault *f)
{
	_cleanup_buf_ struct buf old = {0}, crt = {0};
	_cleanup_(note_done) struct note n = {0};
	_cleanup_(policy_note_done) struct policy_note p = {0};
	_cleanup_(cert_done) struct cert issuing = {0};
	_cleanup_(freep) char *path = path_join(dir, "policy.note");
	TRY(der_load(c->issuing_crt, "CERTIFICATE", &crt, f));
	TRY(cert_parse(buf_slice(&crt), &issuing, f));
	memcpy(head->ca, issuing.key.key_id, sizeof head->ca);
	head->version = 1;
	head->made = clock_now();
	if (file_exists(path)) {
		TRY(note_load(path, &old, f));
		TRY(note_parse(buf_slice(&old), 0, &n, f));
		TRY(policy_note_parse(n.text, &p, f));
		head->version = p.version + 1;
		memcpy(head->ca, p.ca, sizeof head->ca); /* its name stays when its key is rolled */
		head->has_previous = true;
		memcpy(head->previous, p.sha256, sizeof head->previous);
	}
	if (until && !time_parse_utc(until, strlen(until), &head->until))
		return fault_raise(f, ERR_CONFIG, "until", "policy.until",
				   "--until \"%s\": wanted YYYY-MM-DDTHH:MM:SSZ", ESC(until, strlen(until)));
	return OK;
}

int run_policy_note(struct cli *c, int argc, char **argv)
{
	const char *until = NULL, *dir = NULL;
	const struct option_rule rules[] = {{.name = "--until", .value = &until}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_note, run_policy_note), rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	_cleanup_(bundle_done) struct bundle b = {0};
	_cleanup_buf_ struct buf text = {0};
	struct policy_note head = {0};
	if (cli_load(c, &f) != OK || dir_of(c, argc, argv, 1, &dir, &f) != OK ||
	    bundle_load(dir, false, &b, &f) != OK || next_head(c, dir, until, &head, &f) != OK)
		return cli_fail(c, &f);
	policy_note_make(b.files, b.n, &head, &text);
	_cleanup_(freep) char *path = path_join(dir, "policy.note");
	json_t *o =
		json_pack("{s:s,s:I,s:s}", "file", path, "version", (json_int_t)head.version, "text", buf_text(&text));
	if (c->dry_run)
		return cli_said(c, o, "%s", buf_text(&text));
	if (file_write(path, buf_slice(&text), 0644, &f) != OK) {
		json_decref(o);
		return cli_fail(c, &f);
	}
	return cli_said(c, o, "%s: version %llu written; sign it with: hufu policy sign --key KEY %s\n", path,
			(unsigned long long)head.version, path);
}

int run_policy_submit(struct cli *c, int argc, char **argv)
{
	bool yes = false;
	const struct option_rule rules[] = {{.name = "--yes", .flag = &yes}, {0}};
	const char *dir = NULL;
	struct fault f = {0};
	if (!cli_options(cli_command(commands_note, run_policy_submit), rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	_cleanup_(bundle_done) struct bundle b = {0};
	_cleanup_(freep) char *changes = NULL;
	if (dir_of(c, argc, argv, 1, &dir, &f) != OK || bundle_load(dir, true, &b, &f) != OK || cli_load(c, &f) != OK ||
	    change_confirm(c, buf_slice(&b.note), yes, &changes, &f) != OK)
		return cli_fail(c, &f);
	struct wire_policy m = {.note = buf_slice(&b.note)};
	for (size_t i = 0; i < b.n; i++) {
		wire_list_add(&m.files, slice_str(b.files[i].path));
		wire_list_add(&m.files, buf_slice(&b.files[i].bytes));
	}
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	wire_policy_put(&m, &request);
	wire_policy_done(&m);
	struct wire_ok ok = {0};
	if (c->dry_run)
		return cli_said(c,
				json_pack("{s:I,s:s,s:b}", "files", (json_int_t)b.n, "changes", changes, "dry_run", 1),
				"would submit %zu files of %s to the signer (dry run)\n", b.n, dir);
	if (cli_operator(c, buf_slice(&request), WIRE_TYPE_OK, &reply, &f) != OK ||
	    wire_ok_get(buf_slice(&reply), &ok, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:I,s:s}", "entry", (json_int_t)ok.index, "changes", changes),
			"policy taken: ledger entry %llu\n", (unsigned long long)ok.index);
}

int run_policy_schema(struct cli *c, int argc, char **argv)
{
	(void)c;
	const struct option_rule rules[] = {{0}};
	const struct command *cmd = cli_command(commands_note, run_policy_schema);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (strcmp(argv[1], "profile") != 0 && strcmp(argv[1], "project") != 0)
		return cli_usage(cmd, "\"%s\": wanted profile or project", ESC(argv[1], strlen(argv[1])));
	_cleanup_buf_ struct buf b = {0};
	policy_schema(argv[1], &b);
	fputs(buf_text(&b), stdout);
	return EXIT_DONE;
}
