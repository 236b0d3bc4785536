/*
 * `hufu ceremony …`. What holds keys is hufu-ca, which makes certificates and nobody else may; check, rehearse, run and
 * note are that program's (ceremony_start.c). What anybody does afterwards with the transcript, verify it and print it, is
 * done here, without it.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/ceremony.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#define OUTPUT_MAX (64u << 20)

/* --- a transcript --- */

struct paper {
	struct buf bytes;
	struct note note;
	struct transcript *t;
};

static void paper_done(struct paper *p)
{
	if (p->t)
		transcript_done(p->t);
	free(p->t);
	note_done(&p->note);
	buf_done(&p->bytes);
}

static enum err paper_load(const char *path, struct paper *p, struct fault *f)
{
	p->t = xcalloc(1, sizeof(*p->t));
	TRY(note_load(path, &p->bytes, f));
	enum err e = note_parse(buf_slice(&p->bytes), 1, &p->note, f);
	if (e == OK)
		e = transcript_parse(p->note.text, p->t, f);
	if (e != OK)
		fault_prefix(f, "%s", ESC(path, strlen(path)));
	return e;
}

/* --- verify --- */

struct verdict {
	const struct cli *c;
	json_t *rows;
	bool bad;
};

static void judge(struct verdict *v, const char *what, const char *name, const char *said, bool good)
{
	v->bad |= !good;
	json_array_append_new(
		v->rows, json_pack("{s:s,s:s,s:s,s:b}", "what", what, "name", name, "verdict", said, "good", good));
}

static bool key_known(const struct option_list *keys, const struct transcript_person *p)
{
	for (size_t i = 0; i < keys->n; i++) {
		char name[NOTE_MAX_NAME + 1];
		uint8_t key[ED25519_KEY];
		if (note_vkey_parse(slice_str(keys->v[i]), name, key, NULL) == OK && strcmp(name, p->name) == 0 &&
		    memcmp(key, p->key, sizeof(key)) == 0)
			return true;
	}
	return false;
}

static void judge_person(struct verdict *v, const struct paper *p, const char *role,
			 const struct transcript_person *who, const struct option_list *keys)
{
	const struct note_sig *s = note_sig_by_name(&p->note, who->name);
	bool known = keys->n == 0 || key_known(keys, who);
	bool holds = s && note_sig_holds_ed25519(&p->note, s, who->key);
	judge(v, role, who->name,
	      !s	     ? "has not signed"
	      : !holds	     ? "DOES NOT HOLD"
	      : !known	     ? "holds, by a key that is none of those given"
	      : keys->n == 0 ? "holds, by the transcript's own key"
			     : "holds",
	      holds && known);
}

static bool is_named(const struct transcript *t, const char *name)
{
	bool found = strcmp(t->operator.name, name) == 0;
	for (size_t i = 0; i < t->n_witnesses; i++)
		found |= strcmp(t->witnesses[i].name, name) == 0;
	return found;
}

static void judge_people(struct verdict *v, const struct paper *p, const struct option_list *keys)
{
	judge_person(v, p, "operator", &p->t->operator, keys);
	for (size_t i = 0; i < p->t->n_witnesses; i++)
		judge_person(v, p, "witness", &p->t->witnesses[i], keys);
	for (size_t i = 0; i < p->note.n_sigs; i++)
		if (!is_named(p->t, p->note.sigs[i].name))
			judge(v, "stranger", p->note.sigs[i].name, "neither operator nor witness", false);
}

/* OK with *ret_same; ERR_NOT_FOUND where there is none. */
static enum err compare(const char *path, const uint8_t wanted[32], bool *ret_same, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	uint8_t found[32];
	TRY(file_read(path, OUTPUT_MAX, &bytes, f));
	sha256(bytes.data, bytes.len, found);
	*ret_same = memcmp(found, wanted, sizeof(found)) == 0;
	return OK;
}

static void judge_file(struct verdict *v, const char *what, const char *name, const char *path,
		       const uint8_t wanted[32], bool must)
{
	bool same = false;
	struct fault f = {0};
	enum err e = compare(path, wanted, &same, &f);
	if (e == ERR_NOT_FOUND)
		judge(v, what, name, "is not here", !must);
	else
		judge(v, what, name, e != OK ? "cannot be read" : same ? "is the same" : "IS ANOTHER", e == OK && same);
}

