/*
 * What a receipt says of a certificate, checked offline by whoever trusts a log key and a roster.
 */
#ifndef HUFU_TOOLS_RECEIPT_CHECK_H
#define HUFU_TOOLS_RECEIPT_CHECK_H

#include "common/note/checkpoint.h"
#include "common/note/roster.h"
#include "common/pki/cert.h"

struct receipt_trust {
	const struct log_key *log;
	const struct roster *roster;
	/* The chain above: both or none. Without them the issuing CA is the key that the roster names by its id. */
	const struct cert *issuer, *root;
};
/* Checks everything in order, and stops at the first thing that does not hold:
 *   the checkpoint, by the log key; each entry's path to it
 *   the roster: the very one that the intent names (ERR_RULE receipt_roster says which version was given)
 *   chain: certificate by the issuing CA's key, which the roster names; where they are given, by issuer, and issuer by root
 *   certificate: the intent's to-be-signed bytes under the outcome's signature
 *   tally: every line by predecessor, new key or roster; as many proofs and officers as the kind's floor asks
 *   that the certificate is what the tally asks: subject, key, latest end
 * Appends what was found, in words, in English and Chinese. ERR_PARSE, ERR_RULE, ERR_CRYPTO; where says which part of the receipt. */
MUST_CHECK enum err receipt_check(struct slice cert_der, struct slice receipt, const struct receipt_trust *trust, struct buf *ret_words,
				  struct fault *f);

#endif
