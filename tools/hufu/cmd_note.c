/*
 * `hufu note sign|verify` for notes of every kind, and `hufu roster note`, which writes the roster that may follow the
 * one in force. Nothing here is believed by the signer: it judges the notes again.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/note_files.h"

#include <assert.h>
#include <string.h>

int run_note_sign(struct cli *c, int argc, char **argv)
{
	const char *key = NULL;
	bool yes = false;
	const struct option_rule rules[] = {{.name = "--key", .value = &key}, {.name = "--yes", .flag = &yes}, {0}};
	const struct command *cmd = cli_command(commands_operator, run_note_sign);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!key)
		return cli_usage(cmd, "--key FILE is missing: the key of the person who signs");
	return note_sign_file(c, argv[1], key, yes);
}

/* --- verify --- */

struct known {
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];
};
struct judge {
	const struct roster *roster; /* NULL: none given */
	struct known *keys;	     /* owned */
	size_t n_keys;
	size_t officers; /* different ones whose line holds */
};

static enum err read_keys(const struct option_list *l, struct judge *j, struct fault *f)
{
	j->keys = xcalloc(l->n + 1, sizeof *j->keys);
	for (size_t i = 0; i < l->n; i++) {
		TRY(note_vkey_parse(slice_str(l->v[i]), j->keys[i].name, j->keys[i].key, f));
		j->n_keys++;
	}
	return OK;
}

static const char *judge_line(struct judge *j, const struct note *n, const struct note_sig *s)
{
	const struct member *m = j->roster ? roster_by_name(j->roster, s->name) : NULL;
	if (m && m->role != ROLE_RESPONDER && m->role != ROLE_SIGNER && note_sig_holds_ed25519(n, s, m->key)) {
		j->officers += m->role == ROLE_OFFICER;
		return "holds";
	}
	for (size_t i = 0; i < j->n_keys; i++)
		if (strcmp(j->keys[i].name, s->name) == 0)
			return note_sig_holds_ed25519(n, s, j->keys[i].key) ? "holds" : "DOES NOT HOLD";
	if (m)
		return "DOES NOT HOLD";
	return j->roster ? "NOT IN THE ROSTER" : "not checked: give --roster or --key";
}

static int judge_note(const struct cli *c, struct judge *j, const struct note *n)
{
	int rc = n->n_sigs ? EXIT_DONE : EXIT_REFUSED;
	_cleanup_buf_ struct buf said = {0};
	json_t *lines = json_array();
	buf_add_slice(&said, n->text);
	buf_str(&said, n->n_sigs ? "\n" : "\nno signature line\n");
	for (size_t i = 0; i < n->n_sigs; i++) {
		const char *verdict = judge_line(j, n, &n->sigs[i]);
		buf_fmt(&said, "%-40s %s\n", n->sigs[i].name, verdict);
		json_array_append_new(lines, json_pack("{s:s,s:s}", "name", n->sigs[i].name, "verdict", verdict));
		if (strcmp(verdict, "holds") != 0)
			rc = EXIT_REFUSED;
	}
	json_t *o = json_pack("{s:s%,s:o}", "text", n->text.p, n->text.n, "lines", lines);
	if (j->roster) {
		buf_fmt(&said, "officers of roster version %llu: %zu signed, its quorum is %llu\n",
			(unsigned long long)j->roster->version, j->officers, (unsigned long long)j->roster->quorum);
		json_object_set_new(o, "officers", json_integer((json_int_t)j->officers));
		json_object_set_new(o, "quorum", json_integer((json_int_t)j->roster->quorum));
	}
	cli_said(c, o, "%s", buf_text(&said));
	return rc;
}

