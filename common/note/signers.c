/*
 * Whose hands are on a note, by the roster. Every line must be accounted for: a line that names a member and does not
 * hold, or that names nobody, makes the whole note worthless rather than being passed over, since honest parties never
 * make one. Subscribers' and new keys' lines are not the roster's; whoever allows them here verifies them by the
 * certificate or request they belong to.
 */
#include "common/note/roster.h"

#include <string.h>

static bool is_subscriber(const char *name)
{
	return strncmp(name, "sub:", 4) == 0 || strcmp(name, NOTE_NEW_KEY) == 0;
}

bool member_signed(const struct member *m, const struct note *n, const struct note_sig *s)
{
	return m->known ? note_sig_holds_known(n, s, m->known) : note_sig_holds_ed25519(n, s, m->key);
}

/* A member's one valid line; a responder has none here: its key signs as new key. */
static enum err line_check(const struct note *n, const struct note_sig *s, const struct member *m, struct fault *f)
{
	char where[96];

	if (m == NULL || m->role == ROLE_RESPONDER || m->role == ROLE_SIGNER)
		return fault_raise(f, ERR_RULE, "signer_unknown", "note.signatures",
				   "found a line of \"%s\", wanted lines of people and services of the roster",
				   s->name);
	if (member_signed(m, n, s))
		return OK;
	snprintf(where, sizeof(where), "note.signatures.%s", m->name);
	return fault_raise(f, ERR_CRYPTO, "signature", where, "the line of \"%s\" does not hold for the roster's key",
			   s->name);
}

enum err roster_signers(const struct roster *r, const struct note *n, bool allow_subscribers,
			const struct note_sig *known, struct signers *ret, struct fault *f)
{
	struct signers found = {0};

	for (size_t i = 0; i < n->n_sigs; i++) {
		const struct note_sig *s = &n->sigs[i];
		const struct member *m = roster_by_name(r, s->name);

		if (allow_subscribers && is_subscriber(s->name))
			continue;
		if (s != known)
			TRY(line_check(n, s, m, f));
		found.who[found.n++] = m;
	}
	*ret = found;
	return OK;
}

size_t signers_officers(const struct signers *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen = seen || s->who[j] == s->who[i];
		n += !seen && s->who[i]->role == ROLE_OFFICER;
	}
	return n;
}

enum err roster_quorum(const struct roster *r, const struct note *n, const char *object, struct fault *f)
{
	struct signers s;
	size_t officers;

	TRY(roster_signers(r, n, false, NULL, &s, f));
	for (size_t i = 0; i < s.n; i++) {
		if (s.who[i]->role != ROLE_OFFICER)
			return fault_raise(f, ERR_RULE, "signer_role", object,
					   "found a line of \"%s\", role %s, wanted officers alone", s.who[i]->name,
					   role_word(s.who[i]->role));
	}
	officers = signers_officers(&s);
	if (officers < r->quorum)
		return fault_raise(f, ERR_RULE, "quorum", object,
				   "found signatures of %zu different officers, wanted at least %llu", officers,
				   (unsigned long long)r->quorum);
	return OK;
}
