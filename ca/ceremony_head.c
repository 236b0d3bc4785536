/*
 * The notes that officers sign by quorum, made from a ceremony file: a roster, the policy over a bundle, the order to
 * split the CA key. The text is fixed by the file, dates and all, so a check already holds it against the rules that the
 * signer will judge it by; the ceremony adds that everybody sees the difference, and the lines of the officers.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/difference.h"

#include <string.h>

static bool is(const struct ceremony *c, enum ceremony_kind kind)
{
	return c->file.kind == (int)kind;
}

/* --- the roster --- */

static enum err responder_line(const struct ceremony *c, const struct ceremony_member *m, struct buf *ret,
			       struct fault *f)
{
	_cleanup_(freep) char *path = ceremony_in(c, m->public, &(bool){0});
	_cleanup_(pubkey_done) struct pubkey key = {0};
	_cleanup_buf_ struct buf bytes = {0}, der = {0};
	TRY(file_read(path, 16384, &bytes, f));
	TRY(pem_or_der(buf_slice(&bytes), "PUBLIC KEY", &der, f));
	TRY(pubkey_parse(buf_slice(&der), &key, f));
	TRY(pubkey_check_strength(&key, m->public, f));
	buf_base64(ret, key.spki_sha256, 32);
	return OK;
}

/* "alice <base64> * *". */
static enum err member_text(const struct ceremony *c, const struct ceremony_member *m, char **ret_name, char **ret_rest,
			    struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	bool responder = m->role == ROLE_RESPONDER;
	char name[NOTE_MAX_NAME + 1];
	uint8_t raw[ED25519_KEY];
	struct fault inner = {0};
	_cleanup_buf_ struct buf key = {0};
	if (responder ? !m->name || !m->public || m->key != NULL : !m->key || m->name || m->public)
		return yaml_fault(
			x->doc, &m->role, f, "ceremony_member", "%s: wanted %s", role_word((enum role)m->role),
			responder ? "name and public: FILE, and no key" : "key: VERIFIER-KEY, and no name or public");
	if (responder && responder_line(c, m, &key, &inner) != OK)
		return yaml_fault(x->doc, &m->public, f, inner.rule, "%s", inner.text);
	if (!responder) {
		if (note_vkey_parse(slice_str(m->key), name, raw, &inner) != OK)
			return yaml_fault(x->doc, &m->key, f, "ceremony_member", "%s", inner.text);
		buf_base64(&key, raw, sizeof(raw));
	}
	*ret_name = xstrdup(responder ? m->name : name);
	*ret_rest = xasprintf("%s %s %s", buf_text(&key), m->projects ? m->projects : "*",
			      m->kinds	  ? m->kinds
			      : responder ? "responder"
					  : "*");
	return OK;
}

