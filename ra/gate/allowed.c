/*
 * What a browser may call, by audience: a closed list. What the desk offers its operators, notifiers, gates and payment providers is
 * not here, so that a page that somebody has taken over cannot reach it even when the gate's Unix user may.
 */
#include "ra/gate/portal.h"

#include <string.h>

static const struct allowed subscribers[] = {
	{"account.agent", SESSION_WANTED, false},    {"account.check", SESSION_MAYBE, false},
	{"account.choose", SESSION_WANTED, false},   {"account.contact", SESSION_WANTED, false},
	{"account.end", SESSION_WANTED, false},	     {"account.forgot", SESSION_NONE, false},
	{"account.freeze", SESSION_NONE, false},     {"account.licence", SESSION_NONE, false},
	{"account.link", SESSION_WANTED, false},     {"account.login", SESSION_BEGINS, false},
	{"account.logout", SESSION_ENDS, false},     {"account.password", SESSION_WANTED, false},
	{"account.picture", SESSION_NONE, false},    {"account.proof", SESSION_WANTED, false},
	{"account.prove", SESSION_WANTED, false},    {"account.register", SESSION_NONE, false},
	{"account.reset", SESSION_WANTED, false},    {"account.sessions", SESSION_WANTED, false},
	{"account.show", SESSION_WANTED, false},     {"account.sms", SESSION_MAYBE, false},
	{"calendar.show", SESSION_NONE, false},	     {"cert.list", SESSION_WANTED, false},
	{"cert.show", SESSION_WANTED, false},	     {"form.get", SESSION_MAYBE, false},
	{"form.list", SESSION_NONE, false},	     {"material.abandon", SESSION_MAYBE, false},
	{"material.begin", SESSION_MAYBE, false},    {"material.finish", SESSION_MAYBE, false},
	{"material.get", SESSION_MAYBE, false},	     {"material.part", SESSION_MAYBE, false},
	{"material.put", SESSION_MAYBE, false},	     {"material.remove", SESSION_MAYBE, false},
	{"order.cancel", SESSION_WANTED, false},     {"order.create", SESSION_WANTED, false},
	{"order.invoice", SESSION_WANTED, false},    {"order.list", SESSION_WANTED, false},
	{"order.pay", SESSION_WANTED, false},	     {"order.show", SESSION_WANTED, false},
	{"parcel.list", SESSION_WANTED, false},	     {"parcel.receive", SESSION_WANTED, false},
	{"parcel.show", SESSION_WANTED, false},	     {"project.search", SESSION_NONE, false},
	{"project.show", SESSION_NONE, false},	     {"receipt.get", SESSION_WANTED, false},
	{"recover.open", SESSION_WANTED, false},     {"request.hold", SESSION_WANTED, false},
	{"request.list", SESSION_WANTED, false},     {"request.prepare", SESSION_WANTED, false},
	{"request.prove", SESSION_WANTED, false},    {"request.show", SESSION_WANTED, false},
	{"request.submit", SESSION_WANTED, false},   {"request.ways", SESSION_WANTED, false},
	{"request.withdraw", SESSION_WANTED, false}, {"service.apply", SESSION_WANTED, false},
	{"service.list", SESSION_WANTED, false},     {"status.query", SESSION_MAYBE, false},
	{"token.mine", SESSION_WANTED, false},	     {"unlock.open", SESSION_WANTED, false},
	{"unlock.renew", SESSION_WANTED, false},     {"unlock.report", SESSION_WANTED, false},
	{"unlock.take", SESSION_WANTED, false},
};

static const struct allowed officers[] = {
	{"account.case", SESSION_NONE, false},
	{"account.cases", SESSION_NONE, false},
	{"account.decide", SESSION_NONE, false},
	{"account.find", SESSION_NONE, false},
	{"account.grant", SESSION_NONE, false},
	{"audit.list", SESSION_NONE, false},
	{"calendar.show", SESSION_NONE, false},
	{"crl.get", SESSION_NONE, false},
	{"desk.figures", SESSION_NONE, false},
	{"desk.health", SESSION_NONE, false},
	{"desk.law", SESSION_NONE, false},
	{"desk.outlook", SESSION_NONE, false},
	{"form.get", SESSION_NONE, false},
	{"form.list", SESSION_NONE, false},
	{"material.get", SESSION_NONE, false},
	{"notice.list", SESSION_NONE, false},
	{"notice.retry", SESSION_NONE, false},
	{"notice.show", SESSION_NONE, false},
	{"order.confirm", SESSION_NONE, false},
	{"order.find", SESSION_NONE, false},
	{"order.invoiced", SESSION_NONE, false},
	{"order.payments", SESSION_NONE, false},
	{"order.refund", SESSION_NONE, false},
	{"parcel.list", SESSION_NONE, false},
	{"parcel.lost", SESSION_NONE, true},
	{"parcel.pack", SESSION_NONE, true},
	{"parcel.returned", SESSION_NONE, true},
	{"parcel.ship", SESSION_NONE, true},
	{"parcel.show", SESSION_NONE, false},
	{"project.search", SESSION_NONE, false},
	{"project.show", SESSION_NONE, false},
	{"review.approve", SESSION_NONE, false},
	{"review.claim", SESSION_NONE, true},
	{"review.correct", SESSION_NONE, true},
	{"review.decide", SESSION_NONE, true},
	{"review.prepare", SESSION_NONE, true},
	{"review.queue", SESSION_NONE, false},
	{"review.recover", SESSION_NONE, true},
	{"review.reject", SESSION_NONE, true},
	{"review.release_claim", SESSION_NONE, true},
	{"review.show", SESSION_NONE, false},
	{"status.query", SESSION_NONE, false},
	{"token.list", SESSION_NONE, false},
	{"token.move", SESSION_NONE, true},
	{"token.show", SESSION_NONE, false},
};

static const struct {
	const struct allowed *v;
	size_t n;
} lists[] = {[AUDIENCE_SUBSCRIBERS] = {subscribers, sizeof(subscribers) / sizeof(subscribers[0])},
	     [AUDIENCE_OFFICERS] = {officers, sizeof(officers) / sizeof(officers[0])}};

const struct allowed *allowed_find(enum gate_audience audience, const char *method)
{
	for (size_t i = 0; i < lists[audience].n; i++) {
		if (strcmp(lists[audience].v[i].method, method) == 0)
			return &lists[audience].v[i];
	}
	return NULL;
}

size_t allowed_count(enum gate_audience audience)
{
	return lists[audience].n;
}
