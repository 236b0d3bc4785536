/*
 * A bundle: its files taken apart by folder, each loaded by its own reader, and all of them held against the list of
 * the policy note. A file that is in one and not in the other, or has another hash, refuses the whole. Reading a folder
 * and writing the note's text are in bundle.c. Next: profile.c.
 */
#include "common/policy/profile.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <stdio.h>
#include <string.h>

#define MAX_NOTICE (64u * 1024u)

/* Paths may be outside bytes, and stand in messages and marks as they are: only the characters of a policy note's paths
 * pass. */
static bool in_folder(const struct policy_source *s, const char *folder, const char *suffix)
{
	size_t n = strlen(folder), m = strlen(s->path), k = strlen(suffix);

	return strncmp(s->path, folder, n) == 0 && m > n + k && strcmp(s->path + m - k, suffix) == 0 &&
	       strspn(s->path + n, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == m - n;
}

static enum err notice_load(const struct policy_source *s, struct notice *ret, struct fault *f)
{
	struct slice text = buf_slice(&s->bytes);

	if (!path_stem(s->path, ret->name, sizeof(ret->name)) || !word_valid(slice_str(ret->name), TALLY_WORD))
		return fault_raise(
			f, ERR_CONFIG, "name_form", s->path,
			"%s: found a file name that is no version, wanted at most %d of a-z, 0-9 and '-' and .txt",
			s->path, TALLY_WORD - 1);
	if (text.n == 0 || text.n > MAX_NOTICE || !utf8_valid(text.p, text.n) || memchr(text.p, '\0', text.n) != NULL)
		return fault_raise(f, ERR_CONFIG, "notice_text", s->path,
				   "%s: wanted 1 to %u bytes of UTF-8 text without NUL", s->path, MAX_NOTICE);
	sha256(text.p, text.n, ret->sha256);
	ret->text = slice_dup_str(text);
	return OK;
}

static enum err issuer_load(const struct policy_source *s, struct pinned_issuer *ret, struct fault *f)
{
	enum err e = pem_or_der(buf_slice(&s->bytes), "CERTIFICATE", &ret->der, f);

	if (e == OK)
		e = cert_parse(buf_slice(&ret->der), &ret->cert, f);
	if (e != OK) {
		fault_prefix(f, "%s", s->path);
		return e;
	}
	if (ret->cert.has_bc && !ret->cert.is_ca)
		return fault_raise(f, ERR_CONFIG, "issuer_ca", s->path,
				   "%s: found a certificate whose cA is false, wanted a CA's (RFC 5280 4.2.1.9)",
				   s->path);
	return OK;
}

/* One file into its place; the arrays have room for all. */
static enum err file_load(struct policy *p, const struct policy_source *s, struct fault *f)
{
	struct slice text = buf_slice(&s->bytes);

	if (in_folder(s, "profiles/", ".yaml"))
		return profile_decode(s->path, text, &p->profiles[p->n_profiles++], f);
	if (in_folder(s, "projects/", ".yaml"))
		return project_decode(s->path, text, &p->projects[p->n_projects++], f);
	if (in_folder(s, "notices/", ".txt"))
		return notice_load(s, &p->notices[p->n_notices++], f);
	if (in_folder(s, "forms/", ".txt"))
		return notice_load(s, &p->forms[p->n_forms++], f);
	if (in_folder(s, "issuers/", ".crt"))
		return issuer_load(s, &p->issuers[p->n_issuers++], f);
	return fault_raise(
		f, ERR_CONFIG, "file_place", "policy",
		"found file %s, wanted profiles/*.yaml, projects/*.yaml, issuers/*.crt, notices/*.txt, forms/*.txt",
		ESC(s->path, strlen(s->path)));
}

static enum err issuers_differ(const struct policy *p, struct fault *f)
{
	for (size_t i = 0; i < p->n_issuers; i++) {
		for (size_t j = 0; j < i; j++) {
			if (memcmp(p->issuers[i].cert.key.key_id, p->issuers[j].cert.key.key_id, 20) == 0)
				return fault_raise(f, ERR_CONFIG, "issuer_twice", "policy.issuers",
						   "found two pinned issuers with one key, wanted each key once");
		}
	}
	return OK;
}

/* policy_note_parse() has seen that the note's own list is sorted and names no path twice. */
static enum err listed(const struct policy_note *note, const struct policy_source *files, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_file *at = NULL;
		uint8_t hash[32];

		for (size_t j = 0; j < note->n_files && at == NULL; j++) {
			if (strcmp(note->files[j].path, files[i].path) == 0)
				at = &note->files[j];
		}
		if (at == NULL)
			return fault_raise(f, ERR_RULE, "policy_files", "policy.file",
					   "found file %s, which the policy note does not list",
					   ESC(files[i].path, strlen(files[i].path)));
		sha256(files[i].bytes.data, files[i].bytes.len, hash);
		if (memcmp(hash, at->sha256, 32) != 0)
			return fault_raise(f, ERR_RULE, "policy_files", "policy.file",
					   "found file %s with another SHA-256 than the policy note lists", at->path);
	}
	if (n != note->n_files)
		return fault_raise(f, ERR_RULE, "policy_files", "policy.file",
				   "found %zu files, wanted the %zu that the policy note lists", n, note->n_files);
	return OK;
}

