/*
 * The ledger on the command line. What is printed by `export` and `prove` is said once in ledger_check.h.
 */
#include "ca/ledger_command.h"

#include "ca/config.h"
#include "ca/ledger_check.h"
#include "ca/log_signer.h"
#include "common/base/clock.h"
#include "common/base/file.h"

/* After the libraries' headers, so that their helpers are declared. */
#include "common/base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct place {
	char *path;
};

static enum err usage(const char *verb, const char *wanted, const char *found, struct fault *f)
{
	return fault_raise(f, ERR_CONFIG, "usage", "command line", "ledger %s: found \"%s\", wanted %s", verb,
			   found ? ESC(found, strlen(found)) : "nothing", wanted);
}

static enum err run_check(const struct ca_config *config, const struct place *p, const char *word, struct fault *f)
{
	struct ledger_report r;
	char root[65];
	(void)config;
	if (word)
		return usage("check", "no argument", word, f);
	TRY(ledger_check(p->path, &r, f));
	hex_lower(r.root, 32, root);
	printf("%" PRIu64 " entries, the last of %s\n%" PRIu64 " certificates issued, %" PRIu64
	       " intents open\nroot %s\ngood: every entry, hash and outcome is where it should be\n",
	       r.size, UTC(r.last_at), r.issued, r.open_intents, root);
	return OK;
}

static enum err head_of(const struct ca_config *config, const struct place *p, struct checkpoint *ret,
			struct buf *ret_note, struct fault *f)
{
	uint8_t ca[20];
	_cleanup_(log_signer_freep) struct log_signer *log = NULL;
	TRY(ledger_file_ca(p->path, ca, f));
	TRY(log_signer_open(config, ca, &log, f));
	return ledger_file_head(p->path, log, ret, ret_note, f);
}

static enum err run_head(const struct ca_config *config, const struct place *p, const char *word, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint c;
	if (word)
		return usage("head", "no argument", word, f);
	TRY(head_of(config, p, &c, &note, f));
	(void)fwrite(note.data, 1, note.len, stdout); /* main() looks */
	return OK;
}

static enum err run_prove(const struct ca_config *config, const struct place *p, const char *word, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, path = {0};
	struct checkpoint c;
	uint64_t index;
	if (!word || !u64_parse(word, strlen(word), INT64_MAX, &index))
		return usage("prove", "the index of an entry", word, f);
	TRY(head_of(config, p, &c, &note, f));
	TRY(ledger_file_prove(p->path, index, c.size, &path, f));
	printf("index %" PRIu64 " of %" PRIu64 "\n", index, c.size);
	for (size_t at = 0; at < path.len; at += 32) {
		char hex[65];
		hex_lower(path.data + at, 32, hex);
		printf("%s\n", hex);
	}
	printf("\n%s", buf_text(&note));
	return OK;
}

static void print_entry(void *arg, uint64_t index, struct slice text)
{
	(void)arg;
	printf("entry %" PRIu64 "\n%.*s\n", index, (int)text.n, (const char *)text.p);
}

/* "FROM-TO", both counted, or one index. */
static bool parse_range(const char *word, uint64_t *ret_from, uint64_t *ret_to)
{
	const char *dash = strchr(word, '-');
	size_t n = dash ? (size_t)(dash - word) : strlen(word);
	if (!u64_parse(word, n, INT64_MAX - 1, ret_from))
		return false;
	*ret_to = *ret_from;
	return !dash || (u64_parse(dash + 1, strlen(dash + 1), INT64_MAX - 1, ret_to) && *ret_to >= *ret_from);
}

static enum err run_export(const struct ca_config *config, const struct place *p, const char *word, struct fault *f)
{
	uint64_t from, to;
	(void)config;
	if (!word || !parse_range(word, &from, &to))
		return usage("export", "FROM-TO, the indexes of the first and the last entry", word, f);
	return ledger_file_print(p->path, from, to + 1, print_entry, NULL, f);
}

static enum err run_backup(const struct ca_config *config, const struct place *p, const char *word, struct fault *f)
{
	struct ledger_report r;
	(void)config;
	if (!word)
		return usage("backup", "a new file", word, f);
	TRY(ledger_file_backup(p->path, word, f));
	/* A copy that can't be read is none. */
	TRY(ledger_check(word, &r, f));
	printf("%s: %" PRIu64 " entries, checked\n", word, r.size);
	return OK;
}

enum err ledger_command(const struct ca_config *config, const char *verb, const char *word, struct fault *f)
{
	static const struct {
		const char *verb;
		enum err (*run)(const struct ca_config *config, const struct place *p, const char *word,
				struct fault *f);
	} verbs[] = {{"check", run_check},
		     {"head", run_head},
		     {"prove", run_prove},
		     {"export", run_export},
		     {"backup", run_backup}};
	_cleanup_(freep) char *path = path_join(config->state, "ledger.db");
	struct place p = {.path = path};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].verb) != 0)
			continue;
		return verbs[i].run(config, &p, word, f);
	}
	return usage("", "check, head, prove, export or backup", verb, f);
}
