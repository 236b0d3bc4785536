/*
 * `hufu tally show|verify`: read a tally note as a person, and check its signatures offline.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/roster.h"
#include "common/pki/csr.h"
#include "tools/hufu/note_files.h"

#include <string.h>

struct loaded {
	struct buf bytes;
	struct note note;
	struct tally tally;
};
static void loaded_done(struct loaded *l)
{
	tally_done(&l->tally);
	note_done(&l->note);
	buf_done(&l->bytes);
}

static enum err load_tally(const char *path, struct loaded *l, struct fault *f)
{
	TRY(file_read(path, NOTE_MAX_BYTES, &l->bytes, f));
	TRY(note_parse(buf_slice(&l->bytes), 0, &l->note, f));
	return tally_parse(l->note.text, &l->tally, f);
}

int run_tally_show(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_note, run_tally_show), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	_cleanup_(loaded_done) struct loaded l = {0};
	struct fault f = {0};
	if (load_tally(argv[1], &l, &f) != OK) {
		fault_prefix(&f, "%s", argv[1]);
		return cli_fail(c, &f);
	}
	_cleanup_buf_ struct buf en = {0}, zh = {0};
	tally_explain(&l.tally, "en", &en);
	tally_explain(&l.tally, "zh", &zh);
	uint8_t hash[32];
	char hex[65];
	note_text_sha256(&l.note, hash);
	hex_lower(hash, sizeof hash, hex);
	if (c->json) {
		json_t *sigs = json_array();
		for (size_t i = 0; i < l.note.n_sigs; i++)
			json_array_append_new(sigs, json_string(l.note.sigs[i].name));
		json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "id", TALLY_ID_TEXT(l.tally.id), "kind",
				      tally_kind_word(l.tally.kind), "sha256", hex, "en", buf_text(&en), "zh",
				      buf_text(&zh), "signatures", sigs);
		cli_print_json(o);
		json_decref(o);
		return EXIT_DONE;
	}
	fwrite(l.note.text.p, 1, l.note.text.n, stdout);
	printf("\n%s\n%s\ntext SHA-256 %s\n", buf_text(&zh), buf_text(&en), hex);
	for (size_t i = 0; i < l.note.n_sigs; i++)
		printf("signature line: %s\n", l.note.sigs[i].name);
	return EXIT_DONE;
}

/* Judges one signature line: what it is, and whether it holds. */
struct verifier {
	const struct roster *roster;
	const struct cert *predecessor;
	const struct pubkey *new_key;
};

static const char *judge_line(const struct verifier *v, const struct loaded *l, const struct note_sig *s)
{
	if (strcmp(s->name, NOTE_NEW_KEY) == 0) {
		if (!v->new_key)
			return "not checked: give --csr";
		return note_sig_holds_spki(&l->note, s, v->new_key) ? "holds" : "DOES NOT HOLD";
	}
	if (strncmp(s->name, "sub:", 4) == 0) {
		if (!v->predecessor)
			return "not checked: give --cert";
		return note_sig_holds_spki(&l->note, s, &v->predecessor->key) ? "holds" : "DOES NOT HOLD";
	}
	const struct member *m = v->roster ? roster_by_name(v->roster, s->name) : NULL;
	if (!v->roster)
		return "not checked: give --roster";
	if (!m)
		return "NOT IN THE ROSTER";
	return note_sig_holds_ed25519(&l->note, s, m->key) ? "holds" : "DOES NOT HOLD";
}

static int print_lines(const struct cli *c, const struct verifier *v, const struct loaded *l)
{
	int rc = l->note.n_sigs ? EXIT_DONE : EXIT_REFUSED;
	_cleanup_buf_ struct buf said = {0};
	json_t *lines = json_array();
	if (l->note.n_sigs == 0)
		buf_str(&said, "no signature line\n");
	for (size_t i = 0; i < l->note.n_sigs; i++) {
		const char *name = l->note.sigs[i].name, *verdict = judge_line(v, l, &l->note.sigs[i]);
		buf_fmt(&said, "%-40s %s\n", name, verdict);
		json_array_append_new(lines, json_pack("{s:s,s:s}", "name", name, "verdict", verdict));
		if (strcmp(verdict, "holds") != 0)
			rc = EXIT_REFUSED;
	}
	cli_said(c, json_pack("{s:o}", "lines", lines), "%s", buf_text(&said));
	return rc;
}

int run_tally_verify(struct cli *c, int argc, char **argv)
{
	const char *roster_path = NULL, *cert_path = NULL, *csr_path = NULL;
	const struct option_rule rules[] = {{.name = "--roster", .value = &roster_path},
					    {.name = "--cert", .value = &cert_path},
					    {.name = "--csr", .value = &csr_path},
					    {0}};
	if (!cli_options(cli_command(commands_note, run_tally_verify), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	_cleanup_(loaded_done) struct loaded l = {0};
	_cleanup_(roster_done) struct roster roster = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_buf_ struct buf cert_der = {0}, csr_der = {0};
	struct fault f = {0};
	struct verifier v = {0};
	if (load_tally(argv[1], &l, &f) != OK)
		return cli_fail(c, &f);
	if (roster_path && roster_load(roster_path, &roster, &f) != OK)
		return cli_fail(c, &f);
	if (cert_path && (der_load(cert_path, "CERTIFICATE", &cert_der, &f) != OK ||
			  cert_parse(buf_slice(&cert_der), &cert, &f) != OK))
		return cli_fail(c, &f);
	if (csr_path && (der_load(csr_path, "CERTIFICATE REQUEST", &csr_der, &f) != OK ||
			 csr_parse(buf_slice(&csr_der), &csr, &f) != OK))
		return cli_fail(c, &f);
	v.roster = roster_path ? &roster : NULL;
	v.predecessor = cert_path ? &cert : NULL;
	v.new_key = csr_path ? &csr.key : NULL;
	return print_lines(c, &v, &l);
}