static enum err note_of(const char *path, struct buf *bytes, struct note *ret, struct fault *f)
{
	TRY(note_load(path, bytes, f));
	enum err e = note_parse(buf_slice(bytes), 0, ret, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

int run_note_verify(struct cli *c, int argc, char **argv)
{
	const char *roster_path = NULL;
	struct option_list keys = {0};
	const struct option_rule rules[] = {
		{.name = "--roster", .value = &roster_path}, {.name = "--key", .many = &keys}, {0}};
	_cleanup_(roster_done) struct roster roster = {0};
	_cleanup_(note_done) struct note n = {0};
	_cleanup_buf_ struct buf bytes = {0};
	struct judge j = {.n_keys = 0};
	struct fault f = {0};
	int rc = EXIT_CONFIG;
	if (cli_options(cli_command(commands_operator, run_note_verify), rules, &argc, argv, 1, 1)) {
		j.roster = roster_path ? &roster : NULL;
		if (read_keys(&keys, &j, &f) != OK || (roster_path && roster_load(roster_path, &roster, &f) != OK) ||
		    note_of(argv[1], &bytes, &n, &f) != OK)
			rc = cli_fail(c, &f);
		else
			rc = judge_note(c, &j, &n);
	}
	free(j.keys);
	option_list_done(&keys);
	return rc;
}

/* --- the next roster --- */

/* "officer:dave+1a2b3c4d+AU…:jinhua:extend,change": up to four parts. Parts borrow from text, which is cut up. */
static enum err split_member(char *text, char *part[4], struct fault *f)
{
	size_t n = 0;
	assert(text);
	for (char *p = text; p && n < 4; n++) {
		char *end = strchr(p, ':');
		part[n] = p;
		if (end)
			*end = '\0';
		p = end ? end + 1 : NULL;
		if (p && n == 3)
			return fault_raise(f, ERR_CONFIG, "roster_add", "--add",
					   "more than role, key, projects and kinds");
	}
	if (n < 2)
		return fault_raise(f, ERR_CONFIG, "roster_add", "--add", "\"%s\": wanted ROLE:VKEY",
				   ESC(text, strlen(text)));
	return OK;
}

static enum err set_role(const char *word, struct member *m, struct fault *f)
{
	static const enum role roles[] = {ROLE_OFFICER, ROLE_RA, ROLE_CUSTODIAN, ROLE_SIGNER};
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(word, role_word(roles[i])) == 0) {
			m->role = roles[i];
			return OK;
		}
	return fault_raise(f, ERR_CONFIG, "roster_add", "--add",
			   "role \"%s\": wanted officer, ra, custodian, responder or signer", ESC(word, strlen(word)));
}

static enum err set_kinds(const char *list, struct member *m, struct fault *f)
{
	m->all_kinds = !list || strcmp(list, "*") == 0;
	while (!m->all_kinds && *list) {
		size_t n = strcspn(list, ",");
		enum tally_kind kind;
		if (!tally_kind_from_word(list, n, &kind))
			return fault_raise(f, ERR_CONFIG, "roster_add", "--add", "\"%s\" is no kind of a tally",
					   ESC(list, n));
		m->kinds |= 1u << kind;
		list += n + (list[n] == ',');
	}
	return OK;
}

/* "ocsp-1=ocsp.pub": a responder's key is of any algorithm, and the roster has the hash of it. */
static enum err set_responder(const char *spec, char name[NOTE_MAX_NAME + 1], struct member *m, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(pubkey_done) struct pubkey key = {0};
	const char *path = strchr(spec, '=');
	if (!path || path - spec > NOTE_MAX_NAME)
		return fault_raise(f, ERR_CONFIG, "roster_add", "--add", "\"%s\": wanted responder:NAME=FILE",
				   ESC(spec, strlen(spec)));
	snprintf(name, NOTE_MAX_NAME + 1, "%.*s", (int)(path - spec), spec);
	TRY(der_load(path + 1, "PUBLIC KEY", &der, f));
	TRY(pubkey_parse(buf_slice(&der), &key, f));
	TRY(pubkey_check_strength(&key, path + 1, f));
	m->role = ROLE_RESPONDER;
	m->kinds = 1u << TALLY_RESPONDER;
	memcpy(m->key, key.spki_sha256, sizeof m->key);
	return OK;
}

static enum err set_person(char *const part[4], char name[NOTE_MAX_NAME + 1], struct member *m, struct fault *f)
{
	TRY(set_role(part[0], m, f));
	TRY(note_vkey_parse(slice_str(part[1]), name, m->key, f));
	return set_kinds(part[3], m, f);
}

static enum err add_member(struct roster *r, const char *spec, struct fault *f)
{
	_cleanup_(freep) char *copy = xstrdup(spec);
	char *part[4] = {0}, name[NOTE_MAX_NAME + 1];
	struct member m = {0};
	TRY(split_member(copy, part, f));
	TRY(strcmp(part[0], role_word(ROLE_RESPONDER)) == 0 ? set_responder(part[1], name, &m, f)
							    : set_person(part, name, &m, f));
	if (strlen(name) >= sizeof m.name)
		return fault_raise(f, ERR_CONFIG, "roster_add", "--add", "the name %s is too long", name);
	if (roster_by_name(r, name))
		return fault_raise(f, ERR_CONFLICT, "roster_add", "--add", "%s is in the roster already", name);
	if (r->n_members == ROSTER_MAX_MEMBERS)
		return fault_raise(f, ERR_LIMIT, "roster_add", "--add", "the roster is full: %d members",
				   ROSTER_MAX_MEMBERS);
	memcpy(m.name, name, strlen(name) + 1);
	m.projects = xstrdup(part[2] ? part[2] : "*");
	r->members[r->n_members++] = m; /* a parsed roster has room for all that there may be */
	return OK;
}

static enum err remove_member(struct roster *r, const char *name, struct fault *f)
{
	for (size_t i = 0; i < r->n_members; i++) {
		if (strcmp(r->members[i].name, name) != 0)
			continue;
		free(r->members[i].projects);
		memmove(&r->members[i], &r->members[i + 1], (--r->n_members - i) * sizeof *r->members);
		return OK;
	}
	return fault_raise(f, ERR_NOT_FOUND, "roster_remove", "--remove", "\"%s\" is not in the roster",
			   ESC(name, strlen(name)));
}

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return strcmp(x->name, y->name);
}

