/*
 * `hufu custodian …`: the CA's keys in the custody of several people. Officers order a splitting, each custodian checks
 * their share at home, and to unlock each brings theirs to the signer that runs, in any order.
 *
 * The client seals a share to the unlock key that its own copy of the roster names, never to one that it was just told.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/custody.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#define SHARE_FILE_MAX 4096u

/* --- asking the signer --- */

struct state {
	struct buf reply;
	struct wire_custody_is is; /* borrows reply */
	struct custody now, next;  /* n 0: none */
};

static void state_done(struct state *s)
{
	wire_custody_is_done(&s->is);
	custody_done(&s->now);
	custody_done(&s->next);
	buf_done(&s->reply);
}

static enum err check_ids(const struct wire_list *l, struct fault *f)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].n != 20)
			return fault_raise(f, ERR_PARSE, "wire_key_id", "custody_is", "found a key id of %zu bytes",
					   l->v[i].n);
	return OK;
}

static enum err ask(struct cli *c, const struct buf *request, struct state *ret, struct fault *f)
{
	TRY(cli_operator(c, buf_slice(request), WIRE_TYPE_CUSTODY_IS, &ret->reply, f));
	TRY(wire_custody_is_get(buf_slice(&ret->reply), &ret->is, f));
	TRY(check_ids(&ret->is.open, f));
	TRY(check_ids(&ret->is.shut, f));
	if (ret->is.now.n > 0)
		TRY(custody_parse(ret->is.now, &ret->now, f));
	if (ret->is.next.n > 0)
		TRY(custody_parse(ret->is.next, &ret->next, f));
	return OK;
}

static enum err ask_state(struct cli *c, struct state *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_custody_put(&(struct wire_custody){0}, &request);
	return ask(c, &request, ret, f);
}

/* --- status --- */

static bool is_among(const struct wire_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (slice_eq(l->v[i], slice_str(name)))
			return true;
	}
	return false;
}

static json_t *set_object(const struct custody *c, const struct wire_list *have)
{
	if (c->n == 0)
		return json_null();
	char set[2 * CUSTODY_SET + 1];
	hex_lower(c->set, CUSTODY_SET, set);
	json_t *o = json_pack("{s:s,s:i,s:i,s:s}", "set", set, "threshold", (int)c->threshold, "have", (int)have->n,
			      "made", UTC(c->made));
	json_t *rows = json_array();
	for (unsigned i = 0; i < c->n; i++)
		json_array_append_new(rows, json_pack("{s:i,s:s,s:b}", "place", (int)i + 1, "custodian",
						      c->places[i].name, "here", is_among(have, c->places[i].name)));
	json_object_set_new(o, "custodians", rows);
	return o;
}

/* --- the CA's keys --- */

struct key_row {
	char hex[41];
	bool open, in_custody;
};

/* Of those that are open, then of those that are shut. */
static struct key_row key_row(const struct state *s, size_t i)
{
	bool open = i < s->is.open.n;
	const uint8_t *id = (open ? s->is.open.v[i] : s->is.shut.v[i - s->is.open.n]).p;
	struct key_row r = {.open = open, .in_custody = custody_key_by_id(&s->now, id) != NULL};
	hex_lower(id, 20, r.hex);
	return r;
}

static size_t n_keys(const struct state *s)
{
	return s->is.open.n + s->is.shut.n;
}

static json_t *keys_array(const struct state *s)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < n_keys(s); i++) {
		struct key_row r = key_row(s, i);
		json_array_append_new(
			rows, json_pack("{s:s,s:b,s:b}", "key_id", r.hex, "open", r.open, "in_custody", r.in_custody));
	}
	return rows;
}

static void print_keys(const struct state *s)
{
	for (size_t i = 0; n_keys(s) > 1 && i < n_keys(s); i++) {
		struct key_row r = key_row(s, i);
		printf("  key %s: %s, %s\n", r.hex, r.open ? "open" : "locked",
		       r.in_custody ? "in custody" : "under its passphrase");
	}
}

static bool waits_for_shares(const struct state *s)
{
	for (size_t i = s->is.open.n; i < n_keys(s); i++)
		if (key_row(s, i).in_custody)
			return true;
	return false;
}

