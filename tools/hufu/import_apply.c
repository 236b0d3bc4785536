/*
 * Taking an export over: certificates by one adoption note that officers sign and the signer verifies one by one,
 * accounts by the desk. Both are idempotent, so a broken run is simply run again.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/merkle.h"
#include "common/note/statement.h"
#include "tools/hufu/import.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#define ADOPT_PART 128
#define ACCOUNTS_PART 200
#define ADOPTION_LIFE_S (7 * 86400)

/* --- certificates --- */

struct manifest {
	const struct import_row **rows;
	merkle_hash *leaves;
	size_t n;
	struct buf note, crl;
	struct adoption adoption;
};
static void manifest_done(struct manifest *m)
{
	freep(&m->rows);
	freep(&m->leaves);
	buf_done(&m->note);
	buf_done(&m->crl);
}

static void collect(const struct import_file *file, struct manifest *m)
{
	m->rows = xcalloc(file->n, sizeof *m->rows);
	m->leaves = xcalloc(file->n, sizeof *m->leaves);
	for (size_t i = 0; i < file->n; i++) {
		const struct import_row *r = &file->rows[i];
		if (r->problem[0] || r->der.len == 0)
			continue;
		merkle_leaf(buf_slice(&r->der), m->leaves[m->n]);
		m->rows[m->n++] = r;
	}
}

/* The pinned issuer whose name and key the first certificate carries. */
static enum err find_issuer(struct cli *c, const struct manifest *m, uint8_t ret[20], struct fault *f)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_(cert_done) struct cert first = {0};
	TRY(cert_parse(buf_slice(&m->rows[0]->der), &first, f));
	TRY(policy_read_dir(c->policies, &files, &n, f));
	enum err e = policy_load((struct slice){0}, files, n, &p, f);
	policy_sources_done(files, n);
	TRY(e);
	for (size_t i = 0; i < p->n_issuers; i++)
		if (cert_verify_by(&first, &p->issuers[i].cert, NULL) == OK) {
			memcpy(ret, p->issuers[i].cert.key.key_id, 20);
			return OK;
		}
	return fault_raise(f, ERR_RULE, "issuer_not_pinned", "import",
			   "no pinned issuer of the policy signed the certificate of line %u", m->rows[0]->line);
}

static enum err adoption_head(struct cli *c, const struct import_run *run, struct manifest *m, struct fault *f)
{
	struct adoption *a = &m->adoption;
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_health_is h = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, &reply, f));
	TRY(wire_health_is_get(buf_slice(&reply), &h, f));
	memcpy(a->ca, h.ca, sizeof a->ca);
	TRY(find_issuer(c, m, a->issuer, f));
	snprintf(a->project, sizeof a->project, "%s", run->project ? run->project : import_get(m->rows[0], "project"));
	snprintf(a->profile, sizeof a->profile, "%s", run->profile ? run->profile : "organisation");
	a->count = m->n;
	merkle_root((const merkle_hash *)m->leaves, m->n, a->root);
	/* Each run is a note of its own, since its times are: what an earlier run adopted is not taken twice. */
	random_fill(a->id, sizeof a->id);
	if (run->crl) {
		TRY(der_load(run->crl, "X509 CRL", &m->crl, f));
		a->has_crl = true;
		sha256(m->crl.data, m->crl.len, a->crl_sha256);
	}
	a->made = h.now;
	a->dies = h.now + ADOPTION_LIFE_S;
	return OK;
}

static enum err sign_adoption(const struct import_run *run, struct manifest *m, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	adoption_put(&m->adoption, &text);
	note_begin(buf_slice(&text), &m->note);
	for (size_t i = 0; i < run->officer_keys.n; i++) {
		_cleanup_(person_key_done) struct person_key k = {0};
		TRY(person_key_load(run->officer_keys.v[i], NULL, &k, f));
		TRY(note_sign_ed25519(&m->note, k.name, k.secret.p, f));
	}
	return OK;
}

static void report_problems(const struct wire_adopt_is *a)
{
	for (size_t i = 0; i < a->problems.n; i++)
		printf("certificate %.*s\n", (int)a->problems.v[i].n, (const char *)a->problems.v[i].p);
}