static void judge_files(struct verdict *v, const struct transcript_file *files, size_t n, const char *what,
			const char *dir, bool must)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = path_join(dir, files[i].path),
				      *name = xasprintf("%s %s", files[i].what, files[i].path);
		judge_file(v, what, name, path, files[i].sha256, must);
	}
}

struct verify {
	const char *dir, *file, *program;
	bool all;
	struct option_list keys;
};

static int verify(struct cli *c, const char *path, const struct verify *o)
{
	_cleanup_(paper_done) struct paper p = {0};
	struct verdict v = {.c = c, .rows = json_array()};
	struct fault f = {0};
	if (paper_load(path, &p, &f) != OK) {
		json_decref(v.rows);
		return cli_fail(c, &f);
	}
	if (p.t->rehearsal)
		judge(&v, "mode", "rehearsal", "nothing of it counts", false);
	judge_people(&v, &p, &o->keys);
	if (o->file)
		judge_file(&v, "file", o->file, o->file, p.t->file, true);
	if (o->program)
		judge_file(&v, "program", o->program, o->program, p.t->program, true);
	if (o->dir) {
		judge_files(&v, p.t->inputs, p.t->n_inputs, "input", o->dir, o->all);
		judge_files(&v, p.t->outputs, p.t->n_outputs, "output", o->dir, o->all);
	}
	if (!c->json)
		printf("ceremony %s, of kind %s, %s to %s%s\n", p.t->ceremony, p.t->kind, UTC(p.t->begun),
		       UTC(p.t->ended), p.t->rehearsal ? ": A REHEARSAL, nothing of it counts" : "");
	static const struct column columns[] = {{"what", "WHAT"}, {"name", "NAME"}, {"verdict", "VERDICT"}};
	cli_table(c, columns, 3, v.rows);
	json_decref(v.rows);
	return v.bad ? EXIT_REFUSED : EXIT_DONE;
}

static int run_verify(struct cli *c, int argc, char **argv)
{
	struct verify o = {0};
	const struct option_rule rules[] = {
		{.name = "--key", .many = &o.keys},	    {.name = "--dir", .value = &o.dir},
		{.name = "--all", .flag = &o.all},	    {.name = "--file", .value = &o.file},
		{.name = "--program", .value = &o.program}, {0}};
	int rc = EXIT_CONFIG;
	if (cli_options(cli_command(commands_ceremony, run_verify), rules, &argc, argv, 1, 1))
		rc = verify(c, argv[1], &o);
	option_list_done(&o.keys);
	return rc;
}

/* --- print --- */

/* The ceremony's file, if it is the one that the transcript has the hash of. */
static enum err sheet_file(const char *path, const struct transcript *t, struct buf *ret, struct fault *f)
{
	uint8_t found[32];
	TRY(file_read(path, OUTPUT_MAX, ret, f));
	sha256(ret->data, ret->len, found);
	if (memcmp(found, t->file, sizeof(found)) != 0)
		return fault_raise(f, ERR_RULE, "ceremony_file", "transcript.file",
				   "%s: is another file than the transcript's, or was changed since",
				   ESC(path, strlen(path)));
	return OK;
}

static int run_print(struct cli *c, int argc, char **argv)
{
	const char *file = NULL;
	const struct option_rule rules[] = {{.name = "--file", .value = &file}, {0}};
	_cleanup_(paper_done) struct paper p = {0};
	_cleanup_buf_ struct buf page = {0}, text = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_ceremony, run_print), rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	if (paper_load(argv[1], &p, &f) != OK)
		return cli_fail(c, &f);
	if (file && sheet_file(file, p.t, &text, &f) != OK)
		return cli_fail(c, &f);
	ceremony_page(p.t, &p.note, file ? buf_text(&text) : NULL, &page);
	if (!c->dry_run && file_write_new(argv[2], buf_slice(&page), 0644, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s}", "file", argv[2]), "%s: %s\n", argv[2],
			c->dry_run ? "not written (dry run)" : "written; print it from a browser");
}

#define DIR_HELP "  --dir DIR                 where the file's paths start (default: here)\n"
#define JSON_HELP                                                                                                      \
	"\nWith --json the screen is standard error, and what was done is one object: ceremony, kind, mode, file, "    \
	"outputs,\n"                                                                                                   \
	"transcript. "
