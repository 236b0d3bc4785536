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

/* Could somebody still use it or follow it? */
static bool is_live(const struct draw *d, const struct cert_row *row)
{
	int64_t after = row->successor == 0 ? d->verdict.profile->window_after_days * 86400 : 0;
	return row->state != CERT_REVOKED && row->state != CERT_ENDED && row->not_after + after >= d->facts.now;
}

enum err draw_check_line(struct ctx *c, const struct draw *d, struct fault *f)
{
	struct cert_row same[SAME_MAX];
	_cleanup_(name_done) struct name after = {0};
	const char *attribute = d->verdict.profile ? d->verdict.profile->identifier : NULL;
	int64_t ours, theirs;
	size_t n = 0;
	if (!attribute || !tally_subject_differs(&d->tally))
		return OK;
	TRY(tally_subject_after(&d->tally, &after, f));
	const char *value = name_get(&after, attribute);
	if (!value || strcmp(value, d->body.identifier) == 0)
		return OK;
	TRY(root_of(c->db, &d->row, &ours, f));
	TRY(store_certs_with_identifier(c->db, d->body.profile, value, same, SAME_MAX, &n, f));
	for (size_t i = 0; i < n; i++) {
		TRY(root_of(c->db, &same[i], &theirs, f));
		if (theirs != ours && is_live(d, &same[i]))
			return fault_raise(f, ERR_RULE, "line_occupied", "params.subject",
					   "identifier %s lives in another certificate", ESC(value, strlen(value)));
	}
	return OK;
}
