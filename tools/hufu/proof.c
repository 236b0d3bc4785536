/*
 * What a subscriber's signature is held against before it is sent. The desk names the keys, but the tally's text pins
 * them: by serial, and by the hash of the key that is to be certified. Next: cmd_prove.c.
 */
#include "tools/hufu/proof.h"

#include "common/pki/cert.h"
#include "common/pki/csr.h"
#include "tools/hufu/note_files.h"

#include <string.h>

void proof_done(struct proof_set *p)
{
	json_decref(p->answer);
	json_decref(p->lines);
	tally_done(&p->tally);
	for (size_t i = 0; i < PROOF_KEYS; i++)
		pubkey_done(&p->keys[i].key);
	memset(p, 0, sizeof *p);
}

static void set_names(struct proof_set *p)
{
	struct proof_key *current = &p->keys[PROOF_KEY_CURRENT], *fresh = &p->keys[PROOF_KEY_NEW];
	const struct cert_ref *ref = &p->tally.predecessor;
	if (p->tally.has_predecessor) {
		note_subscriber_name(ref->issuer_key_id, SERIAL(&ref->serial), current->name);
		snprintf(current->what, sizeof current->what, "the current key, of certificate %s",
			 SERIAL(&ref->serial));
	}
	snprintf(fresh->name, sizeof fresh->name, "%s", NOTE_NEW_KEY);
	snprintf(fresh->what, sizeof fresh->what, "the new key");
}

enum err proof_read(struct slice text, struct proof_set *ret, struct fault *f)
{
	ret->text = text;
	ret->lines = json_array();
	/* Before it is shown: what parses holds no byte that could fool a terminal. */
	TRY(tally_parse(ret->text, &ret->tally, f));
	set_names(ret);
	return OK;
}

enum err proof_load(struct cli *c, const char *request, struct proof_set *ret, struct fault *f)
{
	TRY(cli_desk(c, "request.show", json_pack("{s:s}", "request", request), true, false, &ret->answer, f));
	const char *text = json_string_value(json_object_get(ret->answer, "tally"));
	if (json_object_get(ret->answer, "delivery") && text && !*text)
		return fault_raise(f, ERR_RULE, "key_at_desk", "request",
				   "the desk makes the key of request %s: there is nothing to sign, submit it",
				   ESC(request, strlen(request)));
	if (!text || !*text)
		return fault_raise(f, ERR_RULE, "tally_missing", "request", "request %s has no tally text yet",
				   ESC(request, strlen(request)));
	return proof_read(slice_str(text), ret, f);
}

/* --- the keys --- */

/* Is the key itself named in the text? */
static bool is_pinned(const struct proof_set *p, int which)
{
	return which == PROOF_KEY_NEW || (p->tally.has_key && !p->tally.key_is_new);
}

enum err proof_take_key(struct proof_set *p, int which, struct pubkey *key, struct fault *f)
{
	char found[65], wanted[65];
	struct proof_key *k = &p->keys[which];
	if (is_pinned(p, which) && memcmp(key->spki_sha256, p->tally.key_sha256, 32) != 0) {
		hex_lower(key->spki_sha256, 32, found);
		hex_lower(p->tally.key_sha256, 32, wanted);
		return fault_raise(f, ERR_RULE, which == PROOF_KEY_NEW ? "proof_csr" : "proof_certificate", "tally.key",
				   "%s has the hash %s at the desk, but the tally says %s: do not sign", k->what, found,
				   wanted);
	}
	k->key = *key;
	k->there = true;
	*key = (struct pubkey){0};
	return OK;
}

enum err proof_take_certificate(struct proof_set *p, const char *pem, struct fault *f)
{
	const struct serial *wanted = &p->tally.predecessor.serial;
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	if (!serial_eq(&cert.serial, wanted))
		return fault_raise(f, ERR_RULE, "proof_certificate", "tally.predecessor",
				   "the desk gives certificate %s, but the tally names %s: do not sign",
				   SERIAL(&cert.serial), SERIAL(wanted));
	return proof_take_key(p, PROOF_KEY_CURRENT, &cert.key, f);
}

static enum err current_key(struct cli *c, struct proof_set *p, struct fault *f)
{
	const struct tally *t = &p->tally;
	_cleanup_(json_freep) json_t *r = NULL;
	char issuer[41];
	hex_lower(t->predecessor.issuer_key_id, 20, issuer);
	TRY(cli_desk(c, "cert.show", json_pack("{s:s,s:s}", "serial", SERIAL(&t->predecessor.serial), "issuer", issuer),
		     true, false, &r, f));
	const char *pem = json_string_value(json_object_get(r, "pem"));
	return proof_take_certificate(p, pem ? pem : "", f);
}

static enum err new_key(struct proof_set *p, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	const char *pem = json_string_value(json_object_get(p->answer, "csr"));
	TRY(pem_or_der(slice_str(pem ? pem : ""), "CERTIFICATE REQUEST", &der, f));
	TRY(csr_parse(buf_slice(&der), &csr, f));
	return proof_take_key(p, PROOF_KEY_NEW, &csr.key, f);
}

enum err proof_load_keys(struct cli *c, struct proof_set *p, struct fault *f)
{
	if (p->tally.has_predecessor)
		TRY(current_key(c, p, f));
	if (p->tally.has_key && p->tally.key_is_new)
		TRY(new_key(p, f));
	return OK;
}

/* --- the lines --- */

static enum err add_line(struct proof_set *p, const struct proof_key *k, const char *line, struct fault *f)
{
	size_t i, mark = strlen("— "), n = strlen(k->name);
	json_t *v;
	json_array_foreach(p->lines, i, v)
	{
		const char *name = json_string_value(v) + mark;
		if (strncmp(name, k->name, n) == 0 && name[n] == ' ')
			return fault_raise(f, ERR_CONFIG, "proof_twice", "request",
					   "%s was given twice: once is enough", k->what);
	}
	json_array_append_new(p->lines, json_string(line));
	return OK;
}

enum err proof_add(struct proof_set *p, const struct proof_key *k, struct slice sig, struct fault *f)
{
	_cleanup_(freep) char *line = NULL;
	TRY(line_by_signature(p->text, k->name, &k->key, sig, &line, f));
	return add_line(p, k, line, f);
}

enum err proof_add_pem(struct proof_set *p, int which, const char *key_path, struct fault *f)
{
	const struct proof_key *k = &p->keys[which];
	_cleanup_(freep) char *line = NULL;
	if (which == PROOF_KEY_CURRENT && !p->tally.has_predecessor)
		return fault_raise(f, ERR_CONFIG, "proof_key", "--key",
				   "this tally names no predecessor: only --new-key can prove it");
	TRY(line_by_pem(p->text, k->name, key_path, &line, f));
	return add_line(p, k, line, f);
}
