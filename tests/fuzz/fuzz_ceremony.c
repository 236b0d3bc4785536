/*
 * Ceremony files: what is taken as a file of its kind has what the kind wants, and an output for all that comes of it.
 */
#include "tests/fuzz/as_file.h"
#include "tests/fuzz/mutate.h"

#include "ca/ceremony_private.h"
#include "common/base/cleanup.h"

static void look_at(const struct ceremony_file *c)
{
	must(c->kind >= 0 && c->kind < CEREMONY_KIND_N && ceremony_kind_word(c->kind)[0]);
	unsigned bit = 1u << c->kind;
	must(c->name && c->outputs.transcript);
	must(!(bit & CEREMONY_CERTIFICATES) == !c->outputs.certificate);
	must(!(bit & CEREMONY_CERTIFICATES) || (c->subject.n > 0 && c->name_meant.n > 0 && c->outputs.key));
	must(!(bit & CEREMONY_CERTIFICATES) || c->validity.not_before < c->validity.not_after);
	must(!(bit & CEREMONY_CRLS) || (c->outputs.crl && c->has_crl && c->crl.this_update < c->crl.next_update));
	must(!(bit & (CEREMONY_BIT(ROLLOVER) | CEREMONY_BIT(REVOKE_CA))) || (c->has_approval && c->approval.note));
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ceremony_file_done) struct ceremony_file c = {0};
	struct fault f = {0};
	const char *path = as_file(data, size);
	enum err e = ceremony_file_load(path, &c, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		look_at(&c);
	return 0;
}
