/*
 * A desk's database as after years: accounts, certificates, services, orders, payments, open requests with their materials, USB keys and
 * parcels, sessions and an audit. Written straight through the desk's store, before the desk is started.
 */
#ifndef HUFU_BENCHMARK_CROWD_H
#define HUFU_BENCHMARK_CROWD_H

#include "ra/store_request.h"
#include "tools/benchmark/stock.h"

#define CROWD_ACCOUNTS 1000u /* that have a session and much of their own */
#define CROWD_OWN 20u	     /* certificates, services, orders and open requests of each of those */
#define CROWD_RARE "quzhou" /* a project that one in 2,000 of the other accounts are of */
#define CROWD_LEAST 20000u  /* certificates: those of the accounts above */
#define CROWD_MAX_ACCOUNTS 50000000u
#define CROWD_DUE_DAYS 60
#define CROWD_NAME 64
#define CROWD_LIFE_S (20 * 3600) /* sessions end soon after */

/* Zero but for certificates. */
struct crowd {
	size_t certificates; /* to make; half as many accounts, a twentieth as many open requests */
	/* what has been made: */
	size_t n_certs, n_requests, n_keys, n_parcels;
	int64_t now, last_cert;
	double seconds; /* that it took */
	/* while it is made: */
	const struct item *items; /* real certificates, of the first of each account that has much of its own */
	char *tally;		  /* the text of one */
};
/* Fills state/desk.db. */
MUST_CHECK enum err crowd_fill(const char *state, struct crowd *w, struct fault *f);
/* What a later run must know of it, as a line of text. */
void crowd_put(const struct crowd *w, struct buf *ret);
MUST_CHECK enum err crowd_read(struct slice text, struct crowd *ret, struct fault *f);
size_t crowd_accounts(const struct crowd *w);
size_t crowd_requests(const struct crowd *w);

/* What is in it, the same in every run of the program. */
void crowd_serial(size_t certificate, struct serial *ret);
/* Of account i < CROWD_ACCOUNTS: the token of a session that this user holds for a day. */
void crowd_token(size_t i, char ret[33]);
void crowd_identifier(size_t account, char ret[16]);
/* Of an account's organisation: its name, or word: a rare part of it. */
void crowd_name(size_t account, char ret[CROWD_NAME], bool word);
void crowd_request(size_t i, char ret[REQUEST_ID + 1]);
/* The request of account i < CROWD_ACCOUNTS whose certificate is a real one. */
size_t crowd_whole_request(size_t account);
/* The serial number of a USB key, and the request of a parcel that is under way. */
void crowd_key(size_t i, char ret[16]);
size_t crowd_parcel(size_t i);
void crowd_order(size_t certificate, char ret[ORDER_ID_MAX + 1]);
int64_t crowd_due(const struct crowd *w, size_t request);

#endif