struct row {
	char *name, *line;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static enum err make_rows(const struct ceremony *c, struct row *rows, struct fault *f)
{
	const struct ceremony_member *m = c->file.members.v;
	for (size_t i = 0; i < c->file.members.n; i++) {
		_cleanup_(freep) char *rest = NULL;
		TRY(member_text(c, &m[i], &rows[i].name, &rest, f));
		for (size_t k = 0; k < i; k++)
			if (strcmp(rows[k].name, rows[i].name) == 0)
				return yaml_fault(c->file.doc, &m[i].role, f, "ceremony_member",
						  "\"%s\" is in the list already: one person, one key, one role",
						  rows[i].name);
		rows[i].line = xasprintf("member: %s %s %s\n", role_word((enum role)m[i].role), rows[i].name, rest);
	}
	qsort(rows, c->file.members.n, sizeof(*rows), by_name);
	return OK;
}

static void head_put(struct ceremony *c, const char *kind, uint64_t version, const uint8_t *previous)
{
	struct buf *b = &c->text;
	buf_fmt(b, "%s\nca: ", kind);
	buf_hex(b, c->ca.cert.key.key_id, 20);
	buf_fmt(b, "\nversion: %llu\nprevious: ", (unsigned long long)version);
	if (previous)
		buf_hex(b, previous, 32);
	else
		buf_str(b, "none");
	buf_char(b, '\n');
}

static enum err make_roster(struct ceremony *c, struct fault *f)
{
	const struct roster *now = c->previous_note.there ? &c->previous_roster : NULL;
	size_t n = c->file.members.n;
	struct row *rows = xcalloc(n, sizeof(*rows));
	enum err e = make_rows(c, rows, f);
	head_put(c, ROSTER_KIND_LINE, now ? now->version + 1 : 1, now ? now->sha256 : NULL);
	buf_fmt(&c->text, "quorum: %lld\nmade: %s\n", (long long)c->file.quorum, UTC(c->file.made));
	for (size_t i = 0; i < n; i++) {
		if (e == OK)
			buf_str(&c->text, rows[i].line);
		free(rows[i].name);
		free(rows[i].line);
	}
	free(rows);
	TRY(e);
	struct fault inner = {0};
	if (roster_parse(buf_slice(&c->text), &c->next_roster, &inner) != OK)
		return yaml_fault(c->file.doc, &c->file.members, f, inner.rule, "%s", inner.text);
	if (roster_follows(&c->next_roster, now, c->ca.cert.key.key_id, &inner) != OK)
		return yaml_fault(c->file.doc, &c->file.previous, f, inner.rule, "%s", inner.text);
	return OK;
}

/* --- the policy --- */

static enum err check_bundle(struct ceremony *c, struct slice note, struct fault *f)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_buf_ struct buf report = {0};
	struct fault inner = {0};
	if (policy_load(note, c->bundle, c->n_bundle, &policy, &inner) != OK)
		return yaml_fault(c->file.doc, &c->file.bundle, f, inner.rule, "%s", inner.text);
	size_t errors = policy_lint(policy, &report);
	if (errors > 0)
		return yaml_fault(c->file.doc, &c->file.bundle, f, "policy_lint",
				  "%zu errors; see: hufu policy check %s", errors, c->file.bundle);
	return OK;
}

static enum err make_policy(struct ceremony *c, struct fault *f)
{
	const struct policy_note *now = c->previous_note.there ? &c->previous_policy : NULL;
	_cleanup_(policy_note_done) struct policy_note next = {0};
	struct policy_note head = {.version = now ? now->version + 1 : 1, .made = c->file.made, .until = c->file.until};
	struct fault inner = {0};
	memcpy(head.ca, c->ca.cert.key.key_id, sizeof(head.ca));
	head.has_previous = now != NULL;
	if (now)
		memcpy(head.previous, now->sha256, sizeof(head.previous));
	policy_note_make(c->bundle, c->n_bundle, &head, &c->text);
	if (policy_note_parse(buf_slice(&c->text), &next, &inner) != OK)
		return yaml_fault(c->file.doc, &c->file.bundle, f, inner.rule, "%s", inner.text);
	if (policy_note_follows(&next, now, head.ca, &inner) != OK)
		return yaml_fault(c->file.doc, &c->file.previous, f, inner.rule, "%s", inner.text);
	return check_bundle(c, (struct slice){0}, f);
}

/* --- the shares --- */

static int word_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err check_custodians(const struct ceremony *c, struct fault *f)
{
	const struct yaml_strs *names = &c->file.custodians;
	for (size_t i = 0; i < names->n; i++) {
		const struct member *m = roster_by_name(&c->roster, names->v[i]);
		if (!m || m->role != ROLE_CUSTODIAN)
			return yaml_fault(c->file.doc, &names->v[i], f, "custodian_unknown",
					  "\"%s\" is %s, wanted a custodian of the roster", names->v[i],
					  m ? role_word(m->role) : "not in the roster");
	}
	for (size_t i = 0; i < c->roster.n_members; i++)
		if (c->roster.members[i].role == ROLE_SIGNER)
			return OK;
	return yaml_fault(c->file.doc, &c->file.roster, f, "signer_not_in_roster",
			  "it has no member of role signer: add the unlock key that `hufu custodian status` prints");
}

static enum err make_order(struct ceremony *c, struct fault *f)
{
	struct custody_order o = {.threshold = (unsigned)c->file.threshold, .made = c->file.made};
	const struct yaml_strs *names = &c->file.custodians;
	TRY(check_custodians(c, f));
	_cleanup_(freep) const char **sorted = xcalloc(names->n, sizeof(*sorted));
	memcpy(o.ca, c->ca.cert.key.key_id, sizeof(o.ca));
	o.has_previous =
		c->file.previous_set && hex_decode(c->file.previous_set, 2 * CUSTODY_SET, o.previous, CUSTODY_SET);
	memcpy(sorted, names->v, names->n * sizeof(*sorted));
	qsort(sorted, names->n, sizeof(*sorted), word_order);
	for (; o.n < names->n; o.n++)
		snprintf(o.names[o.n], sizeof(o.names[o.n]), "%s", sorted[o.n]);
	custody_order_put(&o, &c->text);
	return custody_order_parse(buf_slice(&c->text), &o, f);
}

