/*
 * Taking an export over: certificates into the signer (import_adopt.c), accounts into the desk. Both are idempotent, so
 * a broken run is simply run again. The report names the lines of the CSV.
 */
#include "tools/hufu/import.h"

#include "common/base/clock.h"

#include <poll.h>
#include <string.h>

#define ACCOUNTS_PART 200
#define STANDS_STILL_US INT64_C(10000000)
#define LOOK_AGAIN_MS 20

/* --- the report --- */

void import_tell(struct import_report *r, unsigned line, const char *result, const char *text)
{
	size_t *const counts[] = {&r->created, &r->changed, &r->unchanged, &r->problems};
	static const char *const words[] = {"created", "changed", "unchanged", "refused"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		*counts[i] += strcmp(result, words[i]) == 0;
	import_progress_hide(r->progress);
	if (r->entries)
		json_array_append_new(r->entries,
				      json_pack("{s:i,s:s,s:s}", "line", (int)line, "result", result, "text", text));
	else
		printf("line %u: %s%s%s\n", line, result, *text ? ": " : "", text);
}

void import_tell_signer(struct import_report *r, size_t certificates, uint64_t adopted, size_t refused)
{
	r->certificates += certificates;
	r->adopted += adopted;
	if (r->entries)
		return;
	import_progress_hide(r->progress);
	if (r->dry_run)
		printf("signer: %zu certificates would be adopted (dry run)\n", certificates);
	else
		printf("signer: %llu of %zu certificates newly adopted, %zu refused\n", (unsigned long long)adopted,
		       certificates, refused);
}

static int conclude(struct import_report *r, size_t rows)
{
	import_progress_hide(r->progress);
	if (r->entries) {
		_cleanup_(json_freep) json_t *o =
			json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:O}", "rows", (json_int_t)rows, "created",
				  (json_int_t)r->created, "changed", (json_int_t)r->changed, "unchanged",
				  (json_int_t)r->unchanged, "problems", (json_int_t)r->problems, "certificates",
				  (json_int_t)r->certificates, "adopted", (json_int_t)(r->dry_run ? 0 : r->adopted),
				  "dry_run", r->dry_run, "report", r->entries);
		cli_print_json(o);
	} else {
		printf("%zu rows, %zu with problems: %zu created, %zu changed, %zu unchanged, %zu refused\n", rows,
		       r->problems, r->created, r->changed, r->unchanged, r->problems);
	}
	return r->problems ? EXIT_REFUSED : EXIT_DONE;
}

/* --- accounts --- */

static json_t *row_params(const struct import_row *r)
{
	json_t *o = json_pack("{s:i}", "line", (int)r->line);
	for (size_t k = 0; k < IMPORT_COLUMNS; k++)
		if (strcmp(import_columns[k], "pem_file") != 0)
			json_object_set_new(o, import_columns[k], json_string(r->text[k] ? r->text[k] : ""));
	return o;
}

static enum err send_accounts(struct cli *c, const struct import_file *file, size_t first, size_t n,
			      struct import_report *report, struct fault *f)
{
	json_t *rows = json_array(), *entry;
	_cleanup_(json_freep) json_t *r = NULL;
	size_t i;
	for (size_t k = first; k < first + n; k++)
		if (!file->rows[k].problem[0])
			json_array_append_new(rows, row_params(&file->rows[k]));
	json_t *params = json_pack("{s:o,s:b}", "rows", rows, "dry_run", c->dry_run);
	if (json_array_size(rows) == 0) {
		json_decref(params);
		return OK;
	}
	TRY(cli_desk(c, "import.accounts", params, false, true, &r, f));
	json_array_foreach(json_object_get(r, "report"), i, entry)
	{
		const char *result = json_string_value(json_object_get(entry, "result")),
			   *text = json_string_value(json_object_get(entry, "text"));
		import_tell(report, (unsigned)json_integer_value(json_object_get(entry, "line")), result ? result : "?",
			    text ? text : "");
	}
	return OK;
}

/* --- the desk reads the certificates from the ledger --- */

/* As long as it gets ahead. What it has not read when it stands still it reads later, by itself: told, no failure. */
static enum err wait_for_desk(struct cli *c, struct import_progress *progress, struct fault *f)
{
	uint64_t wanted = 0, before = 0;
	int64_t until = clock_mono_us() + STANDS_STILL_US;
	TRY(import_ledger_size(c, &wanted, f));
	for (;;) {
		_cleanup_(json_freep) json_t *health = NULL;
		TRY(cli_desk(c, "desk.health", NULL, false, false, &health, f));
		uint64_t now = (uint64_t)json_integer_value(json_object_get(health, "ledger_size"));
		if (now >= wanted)
			return OK;
		if (now != before)
			until = clock_mono_us() + STANDS_STILL_US;
		before = now;
		import_progress(progress, "ledger entries read by the desk", now, wanted);
		if (clock_mono_us() > until)
			break;
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	import_progress_hide(progress);
	fprintf(stderr,
		"the desk has read %llu of the ledger's %llu entries: until it has the rest, it does not know all of "
		"these certificates (hufu health)\n",
		(unsigned long long)before, (unsigned long long)wanted);
	return OK;
}

static enum err apply(struct cli *c, const struct import_run *run, struct import_file *file,
		      struct import_report *report, struct fault *f)
{
	TRY(import_adopt(c, run, file, report, f));
	for (size_t i = 0; i < file->n; i += ACCOUNTS_PART) {
		size_t n = file->n - i < ACCOUNTS_PART ? file->n - i : ACCOUNTS_PART;
		TRY(send_accounts(c, file, i, n, report, f));
		import_progress(report->progress, "accounts at the desk", i + n, file->n);
	}
	return report->certificates > 0 && !c->dry_run ? wait_for_desk(c, report->progress, f) : OK;
}

int import_apply(struct cli *c, struct import_run *run, struct import_file *file)
{
	struct fault f = {0};
	_cleanup_(json_freep) json_t *entries = c->json ? json_array() : NULL;
	struct import_report report = {.entries = entries, .progress = &run->progress, .dry_run = c->dry_run};
	if (apply(c, run, file, &report, &f) == OK)
		return conclude(&report, file->n);
	import_progress_hide(&run->progress);
	return cli_fail(c, &f);
}
