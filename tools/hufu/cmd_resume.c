/*
 * `hufu ledger resume`: the operator's word, after which a ledger that was restored goes on. What anybody still holds of
 * it is shown to the signer first; how many entries are lost must be said as the signer counts them, so that nobody
 * goes on behind a checkpoint by habit.
 */
#include "tools/hufu/resume.h"

#include "common/base/file.h"
#include "common/note/checkpoint.h"

#include <string.h>
#include <unistd.h>

struct resuming {
	struct option_list checkpoints;
	const char *lost, *word;
	bool alone;
	uint64_t n_lost;
};

static enum err read_checkpoint(const char *path, struct buf *ret, struct fault *f)
{
	if (strcmp(path, "-") != 0)
		return file_read(path, CHECKPOINT_MAX_BYTES, ret, f);
	char bytes[CHECKPOINT_MAX_BYTES + 1];
	ssize_t n;
	while (ret->len <= CHECKPOINT_MAX_BYTES && (n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
		buf_add(ret, bytes, (size_t)n);
	if (ret->len > CHECKPOINT_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "checkpoint_size", "--checkpoint",
				   "more than %d bytes on standard input", CHECKPOINT_MAX_BYTES);
	return OK;
}

static enum err show_one(struct cli *c, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	TRY(read_checkpoint(path, &note, f));
	wire_seen_put(&(struct wire_seen){.checkpoint = buf_slice(&note)}, &request);
	enum err e = cli_operator(c, buf_slice(&request), WIRE_TYPE_OK, &reply, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

static enum err ask_status(struct cli *c, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, reply, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

static enum err say_word(struct cli *c, const struct resuming *r, struct wire_ok *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_resume m = {.lost = r->n_lost, .alone = r->alone, .word = slice_str(r->word)};
	TRY(wire_resume_check(&m, f));
	wire_resume_put(&m, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_OK, &reply, f));
	return wire_ok_get(buf_slice(&reply), ret, f);
}

static enum err resume(struct cli *c, const struct resuming *r, struct wire_health_is *ret_before, struct wire_ok *ret,
		       struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	TRY(cli_load(c, f));
	for (size_t i = 0; i < r->checkpoints.n && !c->dry_run; i++)
		TRY(show_one(c, r->checkpoints.v[i], f));
	TRY(ask_status(c, &reply, ret_before, f));
	ret_before->issuer_cert = (struct slice){0};
	return c->dry_run ? OK : say_word(c, r, ret, f);
}

static int told(struct cli *c, const struct resuming *r, const struct wire_health_is *h, const struct wire_ok *ok)
{
	if (c->dry_run)
		return cli_said(c,
				json_pack("{s:b,s:b,s:I,s:I}", "dry_run", 1, "waits", (int)h->waits, "ledger_size",
					  (json_int_t)h->size, "newest_checkpoint", (json_int_t)h->seen),
				"%s; %llu entries, newest checkpoint shown: %llu (dry run)\n",
				h->waits ? "the ledger waits" : "the ledger waits for no word",
				(unsigned long long)h->size, (unsigned long long)h->seen);
	return cli_said(c,
			json_pack("{s:I,s:I,s:I}", "entry", (json_int_t)ok->index, "lost", (json_int_t)r->n_lost,
				  "newest_checkpoint", (json_int_t)h->seen),
			"the ledger goes on with entry %llu; %llu entries are lost\n", (unsigned long long)ok->index,
			(unsigned long long)r->n_lost);
}

int run_resume(struct cli *c, int argc, char **argv)
{
	struct resuming r = {0};
	const struct option_rule rules[] = {{.name = "--checkpoint", .many = &r.checkpoints},
					    {.name = "--nobody-holds-one", .flag = &r.alone},
					    {.name = "--lost", .value = &r.lost},
					    {.name = "--word", .value = &r.word},
					    {0}};
	const struct command *cmd = cli_command(commands_ledger, run_resume);
	struct wire_health_is h = {0};
	struct wire_ok ok = {0};
	struct fault f = {0};
	int rc = EXIT_CONFIG;
	if (cli_options(cmd, rules, &argc, argv, 0, 0)) {
		if (!r.word && !c->dry_run)
			rc = cli_usage(cmd, "--word is missing: what happened, and who decided");
		else if (r.lost && !u64_parse(r.lost, strlen(r.lost), INT64_MAX, &r.n_lost))
			rc = cli_usage(cmd, "--lost: found \"%s\", wanted a number of entries", r.lost);
		else
			rc = resume(c, &r, &h, &ok, &f) == OK ? told(c, &r, &h, &ok) : cli_fail(c, &f);
	}
	option_list_done(&r.checkpoints);
	return rc;
}
