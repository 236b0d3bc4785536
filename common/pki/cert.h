/*
 * Certificates and CRLs as they are read: walked by our own strict reader, views borrow the DER. RFC 5280.
 */
#ifndef HUFU_PKI_CERT_H
#define HUFU_PKI_CERT_H

#include "common/pki/der.h"
#include "common/pki/name.h"
#include "common/pki/pubkey.h"

#include <openssl/x509v3.h>

#define CERT_MAX_BYTES 16384
#define SERIAL_MAX 20
#define SERIAL_TEXT (2 * SERIAL_MAX + 1)

/* A serial number as magnitude octets without leading zeros; text is upper-case hex of the octets ("74C2008800000AE9"). */
struct serial {
	uint8_t b[SERIAL_MAX];
	size_t n;
};
const char *serial_text(const struct serial *s, char ret[SERIAL_TEXT]);
#define SERIAL(s) serial_text((s), (char[SERIAL_TEXT]){0})
/* Upper-case hex, even number of digits, no leading 00, 1-20 octets, first bit may be set. */
bool serial_parse(const char *text, size_t n, struct serial *ret);
/* From an INTEGER's body: positive, at most 20 octets with its sign octet (RFC 5280 4.1.2.2). */
bool serial_from_integer(struct slice body, struct serial *ret);
bool serial_eq(const struct serial *a, const struct serial *b);

/* Bits of keyUsage as in RFC 5280 4.2.1.3: bit 0 digitalSignature … bit 8 decipherOnly. libcrypto has macros of these names
 * with other values; its header comes first and they go, so that no order of includes gives a wrong bit in silence. */
#undef KU_DIGITAL_SIGNATURE
#undef KU_NON_REPUDIATION
#undef KU_KEY_ENCIPHERMENT
#undef KU_DATA_ENCIPHERMENT
#undef KU_KEY_AGREEMENT
#undef KU_KEY_CERT_SIGN
#undef KU_CRL_SIGN
#define KU_BIT(n) (1u << (n))
enum { KU_DIGITAL_SIGNATURE = 0, KU_NON_REPUDIATION, KU_KEY_ENCIPHERMENT, KU_DATA_ENCIPHERMENT, KU_KEY_AGREEMENT, KU_KEY_CERT_SIGN, KU_CRL_SIGN };

struct cert_ext {
	char oid[64];
	bool critical;
	struct slice value; /* content of the OCTET STRING */
};
#define CERT_MAX_EXTS 32

struct cert {
	struct slice der, tbs;         /* with tags */
	struct serial serial;
	struct slice issuer, subject;  /* Name with tag */
	int64_t not_before, not_after;
	struct pubkey key;             /* owned */
	struct sigalg sigalg;
	struct slice signature;
	struct cert_ext exts[CERT_MAX_EXTS];
	size_t n_exts;
	/* read from the extensions: */
	bool has_bc, is_ca;
	int64_t path_len;              /* -1: none */
	bool has_ku;
	unsigned key_usage;            /* KU_BIT()s */
	struct slice ski, aki;         /* key identifiers; {NULL,0} when absent */
};
void cert_done(struct cert *c);
/* The Certificate of a TBSCertificate of version 3, whose own signature field is repeated behind it (RFC 5280 4.1.1.2), and of any signature. Appends.
 * ERR_PARSE cert_tbs. */
MUST_CHECK enum err cert_from_tbs(struct slice tbs, struct slice signature, struct buf *ret, struct fault *f);
/* Strict: v3 (v1 without extensions), equal inner and outer algorithm, no repeated extension, an unknown *critical*
 * extension is ERR_RULE unknown_critical_extension (RFC 5280 4.2). Constraints on names and policies count as unknown. ret
 * borrows der. ERR_PARSE, ERR_LIMIT, ERR_RULE. */
MUST_CHECK enum err cert_parse(struct slice der, struct cert *ret, struct fault *f);
/* The same where the key is expected to be that one, so that it need not be read again; any other key is read as always. */
MUST_CHECK enum err cert_parse_like(struct slice der, const struct pubkey *like, struct cert *ret, struct fault *f);
const struct cert_ext *cert_ext(const struct cert *c, const char *oid);
/* Signature by issuer's key, names chain, issuer is a CA with keyCertSign where it says so, key ids match where both are there.
 * ERR_RULE cert_issuer_name, cert_issuer_not_ca, cert_issuer_usage, cert_path_length, cert_key_id; ERR_CRYPTO cert_signature.
 * Times are not looked at, and a weak digest (sigalg.weak) verifies: both are policy's. */
MUST_CHECK enum err cert_verify_by(const struct cert *c, const struct cert *issuer, struct fault *f);
/* SHA-256 of the DER. */
void cert_sha256(const struct cert *c, uint8_t ret[32]);

struct crl {
	struct slice der, tbs, issuer;
	int64_t this_update, next_update; /* next_update 0: absent */
	struct sigalg sigalg;
	struct slice signature;
	struct slice revoked;  /* content of revokedCertificates, {NULL,0} when absent */
	struct slice number;   /* cRLNumber INTEGER body, {NULL,0} when absent */
	struct slice idp;      /* issuingDistributionPoint, {NULL,0} when absent: the list may be one shard of several */
};
#define CRL_MAX_BYTES (512u * 1024u * 1024u) /* ten million entries */
/* Reads every entry. Refused (ERR_RULE): indirect and delta lists, lists for some reasons or for CA certificates only, and
 * unknown critical extensions. ret borrows der. */
MUST_CHECK enum err crl_parse(struct slice der, struct crl *ret, struct fault *f);
/* As cert_verify_by(), with cRLSign; the rules begin crl_. */
MUST_CHECK enum err crl_verify_by(const struct crl *c, const struct cert *issuer, struct fault *f);
/* Its cRLNumber: ERR_RULE crl_number when it has none, or one beyond 63 bits. */
MUST_CHECK enum err crl_number_u64(const struct crl *c, uint64_t *ret, struct fault *f);
/* Looks a serial up. *ret_found; *ret_reason is the RFC 5280 5.3.1 code (0 when absent). Malformed entry: ERR_PARSE. */
MUST_CHECK enum err crl_find(const struct crl *c, const struct serial *s, bool *ret_found, int64_t *ret_when, unsigned *ret_reason, struct fault *f);
struct crl_hit {
	bool found;
	int64_t when;
	unsigned reason;
};
/* The same of n serials in one walk over the list, which looking up each by itself would walk n times: ret[i] tells of s[i]. */
MUST_CHECK enum err crl_find_all(const struct crl *c, const struct serial *s, size_t n, struct crl_hit *ret, struct fault *f);

struct crl_item {
	struct serial serial;
	int64_t when;
	unsigned reason;
};
/* All entries in their order; more than max: ERR_LIMIT. Gives: free(). */
MUST_CHECK enum err crl_items(const struct crl *c, size_t max, struct crl_item **ret, size_t *ret_n, struct fault *f);

/* RFC 5280 5.3.1 reasons by word ("keyCompromise" = 1 …); -1 when not one. 7 is not used. */
int crl_reason_from_word(const char *word);
const char *crl_reason_word(unsigned reason); /* NULL when not one */
const char *crl_reason_said(unsigned reason, bool zh); /* for people, in Chinese or English; NULL when not one */

#endif
