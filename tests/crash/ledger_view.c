/*
 * Reading the ledger over FOLLOW, as the desk's follower does, but keeping only the issues.
 */
#include "tests/crash/ledger_view.h"

#include "common/rpc/server.h"
#include "common/rpc/wire.h"

#include <string.h>

#include "common/base/cleanup.h"

#define FOLLOW_PART 256
#define FOLLOW_TIMEOUT_MS 30000

void ledger_view_done(struct ledger_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		buf_done(&v->outcomes[i].tbs);
	freep(&v->outcomes);
	v->n = v->cap = 0;
}

const struct outcome *ledger_view_find(const struct ledger_view *v, const uint8_t tally[TALLY_ID])
{
	for (size_t i = 0; i < v->n; i++)
		if (memcmp(v->outcomes[i].tally, tally, TALLY_ID) == 0)
			return &v->outcomes[i];
	return NULL;
}

static struct outcome *outcome_of(struct ledger_view *v, const uint8_t tally[TALLY_ID])
{
	for (size_t i = v->n; i-- > 0;)
		if (memcmp(v->outcomes[i].tally, tally, TALLY_ID) == 0)
			return &v->outcomes[i];
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->outcomes = xrealloc(v->outcomes, v->cap, sizeof *v->outcomes);
	}
	struct outcome *o = &v->outcomes[v->n++];
	memset(o, 0, sizeof *o);
	memcpy(o->tally, tally, TALLY_ID);
	return o;
}

static enum err take_intent(struct ledger_view *v, struct slice body, struct fault *f)
{
	struct wire_e_intent e = {0};
	TRY(wire_e_intent_get(body, &e, f));
	struct outcome *o = outcome_of(v, e.tally);
	o->intents++;
	o->responder = memmem(e.note.p, e.note.n, "\nkind: responder\n", 17);
	buf_clear(&o->tbs);
	buf_add_slice(&o->tbs, e.tbs);
	return OK;
}

static enum err take_entry(struct ledger_view *v, struct slice body, struct fault *f)
{
	enum wire_type type;
	struct wire_e_issued issued = {0};
	struct wire_e_dead dead = {0};
	TRY(wire_type(body, &type, f));
	v->entries++;
	if (type == WIRE_TYPE_E_INTENT)
		return take_intent(v, body, f);
	if (type == WIRE_TYPE_E_ISSUED) {
		TRY(wire_e_issued_get(body, &issued, f));
		struct outcome *o = outcome_of(v, issued.tally);
		o->issued++;
		v->issued += !o->responder;
	}
	if (type == WIRE_TYPE_E_DEAD) {
		TRY(wire_e_dead_get(body, &dead, f));
		outcome_of(v, dead.tally)->dead++;
	}
	return OK;
}

static enum err follow_part(struct rpc_client *c, struct ledger_view *v, bool *ret_end, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_entries part = {0};
	enum err e = OK;
	wire_follow_put(&(struct wire_follow){.from = v->entries, .max = FOLLOW_PART, .wait_ms = 0}, &request);
	TRY(rpc_call(c, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_ENTRIES, NULL, f));
	TRY(wire_entries_get(buf_slice(&reply), &part, f));
	for (size_t i = 0; i < part.entries.n && e == OK; i++)
		e = take_entry(v, part.entries.v[i], f);
	*ret_end = v->entries >= part.size;
	wire_entries_done(&part);
	return e;
}

enum err ledger_view_read(const char *socket, struct ledger_view *ret, struct fault *f)
{
	_cleanup_(rpc_client_closep) struct rpc_client *c = NULL;
	bool end = false;
	TRY(rpc_client_open(socket, FOLLOW_TIMEOUT_MS, WIRE_MAX_MESSAGE, &c, f));
	while (!end)
		TRY(follow_part(c, ret, &end, f));
	return OK;
}