static json_t *state_object(const struct state *s)
{
	_cleanup_buf_ struct buf vkey = {0};
	char challenge[2 * CUSTODY_CHALLENGE + 1];
	note_vkey_put("unlock", s->is.unlock_key, &vkey);
	hex_lower(s->is.challenge, CUSTODY_CHALLENGE, challenge);
	return json_pack("{s:b,s:o,s:s,s:s,s:o,s:o}", "locked", s->is.locked, "keys", keys_array(s), "challenge",
			 challenge, "unlock_key", buf_text(&vkey), "in_force", set_object(&s->now, &s->is.have), "next",
			 set_object(&s->next, &s->is.have_next));
}

/* waits: shares are wanted for this set. */
static void print_set(const char *what, const struct custody *c, const struct wire_list *have, bool waits)
{
	if (c->n == 0) {
		printf("%s: none\n", what);
		return;
	}
	char set[2 * CUSTODY_SET + 1];
	hex_lower(c->set, CUSTODY_SET, set);
	printf("%s: set %s, %u of %u, made %s", what, set, c->threshold, c->n, UTC(c->made));
	if (waits)
		printf("; %zu of %u shares are here", have->n, c->threshold);
	printf("\n");
	for (unsigned i = 0; i < c->n; i++) {
		const char *name = c->places[i].name;
		if (waits)
			printf("  %u  %-20s %s\n", i + 1, name, is_among(have, name) ? "here" : "-");
		else
			printf("  %u  %s\n", i + 1, name);
	}
}

static int say_state(const struct cli *c, const struct state *s)
{
	json_t *o = state_object(s);
	if (c->json) {
		cli_print_json(o);
	} else {
		printf("the CA key is %s\n", s->is.locked ? "locked" : "open");
		print_keys(s);
		printf("challenge: %s\n", json_string_value(json_object_get(o, "challenge")));
		printf("unlock key: %s\n", json_string_value(json_object_get(o, "unlock_key")));
		print_set("in force", &s->now, &s->is.have, waits_for_shares(s));
		print_set("next", &s->next, &s->is.have_next, true);
	}
	json_decref(o);
	return s->is.shut.n > 0 || s->next.n > 0 ? EXIT_WAITING : EXIT_DONE;
}

static int run_status(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	_cleanup_(state_done) struct state s = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_status), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK || ask_state(c, &s, &f) != OK)
		return cli_fail(c, &f);
	return say_state(c, &s);
}

