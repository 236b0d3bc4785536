/*
 * One live line of certificates for an identifier: a change into one that lives elsewhere is told at once, before
 * officers have looked at it. The signer asks its own ledger again, and its word is the law.
 */
#include "ra/request.h"

#include <string.h>

#define SAME_MAX 16
#define LINE_LENGTH_MAX 1000

/* The first certificate of a line. */
static enum err root_of(struct db *db, const struct cert_row *row, int64_t *ret, struct fault *f)
{
	struct cert_row at = *row;
	for (int i = 0; i < LINE_LENGTH_MAX && at.predecessor != 0; i++)
		TRY(store_cert_by_id(db, at.predecessor, &at, f));
	*ret = at.id;
	return OK;
}

bool draw_cert_is_live(const struct draw *d, const struct cert_row *row)
{
	int64_t after = row->successor == 0 ? d->verdict.profile->window_after_days * 86400 : 0;
	return row->state != CERT_REVOKED && row->state != CERT_ENDED && row->not_after + after >= d->facts.now;
}

/* The certificate that the tally says is in the way, by its line; 0 when it names none. */
static enum err find_collides(struct ctx *c, const struct tally *t, int64_t *ret_root, struct fault *f)
{
	struct cert_row row;
	*ret_root = 0;
	if (!t->has_collides)
		return OK;
	enum err e = store_cert_by_ref(c->db, &t->collides, &row, f);
	if (e == OK)
		return root_of(c->db, &row, ret_root, f);
	*ret_root = -1;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Who else has the identifier; *ret_met when one of them is of the line `named`. */
static enum err check_same(struct ctx *c, const struct draw *d, const char *value, int64_t named, bool *ret_met,
			   struct fault *f)
{
	struct cert_row same[SAME_MAX];
	int64_t ours = 0, theirs;
	size_t n = 0;
	if (d->tally.has_predecessor)
		TRY(root_of(c->db, &d->row, &ours, f));
	TRY(store_certs_with_identifier(c->db, d->tally.profile, value, same, SAME_MAX, &n, f));
	for (size_t i = 0; i < n; i++) {
		TRY(root_of(c->db, &same[i], &theirs, f));
		if (theirs == ours || !draw_cert_is_live(d, &same[i]))
			continue;
		if (theirs != named)
			return fault_raise(f, ERR_RULE, "line_occupied", "params.subject",
					   "identifier %s lives in another certificate", ESC(value, strlen(value)));
		*ret_met = true;
	}
	return OK;
}

enum err draw_check_line(struct ctx *c, const struct draw *d, struct fault *f)
{
	_cleanup_(name_done) struct name after = {0};
	const char *attribute = d->verdict.profile ? d->verdict.profile->identifier : NULL;
	bool moves = attribute && tally_subject_differs(&d->tally), met = false;
	int64_t named;
	if (!moves && !d->tally.has_collides)
		return OK;
	TRY(tally_subject_after(&d->tally, &after, f));
	const char *value = moves ? name_get(&after, attribute) : NULL;
	TRY(find_collides(c, &d->tally, &named, f));
	if (value && strcmp(value, d->body.identifier) != 0)
		TRY(check_same(c, d, value, named, &met, f));
	if (named == 0 || met)
		return OK;
	return fault_raise(f, ERR_RULE, "collides_unknown", "params.collides",
			   "the certificate that is named is not in the way of this request");
}
