/*
 * The first roster and policy: made from the keys and files of a new tree and signed by all its officers.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/setup.h"

#include <string.h>

static enum err sign_by_officers(const struct setup *s, struct buf *note, struct fault *f)
{
	for (const char *const *name = setup_officers; *name; name++) {
		_cleanup_(person_key_done) struct person_key k = {0};
		_cleanup_(freep) char *path = setup_person_path(s->dir, *name);
		TRY(person_key_load(path, NULL, &k, f));
		TRY(note_sign_ed25519(note, k.name, k.secret.p, f));
	}
	return OK;
}

static enum err write_signed(const struct setup *s, struct slice text, const char *name, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	_cleanup_(freep) char *path = path_join(s->dir, name);
	note_begin(text, &note);
	TRY(sign_by_officers(s, &note, f));
	return file_write_new(path, buf_slice(&note), 0644, f);
}

static enum err add_member(struct roster *r, enum role role, const char *key_path, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	TRY(person_key_load(key_path, NULL, &k, f));
	struct member *m = &r->members[r->n_members++];
	m->role = role;
	snprintf(m->name, sizeof m->name, "%s", k.name);
	memcpy(m->key, k.public_key, sizeof m->key);
	m->projects = xstrdup("*");
	m->all_kinds = true;
	return OK;
}

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static enum err make_roster(const struct setup *s, const uint8_t ca[20], struct fault *f)
{
	_cleanup_(roster_done) struct roster r = {.version = 1, .quorum = 2, .made = clock_now()};
	_cleanup_buf_ struct buf text = {0};
	r.members = xcalloc(8, sizeof *r.members);
	memcpy(r.ca, ca, sizeof r.ca);
	for (const char *const *name = setup_officers; *name; name++) {
		_cleanup_(freep) char *path = setup_person_path(s->dir, *name);
		TRY(add_member(&r, ROLE_OFFICER, path, f));
	}
	_cleanup_(freep) char *ra = path_join(s->dir, "var/lib/hufu-ra/ra.key");
	TRY(add_member(&r, ROLE_RA, ra, f));
	qsort(r.members, r.n_members, sizeof *r.members, by_name);
	roster_put(&r, &text);
	return write_signed(s, buf_slice(&text), "etc/hufu/roster.note", f);
}

static enum err make_policy(const struct setup *s, const uint8_t ca[20], struct fault *f)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *dir = path_join(s->dir, "etc/hufu/policies");
	struct policy_note head = {.version = 1, .made = clock_now()};
	memcpy(head.ca, ca, sizeof head.ca);
	TRY(policy_read_dir(dir, &files, &n, f));
	policy_note_make(files, n, &head, &text);
	policy_sources_done(files, n);
	return write_signed(s, buf_slice(&text), "etc/hufu/policies/policy.note", f);
}

enum err setup_notes(const struct setup *s, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert issuing = {0};
	_cleanup_(freep) char *path = path_join(s->dir, "etc/hufu/issuing.crt");
	TRY(der_load(path, "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &issuing, f));
	TRY(make_roster(s, issuing.key.key_id, f));
	return make_policy(s, issuing.key.key_id, f);
}