/* --- order, split --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err make_order(struct cli *c, const char *threshold, struct option_list *names, struct buf *ret,
			   struct fault *f)
{
	_cleanup_(state_done) struct state s = {0};
	_cleanup_(roster_done) struct roster r = {0};
	struct custody_order o = {.made = clock_now()}, again;
	uint64_t m = 0;
	if (!threshold || !u64_parse(threshold, strlen(threshold), CUSTODY_MOST, &m) || m < CUSTODY_LEAST)
		return fault_raise(f, ERR_CONFIG, "custody_threshold", "--threshold", "found \"%s\", wanted %d to %d",
				   threshold ? ESC(threshold, strlen(threshold)) : "", CUSTODY_LEAST, CUSTODY_MOST);
	if (names->n > SHAMIR_MAX)
		return fault_raise(f, ERR_CONFIG, "custody_many", "--custodian", "found %zu, wanted at most %d",
				   names->n, SHAMIR_MAX);
	TRY(roster_load(c->roster, &r, f));
	TRY(ask_state(c, &s, f));
	o.threshold = (unsigned)m;
	memcpy(o.ca, r.ca, sizeof o.ca);
	o.has_previous = s.now.n > 0;
	memcpy(o.previous, s.now.set, sizeof o.previous);
	if (names->n > 1)
		qsort(names->v, names->n, sizeof *names->v, by_name);
	for (size_t i = 0; i < names->n; i++) {
		const struct member *who = roster_by_name(&r, names->v[i]);
		if (!who || who->role != ROLE_CUSTODIAN)
			return fault_raise(f, ERR_CONFIG, "custodian_unknown", "--custodian",
					   "\"%s\" is no custodian of the roster",
					   ESC(names->v[i], strlen(names->v[i])));
		snprintf(o.names[o.n++], TALLY_WORD, "%s", who->name);
	}
	custody_order_put(&o, ret);
	return custody_order_parse(buf_slice(ret), &again, f);
}

static int run_order(struct cli *c, int argc, char **argv)
{
	const char *threshold = NULL;
	_cleanup_(option_list_done) struct option_list names = {0};
	const struct option_rule rules[] = {
		{.name = "--threshold", .value = &threshold}, {.name = "--custodian", .many = &names}, {0}};
	_cleanup_buf_ struct buf text = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_order), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK || make_order(c, threshold, &names, &text, &f) != OK)
		return cli_fail(c, &f);
	if (!c->dry_run && file_write_new(argv[1], buf_slice(&text), 0644, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:s}", "file", argv[1], "text", buf_text(&text)),
			"%s%s: %s; officers sign it: hufu note sign --key FILE %s\n", buf_text(&text), argv[1],
			c->dry_run ? "not written (dry run)" : "written, unsigned", argv[1]);
}

static enum err write_shares(const struct custody *next, const char *dir, json_t *files, struct fault *f)
{
	for (unsigned i = 0; i < next->n; i++) {
		_cleanup_buf_ struct buf text = {0}, before = {0};
		_cleanup_(freep) char *name = xasprintf("%s.share", next->places[i].name), *path = path_join(dir, name);
		custody_share_put(next, i + 1, &text);
		if (file_exists(path)) {
			TRY(file_read(path, SHARE_FILE_MAX, &before, f));
			if (!slice_eq(buf_slice(&before), buf_slice(&text)))
				return fault_raise(f, ERR_CONFLICT, "share_exists", "--out",
						   "%s: another share is there already", ESC(path, strlen(path)));
		} else {
			TRY(file_write_new(path, buf_slice(&text), 0600, f));
		}
		json_array_append_new(files, json_string(path));
	}
	return OK;
}

static enum err split(struct cli *c, const char *order, const char *dir, json_t *files, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, request = {0};
	_cleanup_(state_done) struct state s = {0};
	TRY(file_read(order, SHARE_FILE_MAX, &note, f));
	TRY(dir_make(dir, 0700, f));
	wire_split_put(&(struct wire_split){.note = buf_slice(&note)}, &request);
	TRY(ask(c, &request, &s, f));
	return write_shares(&s.next, dir, files, f);
}

static int run_split(struct cli *c, int argc, char **argv)
{
	const char *dir = NULL;
	const struct option_rule rules[] = {{.name = "--out", .value = &dir}, {0}};
	_cleanup_(json_freep) json_t *files = json_array();
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_split), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!dir)
		return cli_usage(cli_command(commands_custodian, run_split), "--out DIR is missing");
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would split the CA key by %s (dry run)\n",
				argv[1]);
	if (split(c, argv[1], dir, files, &f) != OK)
		return cli_fail(c, &f);
	size_t n = json_array_size(files);
	return cli_said(
		c, json_pack("{s:O}", "shares", files),
		"%zu shares written to %s, each sealed to its custodian. Not in force yet: each custodian checks "
		"theirs\n(hufu custodian check), and as many as the threshold asks submit theirs (hufu custodian "
		"submit)\n",
		n, dir);
}

/* --- a custodian's own --- */

static enum err open_share(const char *path, const struct person_key *key, struct custody_share *ret,
			   struct secret *ret_share, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	uint8_t tag[32];
	TRY(file_read(path, SHARE_FILE_MAX, &text, f));
	enum err e = custody_share_parse(buf_slice(&text), ret, f);
	if (e == OK && strcmp(key->name, ret->name) != 0)
		e = fault_raise(f, ERR_RULE, "share_of_another", "share.custodian", "it is %s's, and the key is %s's",
				ret->name, key->name);
	if (e == OK)
		e = custody_unbox(key, ret->box, ret_share, f);
	if (e == OK) {
		custody_tag(ret->ca, ret->set, ret->place, ret_share->p, tag);
		if (memcmp(tag, ret->tag, sizeof tag) != 0)
			e = fault_raise(f, ERR_RULE, "share_wrong", "share.tag",
					"what is in the box is not the share that the tag names: altered");
	}
	if (e != OK)
		fault_prefix(f, "%s", ESC(path, strlen(path)));
	return e;
}

static int run_check(struct cli *c, int argc, char **argv)
{
	const char *key_path = NULL;
	const struct option_rule rules[] = {{.name = "--key", .value = &key_path}, {0}};
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_secret_ struct secret secret = {0};
	struct custody_share s;
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_check), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!key_path)
		return cli_usage(cli_command(commands_custodian, run_check), "--key FILE is missing");
	if (person_key_load(key_path, NULL, &key, &f) != OK || open_share(argv[1], &key, &s, &secret, &f) != OK)
		return cli_fail(c, &f);
	char set[2 * CUSTODY_SET + 1], ca[41];
	hex_lower(s.set, CUSTODY_SET, set);
	hex_lower(s.ca, 20, ca);
	return cli_said(c,
			json_pack("{s:s,s:s,s:s,s:i,s:i}", "ca", ca, "set", set, "custodian", s.name, "place",
				  (int)s.place, "threshold", (int)s.threshold),
			"good: %s's share, place %u of set %s (%u are needed), CA %s\n", s.name, s.place, set,
			s.threshold, ca);
}