static enum err note_load(struct policy *p, struct slice bytes, const struct policy_source *files, size_t n,
			  struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};

	TRY(note_parse(bytes, 0, &note, f));
	TRY(policy_note_parse(note.text, &p->note, f));
	TRY(listed(&p->note, files, n, f));
	buf_add_slice(&p->note_text, bytes);
	return OK;
}

static enum err bounds_check(const struct policy_source *files, size_t n, struct fault *f)
{
	size_t bytes = 0;

	if (n > POLICY_MAX_FILES)
		return fault_raise(f, ERR_LIMIT, "policy_files", "policy", "found %zu files, wanted at most %d", n,
				   POLICY_MAX_FILES);
	for (size_t i = 0; i < n; i++) {
		if (files[i].bytes.len > POLICY_MAX_BUNDLE - bytes)
			return fault_raise(f, ERR_LIMIT, "policy_bytes", "policy",
					   "found more than %u bytes in all files", POLICY_MAX_BUNDLE);
		bytes += files[i].bytes.len;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(files[i].path, files[j].path) == 0)
				return fault_raise(f, ERR_CONFIG, "file_twice", "policy", "found file %s twice",
						   ESC(files[i].path, strlen(files[i].path)));
		}
	}
	return OK;
}

enum err policy_load(struct slice note, const struct policy_source *files, size_t n, struct policy **ret,
		     struct fault *f)
{
	_cleanup_(policy_freep) struct policy *p = xcalloc(1, sizeof(*p));

	TRY(bounds_check(files, n, f));
	if (note.n > 0)
		TRY(note_load(p, note, files, n, f));
	/* Decoded structs stay where they are, so room for all is made first. */
	p->profiles = xcalloc(n + 1, sizeof(*p->profiles));
	p->projects = xcalloc(n + 1, sizeof(*p->projects));
	p->notices = xcalloc(n + 1, sizeof(*p->notices));
	p->forms = xcalloc(n + 1, sizeof(*p->forms));
	p->issuers = xcalloc(n + 1, sizeof(*p->issuers));
	for (size_t i = 0; i < n; i++)
		TRY(file_load(p, &files[i], f));
	TRY(issuers_differ(p, f));
	if (note.n > 0)
		snprintf(p->origin, sizeof(p->origin), "policy version %llu", (unsigned long long)p->note.version);
	else
		snprintf(p->origin, sizeof(p->origin), "policy without a note");
	*ret = TAKE(p);
	return OK;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_profiles; i++)
		profile_done(&p->profiles[i]);
	for (size_t i = 0; i < p->n_projects; i++)
		project_done(&p->projects[i]);
	for (size_t i = 0; i < p->n_notices; i++)
		free(p->notices[i].text);
	for (size_t i = 0; i < p->n_forms; i++)
		free(p->forms[i].text);
	for (size_t i = 0; i < p->n_issuers; i++) {
		cert_done(&p->issuers[i].cert);
		buf_done(&p->issuers[i].der);
	}
	free(p->profiles);
	free(p->projects);
	free(p->notices);
	free(p->forms);
	free(p->issuers);
	policy_note_done(&p->note);
	buf_done(&p->note_text);
	free(p);
}

bool policy_keeps_expired(const struct policy *p, int64_t *ret_days)
{
	*ret_days = EXPIRED_DAYS;
	for (size_t i = 0; i < p->n_profiles; i++) {
		const struct profile_ext *e = p->profiles[i].extensions.v;
		for (size_t k = 0; k < p->profiles[i].extensions.n; k++, e++) {
			if (e->keep_expired)
				return true;
			*ret_days = e->expired_days > *ret_days ? e->expired_days : *ret_days;
		}
	}
	return false;
}

const struct profile *policy_profile(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_profiles; i++) {
		if (strcmp(p->profiles[i].name, name) == 0)
			return &p->profiles[i];
	}
	return NULL;
}

const struct project *policy_project(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_projects; i++) {
		if (strcmp(p->projects[i].name, name) == 0)
			return &p->projects[i];
	}
	return NULL;
}

static const struct notice *text_by_name(const struct notice *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	return NULL;
}

const struct notice *policy_notice(const struct policy *p, const char *name)
{
	return text_by_name(p->notices, p->n_notices, name);
}

const struct notice *policy_form(const struct policy *p, const char *name)
{
	return text_by_name(p->forms, p->n_forms, name);
}

const struct pinned_issuer *policy_issuer(const struct policy *p, const uint8_t key_id[20])
{
	for (size_t i = 0; i < p->n_issuers; i++) {
		if (memcmp(p->issuers[i].cert.key.key_id, key_id, 20) == 0)
			return &p->issuers[i];
	}
	return NULL;
}
