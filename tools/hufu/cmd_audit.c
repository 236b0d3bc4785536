/*
 * `hufu audit …`: read it, take it out, and hold it against itself without the desk.
 *
 * An export is a file of JSON lines, a row each, and a last line with the head. It is verified by the chain alone
 * (common/note/audit.h), and by heads that were kept elsewhere, where there are any.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/audit.h"
#include "tools/hufu/subscriber.h"

#include <inttypes.h>
#include <string.h>

#define PAGE 500
#define LINE_MAX_BYTES 65536u

/* --- list --- */

static int run_audit_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"id", "ROW"},	     {"at", "WHEN"},   {"who", "WHO"},
						{"address", "FROM"}, {"what", "WHAT"}, {"object", "OBJECT"},
						{"detail", "DETAIL"}};
	const char *who = NULL, *since = NULL, *until = NULL, *after = NULL;
	const struct option_rule rules[] = {{.name = "--who", .value = &who},
					    {.name = "--since", .value = &since},
					    {.name = "--until", .value = &until},
					    {.name = "--after", .value = &after},
					    {0}};
	const struct command *cmd = cli_command(commands_audit, run_audit_list);
	_cleanup_(json_freep) json_t *r = NULL;
	struct fault f = {0};
	uint64_t row = 0;
	if (!cli_options(cmd, rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	if (after && !u64_parse(after, strlen(after), INT64_MAX, &row))
		return cli_usage(cmd, "--after \"%s\": wanted the number of a row", ESC(after, strlen(after)));
	const char *const keys[] = {"object", "who", "since", "until"}, *const values[] = {argc > 1 ? argv[1] : NULL,
											   who, since, until};
	json_t *p = json_object();
	for (size_t i = 0; i < 4; i++) {
		if (values[i])
			json_object_set_new(p, keys[i], json_string(values[i]));
	}
	if (after)
		json_object_set_new(p, "after", json_integer((json_int_t)row));
	if (cli_desk(c, "audit.list", p, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	cli_table(c, columns, 7, json_object_get(r, "rows"));
	return EXIT_DONE;
}

/* --- rows as JSON --- */

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool read_hash(json_t *o, uint8_t ret[32])
{
	const char *hex = text_of(o, "hash");
	return hex && strlen(hex) == 64 && hex_decode(hex, 64, ret, 32);
}

/* Texts borrow from o. */
static bool read_row(json_t *o, struct audit_row *ret)
{
	const char *at = text_of(o, "at");
	*ret = (struct audit_row){.id = json_integer_value(json_object_get(o, "id")),
				  .who = text_of(o, "who"),
				  .uid = json_integer_value(json_object_get(o, "uid")),
				  .address = text_of(o, "address"),
				  .what = text_of(o, "what"),
				  .object = text_of(o, "object"),
				  .detail = text_of(o, "detail")};
	return at && time_parse_utc(at, strlen(at), &ret->at) && ret->who && ret->address && ret->what && ret->object &&
	       ret->detail && read_hash(o, ret->hash);
}

/* --- export --- */

static void put_line(json_t *o, struct buf *ret)
{
	char *line = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	if (!line)
		abort();
	buf_str(ret, line);
	buf_char(ret, '\n');
	free(line);
}

/* Appends a page; each row is verified as it comes. *ret_n: rows of it. */
static enum err page(struct cli *c, struct audit_walk *walk, struct buf *ret, size_t *ret_n, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *p = json_pack("{s:i}", "limit", PAGE), *row;
	size_t i;
	if (walk->id > 0)
		json_object_set_new(p, "after", json_integer(walk->id));
	TRY(cli_desk(c, "audit.export", p, false, false, &r, f));
	json_t *rows = json_object_get(r, "rows");
	json_array_foreach(rows, i, row)
	{
		struct audit_row a;
		if (!read_row(row, &a))
			return fault_raise(f, ERR_NET, "desk_answer", "audit.export",
					   "the desk sent a row that is none");
		TRY(audit_walk_next(walk, &a, f));
		put_line(row, ret);
	}
	*ret_n = json_array_size(rows);
	return OK;
}

static json_t *head_json(const struct audit_walk *walk)
{
	char hex[65];
	hex_lower(walk->hash, 32, hex);
	return json_pack("{s:{s:I,s:s}}", "head", "id", (json_int_t)walk->id, "hash", hex);
}

static enum err export(struct cli *c, const char *path, struct audit_walk *walk, struct fault *f) {
	_cleanup_buf_ struct buf text = {0}; _cleanup_(json_freep) json_t *head = NULL; size_t n = 1;
	while (n > 0) TRY(page(c, walk, &text, &n, f));
	head = head_json(walk);
	put_line(head, &text);
	return c->dry_run ? OK : file_write_new(path, buf_slice(&text), 0600, f);
}

static int run_audit_export(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct audit_walk walk = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_audit, run_audit_export), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (export(c, argv[1], &walk, &f) != OK)
		return cli_fail(c, &f);
	json_t *o = head_json(&walk);
	_cleanup_(freep) char *hash = xstrdup(text_of(json_object_get(o, "head"), "hash"));
	return cli_said(c, o, "%s: %" PRId64 " rows%s, the chain holds; head %s\n", argv[1], walk.id,
			c->dry_run ? " would be written (dry run)" : "", hash);
}

/* --- verify --- */

struct check {
	struct audit_walk walk;
	const struct option_list *heads;
	bool *seen; /* for each of heads */
	bool end;   /* the last line was read */
};

static enum err bad_line(size_t line, const char *wanted, struct fault *f)
{
	char where[40];
	snprintf(where, sizeof(where), "line %zu", line);
	return fault_raise(f, ERR_PARSE, "audit_line", where, "line %zu: wanted %s", line, wanted);
}

static enum err check_head(struct check *k, json_t *head, size_t line, struct fault *f)
{
	uint8_t hash[32];
	if (!read_hash(head, hash))
		return bad_line(line, "a head with its hash", f);
	if (json_integer_value(json_object_get(head, "id")) != k->walk.id || memcmp(hash, k->walk.hash, 32) != 0)
		return fault_raise(f, ERR_CRYPTO, "audit_head", "head",
				   "the export ends with row %" PRId64
				   ", which is not its head: rows are missing at its end",
				   k->walk.id);
	k->end = true;
	return OK;
}

static void mark_heads(struct check *k, const char *hex)
{
	for (size_t i = 0; i < k->heads->n; i++)
		k->seen[i] = k->seen[i] || strcmp(k->heads->v[i], hex) == 0;
}

static enum err check_line(struct check *k, const char *text, size_t n, size_t line, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = n > LINE_MAX_BYTES ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	json_t *head = json_object_get(o, "head");
	struct audit_row row;
	if (!json_is_object(o) || k->end)
		return bad_line(line, k->end ? "nothing behind the head" : "a JSON object", f);
	if (head)
		return check_head(k, head, line, f);
	if (!read_row(o, &row))
		return bad_line(line, "a row with id, at, who, uid, address, what, object, detail and hash", f);
	TRY(audit_walk_next(&k->walk, &row, f));
	mark_heads(k, text_of(o, "hash"));
	return OK;
}

static enum err check_file(struct check *k, FILE *from, struct fault *f)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, line = 0;
	ssize_t n;
	while ((n = getline(&text, &size, from)) > 0)
		TRY(check_line(k, text, (size_t)n, ++line, f));
	if (!k->end)
		return fault_raise(f, ERR_CRYPTO, "audit_head", "head", "the export has no head: it is cut short");
	for (size_t i = 0; i < k->heads->n; i++) {
		if (!k->seen[i])
			return fault_raise(f, ERR_CRYPTO, "audit_head", "--head",
					   "no row has hash %s: rows were cut off, or the whole chain was made anew",
					   ESC(k->heads->v[i], strlen(k->heads->v[i])));
	}
	return OK;
}

static int verify(struct cli *c, const char *path, const struct option_list *heads)
{
	_cleanup_(freep) bool *seen = xcalloc(heads->n + 1, sizeof(*seen));
	struct check k = {.heads = heads, .seen = seen};
	struct fault f = {0};
	_cleanup_(fclosep) FILE *from = fopen(path, "re");
	if (!from) {
		(void)!fault_raise(&f, ERR_IO, "file_io", path, "%s: cannot open", ESC(path, strlen(path)));
		return cli_fail(c, &f);
	}
	if (check_file(&k, from, &f) != OK)
		return cli_fail(c, &f);
	json_t *o = head_json(&k.walk);
	json_object_set_new(o, "holds", json_true());
	return cli_said(c, o, "%s: the chain of %" PRId64 " rows holds%s\n", path, k.walk.id,
			heads->n ? ", with each head that was given" : "");
}

static int run_audit_verify(struct cli *c, int argc, char **argv)
{
	_cleanup_(option_list_done) struct option_list heads = {0};
	const struct option_rule rules[] = {{.name = "--head", .many = &heads}, {0}};
	const struct command *cmd = cli_command(commands_audit, run_audit_verify);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return verify(c, argv[1], &heads);
}

const struct command commands_audit[] = {
	{.name = "audit list",
	 .usage = "[--who W] [--since TIME] [--until TIME] [--after ROW] [OBJECT]",
	 .summary = "who did what, when, from where",
	 .help = "  --who W        of that person or program alone, as account:35353550-9 or uid:1001\n"
		 "  --since TIME   not before, in UTC\n"
		 "  --until TIME   before\n"
		 "  --after ROW    rows behind this number; 50 are shown at most\n\n"
		 "Officers name a request, by id or number; administrators may leave the object out.\n\n"
		 "Example:\n  hufu audit list --since 2026-11-23T00:00:00Z 8f2c…",
	 .run = run_audit_list},
	{.name = "audit export",
	 .usage = "FILE",
	 .summary = "the whole audit with its chain, as JSON lines",
	 .help = "FILE is new (0600): a row a line, and a last line with the head.\n\n"
		 "Example:\n  hufu audit export audit-2026-11-23.jsonl",
	 .run = run_audit_export},
	{.name = "audit verify",
	 .usage = "[--head HASH]… FILE",
	 .summary = "hold an export against its chain, without the desk",
	 .help = "  --head HASH   this head, from a log or an older export, must be in it (repeat for more)\n\n"
		 "The chain shows a row that was altered, taken out or put in. That the end was cut off, or all of it "
		 "made "
		 "anew,\nshows only against a head that was kept elsewhere.\n\n"
		 "Example:\n  hufu audit verify --head 3f1c… audit-2026-11-23.jsonl",
	 .run = run_audit_verify},
	{0},
};