static enum err send_part(struct cli *c, const struct manifest *m, size_t first, size_t n, uint64_t *taken,
			  size_t *problems, struct fault *f)
{
	merkle_hash path[MERKLE_MAX_PATH];
	_cleanup_buf_ struct buf proofs = {0}, request = {0}, reply = {0};
	struct wire_adopt part = {.note = buf_slice(&m->note), .crl = buf_slice(&m->crl), .first = first};
	size_t at[ADOPT_PART + 1] = {0};
	for (size_t i = 0; i < n; i++) {
		size_t len = merkle_path((const merkle_hash *)m->leaves, m->n, first + i, path);
		buf_add(&proofs, path, len * sizeof path[0]);
		at[i + 1] = proofs.len;
	}
	for (size_t i = 0; i < n; i++) {
		wire_list_add(&part.certs, buf_slice(&m->rows[first + i]->der));
		wire_list_add(&part.proofs, slice_of(proofs.data + at[i], at[i + 1] - at[i]));
	}
	wire_adopt_put(&part, &request);
	wire_adopt_done(&part);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_ADOPT_IS, &reply, f));
	struct wire_adopt_is is = {0};
	TRY(wire_adopt_is_get(buf_slice(&reply), &is, f));
	*taken += is.taken;
	*problems += is.problems.n;
	report_problems(&is);
	wire_adopt_is_done(&is);
	return OK;
}

static enum err adopt(struct cli *c, const struct import_run *run, struct manifest *m, size_t *ret_problems,
		      struct fault *f)
{
	uint64_t taken = 0;
	TRY(adoption_head(c, run, m, f));
	TRY(sign_adoption(run, m, f));
	for (size_t i = 0; i < m->n; i += ADOPT_PART)
		TRY(send_part(c, m, i, m->n - i < ADOPT_PART ? m->n - i : ADOPT_PART, &taken, ret_problems, f));
	printf("signer: %llu of %zu certificates newly adopted, %zu refused\n", (unsigned long long)taken, m->n,
	       *ret_problems);
	return OK;
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

static enum err send_accounts(struct cli *c, const struct import_file *file, size_t first, size_t n, size_t *problems,
			      struct fault *f)
{
	json_t *rows = json_array(), *entry;
	_cleanup_(json_freep) json_t *r = NULL;
	size_t i;
	for (size_t k = first; k < first + n; k++)
		if (!file->rows[k].problem[0])
			json_array_append_new(rows, row_params(&file->rows[k]));
	TRY(cli_desk(c, "import.accounts", json_pack("{s:o,s:b}", "rows", rows, "dry_run", c->dry_run), false, true, &r,
		     f));
	json_array_foreach(json_object_get(r, "report"), i, entry)
	{
		const char *result = json_string_value(json_object_get(entry, "result")),
			   *text = json_string_value(json_object_get(entry, "text"));
		printf("line %lld: %s%s%s\n", (long long)json_integer_value(json_object_get(entry, "line")),
		       result ? result : "?", text && *text ? ": " : "", text ? text : "");
		if (result && strcmp(result, "refused") == 0)
			(*problems)++;
	}
	return OK;
}

int import_apply(struct cli *c, const struct import_run *run, struct import_file *file)
{
	struct fault f = {0};
	size_t problems = 0;
	_cleanup_(manifest_done) struct manifest m = {0};
	for (size_t i = 0; i < file->n; i++)
		if (file->rows[i].problem[0]) {
			printf("line %u: refused: %s\n", file->rows[i].line, file->rows[i].problem);
			problems++;
		}
	collect(file, &m);
	if (m.n > 0 && c->dry_run)
		printf("signer: %zu certificates would be adopted (dry run)\n", m.n);
	else if (m.n > 0 && adopt(c, run, &m, &problems, &f) != OK)
		return cli_fail(c, &f);
	for (size_t i = 0; i < file->n; i += ACCOUNTS_PART)
		if (send_accounts(c, file, i, file->n - i < ACCOUNTS_PART ? file->n - i : ACCOUNTS_PART, &problems,
				  &f) != OK)
			return cli_fail(c, &f);
	printf("%zu rows, %zu with problems\n", file->n, problems);
	return problems ? EXIT_REFUSED : EXIT_DONE;
}
