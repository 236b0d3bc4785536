/*
 * Faults as answers on the binary wire: a fault leaves as WIRE_FAULT and is raised again, word for word, at the other
 * end.
 */
#include "common/rpc/fault.h"
#include "common/rpc/wire.h"

#include "common/base/cleanup.h"

#include <string.h>

void wire_put_fault(const struct fault *f, uint32_t retry_ms, struct buf *ret)
{
	struct fault out;
	char ref[FAULT_REF];
	fault_publish(f, &out, ref);
	struct wire_fault m = {
		.kind = slice_str(err_word(out.kind)),
		.rule = slice_str(out.rule),
		.where = slice_str(out.where),
		.text = slice_str(out.text),
		.retry_ms = retry_ms,
	};
	wire_fault_put(&m, ret);
}

/* Copies a field of at most size - 1 bytes, which the limits of WIRE_FAULT grant. */
static void copy_text(char *ret, size_t size, struct slice s)
{
	size_t n = s.n < size ? s.n : size - 1;
	if (n > 0)
		memcpy(ret, s.p, n);
	ret[n] = 0;
}

static enum err raise_remote(const struct wire_fault *m, struct fault *f)
{
	_cleanup_(freep) char *word = slice_dup_str(m->kind);
	enum err kind;
	if (!err_from_word(word, &kind) || kind == OK)
		return fault_raise(f, ERR_NET, "wire_kind", "fault.kind",
				   "the peer answered with an unknown kind of fault \"%s\"", ESC(m->kind.p, m->kind.n));
	if (f) {
		f->kind = kind;
		copy_text(f->rule, sizeof(f->rule), m->rule);
		copy_text(f->where, sizeof(f->where), m->where);
		copy_text(f->text, sizeof(f->text), m->text);
	}
	return kind;
}

enum err wire_expect(struct slice bytes, enum wire_type want, uint32_t *ret_retry_ms, struct fault *f)
{
	enum wire_type type;
	struct fault inner;
	if (wire_type(bytes, &type, &inner) != OK)
		return fault_raise(f, ERR_NET, "wire_answer", wire_type_word(want),
				   "the peer's answer is unreadable: %s", inner.text);
	if (type == WIRE_TYPE_FAULT) {
		struct wire_fault m;
		if (wire_fault_get(bytes, &m, &inner) != OK)
			return fault_raise(f, ERR_NET, "wire_answer", inner.where, "the peer's fault is unreadable: %s",
					   inner.text);
		if (ret_retry_ms)
			*ret_retry_ms = m.retry_ms;
		return raise_remote(&m, f);
	}
	if (type != want)
		return fault_raise(f, ERR_NET, "wire_answer", wire_type_word(want), "the peer answered %s, wanted %s",
				   wire_type_word(type), wire_type_word(want));
	return OK;
}