enum err roster_next(struct roster *r, const struct roster_change *change, struct buf *ret, struct fault *f)
{
	_cleanup_(roster_done) struct roster again = {0};
	r->version++;
	r->has_previous = true;
	memcpy(r->previous, r->sha256, sizeof r->previous);
	r->made = clock_now();
	for (size_t i = 0; i < change->remove.n; i++)
		TRY(remove_member(r, change->remove.v[i], f));
	for (size_t i = 0; i < change->add.n; i++)
		TRY(add_member(r, change->add.v[i], f));
	if (change->quorum && !u64_parse(change->quorum, strlen(change->quorum), ROSTER_MAX_MEMBERS, &r->quorum))
		return fault_raise(f, ERR_CONFIG, "roster_quorum", "--quorum", "\"%s\" is not a number",
				   ESC(change->quorum, strlen(change->quorum)));
	qsort(r->members, r->n_members, sizeof *r->members, by_name);
	roster_put(r, ret);
	return roster_parse(buf_slice(ret), &again, f);
}

static enum err write_roster(struct cli *c, const struct roster_change *change, const char *path, struct fault *f)
{
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_buf_ struct buf text = {0};
	TRY(cli_load(c, f));
	TRY(roster_load(c->roster, &r, f));
	TRY(roster_next(&r, change, &text, f));
	if (!c->dry_run)
		TRY(file_write_new(path, buf_slice(&text), 0644, f));
	json_t *o = json_pack("{s:s,s:I,s:s}", "file", path, "version", (json_int_t)r.version, "text", buf_text(&text));
	if (c->dry_run)
		cli_said(c, o, "%s", buf_text(&text));
	else
		cli_said(c, o, "%s: version %llu written; sign it with: hufu roster sign --key KEY %s\n", path,
			 (unsigned long long)r.version, path);
	return OK;
}

int run_roster_note(struct cli *c, int argc, char **argv)
{
	struct roster_change change = {.quorum = NULL};
	const struct option_rule rules[] = {{.name = "--add", .many = &change.add},
					    {.name = "--remove", .many = &change.remove},
					    {.name = "--quorum", .value = &change.quorum},
					    {0}};
	struct fault f = {0};
	int rc = EXIT_CONFIG;
	if (cli_options(cli_command(commands_operator, run_roster_note), rules, &argc, argv, 1, 1))
		rc = write_roster(c, &change, argv[1], &f) == OK ? EXIT_DONE : cli_fail(c, &f);
	option_list_done(&change.add);
	option_list_done(&change.remove);
	return rc;
}
