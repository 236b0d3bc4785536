/*
 * OCSP answers, written. RFC 6960 4.2.
 */
#ifndef HUFU_RA_GATE_OCSP_ANSWER_H
#define HUFU_RA_GATE_OCSP_ANSWER_H

#include "common/pki/cert.h"

/* RFC 6960 4.2.1 OCSPResponseStatus. */
enum ocsp_status {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6,
};
enum ocsp_word { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
struct ocsp_single {
	struct slice cert_id; /* as it was asked, with tag */
	enum ocsp_word word;
	int64_t revoked_at;
	unsigned reason; /* 0: not written */
	int64_t this_update, next_update;
};
/* Appends a ResponseData. key_id: the responder's, 20 bytes; nonce: n 0 for none. */
void ocsp_answer_data(const uint8_t key_id[20], int64_t produced, const struct ocsp_single *v, size_t n, struct slice nonce, struct buf *ret);
/* Appends the OCSPResponse around it. */
void ocsp_answer_put(struct slice data, struct slice sigalg, struct slice signature, struct slice cert, struct buf *ret);
/* One without an answer: any status but successful. */
void ocsp_answer_error(enum ocsp_status status, struct buf *ret);

#endif
