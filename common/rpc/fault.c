/*
 * The border between our log and a client: kinds that clients may hear pass, the rest are logged under a number and the
 * number alone goes out. Used by wire_fault.c and jsonrpc_error.c.
 */
#include "common/rpc/fault.h"

#include "common/base/buf.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A text may have been cut inside a code point, or come from bytes that nobody checked: what is not UTF-8 becomes "?".
 */
static void repair(char *text)
{
	size_t n = strlen(text), i = 0;
	uint8_t *p = (uint8_t *)text;
	while (i < n) {
		size_t at = i;
		if (utf8_next(p, n, &i) < 0) {
			p[at] = '?';
			i = at + 1;
		}
	}
}

void fault_publish(const struct fault *f, struct fault *ret, char ref[FAULT_REF])
{
	if (f->kind != OK && err_is_public(f->kind)) {
		*ret = *f;
		repair(ret->rule);
		repair(ret->where);
		repair(ret->text);
		ref[0] = 0;
		return;
	}
	uint64_t n;
	random_fill(&n, sizeof(n));
	snprintf(ref, FAULT_REF, "%010" PRIu64, n % UINT64_C(10000000000));
	log_event(LOG_LEVEL_ERROR, "internal_error", "ref=%s err=%s rule=%s where=%s text=%s", ref, err_word(f->kind),
		  LQ(f->rule), LQ(f->where), log_quote(f->text, (char[1300]){0}, 1300));
	(void)fault_raise(ret, ERR_INTERNAL, "internal_error", "", "internal error, reference %s", ref);
}