/* --- all three --- */

/* Every signer is an officer of the roster that judges, and they are enough. */
static enum err check_signers(struct ceremony *c, struct fault *f)
{
	const struct roster *judge = ceremony_judge(c);
	const struct yaml_strs *names = &c->file.signers;
	for (size_t i = 0; i < names->n; i++) {
		const struct member *m = roster_by_name(judge, names->v[i]);
		if (!m || m->role != ROLE_OFFICER)
			return yaml_fault(c->file.doc, &names->v[i], f, "ceremony_officer",
					  "\"%s\" is %s, wanted an officer of the roster %s", names->v[i],
					  m ? role_word(m->role) : "nobody",
					  judge == &c->next_roster ? "that is made" : "in force");
	}
	if (names->n < judge->quorum)
		return yaml_fault(c->file.doc, names, f, "quorum",
				  "found %zu, wanted at least the roster's quorum, %llu", names->n,
				  (unsigned long long)judge->quorum);
	if (memcmp(judge->ca, c->ca.cert.key.key_id, 20) != 0)
		return yaml_fault(c->file.doc, &c->file.ca, f, "ceremony_ca",
				  "the roster is that of another CA than this certificate's");
	return OK;
}

enum err ceremony_head_rules(struct ceremony *c, struct fault *f)
{
	if (is(c, CEREMONY_ROSTER))
		TRY(make_roster(c, f));
	else if (is(c, CEREMONY_POLICY))
		TRY(make_policy(c, f));
	else if (is(c, CEREMONY_SHARES))
		TRY(make_order(c, f));
	else
		return OK;
	return check_signers(c, f);
}

static void difference(const struct ceremony *c, struct buf *ret)
{
	_cleanup_(policy_note_done) struct policy_note next = {0};
	if (is(c, CEREMONY_ROSTER))
		roster_difference(c->previous_note.there ? &c->previous_roster : NULL, &c->next_roster, ret);
	else if (is(c, CEREMONY_POLICY) && policy_note_parse(buf_slice(&c->text), &next, NULL) == OK)
		policy_note_difference(c->previous_note.there ? &c->previous_policy : NULL, &next, ret);
	else
		buf_fmt(ret, "any %lld of %zu custodians open the key%s\n", (long long)c->file.threshold,
			c->file.custodians.n, c->file.previous_set ? ", and the shares of before open it no more" : "");
}

/* A line for each, so that the transcript has them too; what is longer than a transcript may be is in the note. */
enum err ceremony_show_head(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf lines = {0};
	size_t n = 0;
	(void)f;
	difference(c, &lines);
	for (const char *p = buf_text(&lines), *end; (end = strchr(p, '\n')) != NULL; p = end + 1, n++) {
		if (n < TRANSCRIPT_MAX_LINES / 2)
			ceremony_did(c, "%.*s", (int)(end - p), p);
	}
	if (n > TRANSCRIPT_MAX_LINES / 2)
		ceremony_did(c, "and %zu lines more, which the note has", n - TRANSCRIPT_MAX_LINES / 2);
	if (n == 0)
		ceremony_did(c, "nothing changes but version and date");
	return OK;
}

enum err ceremony_sign_head(struct ceremony *c, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	struct buf *out = ceremony_product(c, "note", c->file.outputs.note, 0644);
	note_begin(buf_slice(&c->text), out);
	for (size_t i = 0; i < c->n_officers; i++) {
		TRY(note_sign_ed25519(out, c->officers[i].name, c->officers[i].secret.p, f));
		ceremony_did(c, "%s signed", c->officers[i].name);
	}
	TRY(note_parse(buf_slice(out), 1, &note, f));
	TRY(roster_quorum(ceremony_judge(c), &note, ceremony_kind_word(c->file.kind), f));
	if (is(c, CEREMONY_POLICY))
		TRY(check_bundle(c, buf_slice(out), f));
	ceremony_did(c, "the officers' lines hold, and are enough");
	return OK;
}