#define PEOPLE_HELP                                                                                                    \
	"  --operator-key FILE       the operator's own key (hufu officer key)\n"                                      \
	"  --witness-key FILE        a witness who signs here (repeat); they can sign later: hufu note sign\n"         \
	"  --officer-key FILE        an officer who signs a roster, policy or order here (repeat)\n"                   \
	"  --passphrase-fd N         of the new key and, without the next, of the issuer's: from this descriptor\n"    \
	"  --issuer-passphrase-fd N  of the issuer's key\n"                                                            \
	"  --yes                     every step is confirmed beforehand (for scripts; the transcript says so)\n"
#define PEOPLE_USAGE                                                                                                       \
	"--operator-key FILE [--witness-key FILE]… [--officer-key FILE]… [--passphrase-fd N] [--issuer-passphrase-fd " \
	"N] [--yes]"

const struct command commands_ceremony[] = {
	{.name = "ceremony check",
	 .usage = "[--dir DIR] FILE",
	 .summary = "all that can be found in a ceremony file without touching a key",
	 .help = DIR_HELP "\nForm, dates, chain, outputs, approval, quorum; then the whole of it with throw-away keys, "
			  "written nowhere.\n"
			  "What is wrong is said with file:line:column and what to write instead. Exit code 4.\n\n"
			  "Example:\n  hufu ceremony check --dir /srv/ceremony root.yaml",
	 .run = ceremony_check_command},
	{.name = "ceremony rehearse",
	 .usage = "[--dir DIR] [--into FOLDER] " PEOPLE_USAGE " FILE",
	 .summary = "the whole ceremony with throw-away keys and the same prompts",
	 .help = DIR_HELP
	 "  --into FOLDER             outputs, kept for the rehearsal of the ceremony that needs them\n" PEOPLE_HELP
		 JSON_HELP "With --dry-run it is only checked.\n"
	 "\nPeople's keys are opened as on the day, and sign nothing.\n\n"
	 "Example:\n  hufu ceremony rehearse --into /tmp/try --operator-key op.key root.yaml",
	 .run = ceremony_rehearse_command},
	{.name = "ceremony run",
	 .usage = "[--dir DIR] " PEOPLE_USAGE " FILE",
	 .summary = "the ceremony: checklist, each step confirmed, all outputs or none",
	 .help = DIR_HELP PEOPLE_HELP JSON_HELP
	 "With --dry-run it is only checked.\n"
	 "\nA run that was cut off starts again; one that was cut off while it wrote is finished, without a key: in "
	 "both\n"
	 "cases by running the file again.\n\n"
	 "Example:\n  hufu ceremony run --dir /srv/ceremony --operator-key op.key --witness-key walter.key root.yaml",
	 .run = ceremony_run_command},
	{.name = "ceremony note",
	 .usage = "[--dir DIR] FILE OUT",
	 .summary = "write the note that approves a ceremony file, unsigned",
	 .help = DIR_HELP
	 "\nThe officers' quorum signs it: hufu note sign. It approves these bytes of the file and no others.\n\n"
	 "Example:\n  hufu ceremony note rollover.yaml rollover.approval",
	 .run = ceremony_note_command},
	{.name = "ceremony verify",
	 .usage = "[--key VKEY]… [--dir DIR [--all]] [--file FILE] [--program FILE] TRANSCRIPT",
	 .summary = "check a transcript offline: form, signatures, hashes",
	 .help = "  --key VKEY      a verifier key that you know of operator or witness (repeat): others count as "
		 "strangers\n"
		 "  --dir DIR       compare inputs and outputs that are there\n"
		 "  --all           and those that are not there are an error\n"
		 "  --file FILE     the ceremony file that it says it ran\n"
		 "  --program FILE  the program that it says ran\n\n"
		 "A rehearsal is refused, whoever signed it.\n"
		 "Without --key the lines are judged by the keys that the transcript itself names: compare those.\n\n"
		 "Example:\n  hufu ceremony verify --key operator+1a2b3c4d+AU… --dir /srv/ceremony root.note",
	 .run = run_verify},
	{.name = "ceremony print",
	 .usage = "[--file FILE] TRANSCRIPT HTML",
	 .summary = "a transcript as a page to print, with boxes to sign by hand",
	 .help = "  --file FILE  the ceremony file, printed with it; it must be the one that the transcript is of\n\n"
		 "The page of a rehearsal, with the file, is the sheet for the day: every question in its order with a "
		 "box.\n\n"
		 "Examples:\n  hufu ceremony print --file root.yaml try/etc/hufu/ceremonies/root.note sheet.html\n"
		 "  hufu ceremony print root.note root.html",
	 .run = run_print},
	{0},
};