struct sealing {
	const char *key, *roster, *challenge, *signer, *share;
};

/* The unlock key that the roster names; wanted: the one that the signer says it has, or NULL. */
static enum err unlock_key(const struct roster *r, const char *name, const uint8_t *wanted, const struct member **ret,
			   struct fault *f)
{
	*ret = NULL;
	for (size_t i = 0; i < r->n_members; i++) {
		const struct member *m = &r->members[i];
		if (m->role != ROLE_SIGNER || (name && strcmp(m->name, name) != 0) ||
		    (wanted && memcmp(m->key, wanted, 32) != 0))
			continue;
		if (*ret)
			return fault_raise(f, ERR_CONFIG, "signer_which", "--signer",
					   "the roster names %s and %s, wanted a name", (*ret)->name, m->name);
		*ret = m;
	}
	if (!*ret)
		return fault_raise(
			f, ERR_RULE, "signer_not_in_roster", "roster.member",
			wanted ? "the signer's unlock key is not that of a member of role signer: it is not the "
				 "signer that the officers named, or the roster is an old one"
			       : "no member of role signer%s%s",
			name ? " is called " : "", name ? name : "");
	return OK;
}

static enum err seal(const struct sealing *x, const char *roster, const uint8_t challenge[CUSTODY_CHALLENGE],
		     const uint8_t *wanted, struct buf *ret, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_secret_ struct secret secret = {0};
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *line = NULL;
	struct custody_submission m = {.made = clock_now()};
	const struct member *to;
	struct custody_share s;
	TRY(roster_load(roster, &r, f));
	TRY(unlock_key(&r, x->signer, wanted, &to, f));
	TRY(person_key_load(x->key, NULL, &key, f));
	TRY(open_share(x->share, &key, &s, &secret, f));
	if (memcmp(s.ca, r.ca, 20) != 0)
		return fault_raise(f, ERR_RULE, "custody_ca", "share.ca", "the roster is another CA's");
	memcpy(m.ca, s.ca, sizeof m.ca);
	memcpy(m.set, s.set, sizeof m.set);
	memcpy(m.challenge, challenge, sizeof m.challenge);
	m.place = s.place;
	TRY(custody_box(to->key, secret.p, m.box, f));
	custody_submission_put(&m, &text);
	TRY(line_by_person(buf_text(&text), &key, &line, f));
	buf_fmt(ret, "%s\n%s", buf_text(&text), line);
	return OK;
}

static int bring(struct cli *c, struct slice note)
{
	_cleanup_buf_ struct buf request = {0};
	_cleanup_(state_done) struct state s = {0};
	struct fault f = {0};
	wire_share_put(&(struct wire_share){.note = note}, &request);
	if (ask(c, &request, &s, &f) != OK)
		return cli_fail(c, &f);
	return say_state(c, &s);
}

static int run_submit(struct cli *c, int argc, char **argv)
{
	struct sealing x = {0};
	const struct option_rule rules[] = {
		{.name = "--key", .value = &x.key}, {.name = "--roster", .value = &x.roster}, {0}};
	_cleanup_(state_done) struct state s = {0};
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_submit), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!x.key)
		return cli_usage(cli_command(commands_custodian, run_submit), "--key FILE is missing");
	x.share = argv[1];
	if (cli_load(c, &f) != OK || ask_state(c, &s, &f) != OK ||
	    seal(&x, x.roster ? x.roster : c->roster, s.is.challenge, s.is.unlock_key, &note, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s}", "submission", buf_text(&note)), "%s(dry run: not sent)\n",
				buf_text(&note));
	return bring(c, buf_slice(&note));
}

static int run_seal(struct cli *c, int argc, char **argv)
{
	struct sealing x = {0};
	const char *out = NULL;
	const struct option_rule rules[] = {
		{.name = "--key", .value = &x.key},	  {.name = "--roster", .value = &x.roster},
		{.name = "--signer", .value = &x.signer}, {.name = "--challenge", .value = &x.challenge},
		{.name = "--out", .value = &out},	  {0}};
	const struct command *self = cli_command(commands_custodian, run_seal);
	uint8_t challenge[CUSTODY_CHALLENGE];
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	if (!cli_options(self, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!x.key || !x.roster || !x.challenge || !out)
		return cli_usage(self, "--key, --roster, --challenge and --out are needed");
	if (!hex_decode(x.challenge, strlen(x.challenge), challenge, sizeof challenge))
		return cli_usage(self, "--challenge: wanted 64 hex digits, as `hufu custodian status` prints them");
	x.share = argv[1];
	if (seal(&x, x.roster, challenge, NULL, &note, &f) != OK ||
	    (!c->dry_run && file_write_new(out, buf_slice(&note), 0600, &f) != OK))
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s}", "file", out), "%s: %s\n", out,
			c->dry_run ? "not written (dry run)" : "written, for `hufu custodian bring`");
}

static int run_bring(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_custodian, run_bring), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK || file_read(argv[1], SHARE_FILE_MAX, &note, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would bring %s to the signer (dry run)\n",
				argv[1]);
	return bring(c, buf_slice(&note));
}

const struct command commands_custodian[] = {
	{.name = "custodian status",
	 .usage = "",
	 .summary = "how the CA key is kept, and whose shares are here",
	 .help = "Challenge and unlock key are the running signer's. The roster must name the unlock key before the "
		 "first\n"
		 "splitting (hufu roster note).\n\n"
		 "After a roll each of the CA's keys has a line: a set opens those that were there when it was "
		 "made.\n\n"
		 "Exit code 0: all are open; 5: one is locked, or a new set waits for its custodians.\n\n"
		 "Example:\n  hufu custodian status",
	 .run = run_status},
	{.name = "custodian order",
	 .usage = "--threshold M --custodian NAME… FILE",
	 .summary = "write an order to split the CA key anew, unsigned",
	 .help = "  --threshold M      how many shares open the key, 2 to 7\n"
		 "  --custodian NAME   a custodian of the roster (repeat, 3 to 16)\n\n"
		 "The officers' quorum signs it: hufu note sign. It counts for the set in force now and for no "
		 "other.\n\n"
		 "Example:\n  hufu custodian order --threshold 3 --custodian carol --custodian dave --custodian erin "
		 "order.note",
	 .run = run_order},
	{.name = "custodian split",
	 .usage = "--out DIR ORDER",
	 .summary = "operator: have the open signer split its key by that order",
	 .help = "  --out DIR   a file NAME.share for each custodian, sealed to their key\n\n"
		 "The signer must be unlocked, after a roll with each of its keys: a set opens them all. It comes "
		 "into\n"
		 "force when as many custodians as it needs have submitted their shares; until then everything stays "
		 "as\n"
		 "it was.\n\n"
		 "Example:\n  hufu custodian split --out shares order.note",
	 .run = run_split},
	{.name = "custodian check",
	 .usage = "--key FILE SHARE",
	 .summary = "custodian: open one's own share and see that it is the right one",
	 .help = "  --key FILE   one's own key\n\n"
		 "Nothing is sent and nothing of the share is shown.\n\n"
		 "Example:\n  hufu custodian check --key carol.key carol.share",
	 .run = run_check},
	{.name = "custodian submit",
	 .usage = "--key FILE [--roster FILE] SHARE",
	 .summary = "custodian: bring one's share to the signer that runs",
	 .help = "  --key FILE      one's own key\n"
		 "  --roster FILE   one's own copy of the roster (default: the configuration's)\n\n"
		 "The share is sealed to the unlock key that the roster names. Any order will do; the same one again "
		 "is\n"
		 "no error. Exit code 5 while shares are missing.\n\n"
		 "Example:\n  hufu custodian submit --key carol.key carol.share",
	 .run = run_submit},
	{.name = "custodian seal",
	 .usage = "--key FILE --roster FILE --challenge HEX [--signer NAME] --out FILE SHARE",
	 .summary = "custodian: the same on a machine that does not reach the signer",
	 .help = "  --key FILE        one's own key\n"
		 "  --roster FILE     one's own copy of the roster\n"
		 "  --challenge HEX   as `hufu custodian status` shows it at the signer\n"
		 "  --signer NAME     where the roster names several\n"
		 "  --out FILE        the sealed submission, which only that run of that signer can use\n\n"
		 "Example:\n  hufu custodian seal --key carol.key --roster roster.note --challenge 00ff… --out "
		 "carol.note carol.share",
	 .run = run_seal},
	{.name = "custodian bring",
	 .usage = "FILE",
	 .summary = "operator: bring a submission that was sealed elsewhere",
	 .help = "Example:\n  hufu custodian bring carol.note",
	 .run = run_bring},
	{0},
};
