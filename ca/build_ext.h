/*
 * Extensions as DER, one writer for each type that Hufu gives. RFC 5280 4.2; GM/T 0015-2012 5.2.4. Private to ca/.
 *
 * Each appends one Extension. Values come from a checked policy or ceremony file.
 */
#ifndef HUFU_CA_BUILD_EXT_H
#define HUFU_CA_BUILD_EXT_H

#include "common/policy/policy.h"

#define OID_EXT_SKI "2.5.29.14"
#define OID_EXT_KEY_USAGE "2.5.29.15"
#define OID_EXT_SAN "2.5.29.17"
#define OID_EXT_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_EXT_CRL_NUMBER "2.5.29.20"
#define OID_EXT_REASON "2.5.29.21"
#define OID_EXT_IDP "2.5.29.28"
#define OID_EXT_CRL_DP "2.5.29.31"
#define OID_EXT_POLICIES "2.5.29.32"
#define OID_EXT_AKI "2.5.29.35"
#define OID_EXT_PURPOSES "2.5.29.37"
#define OID_EXT_EXPIRED_CERTS "2.5.29.60"
#define OID_EXT_AIA "1.3.6.1.5.5.7.1.1"
#define OID_AD_OCSP "1.3.6.1.5.5.7.48.1"
#define OID_AD_CA_ISSUERS "1.3.6.1.5.5.7.48.2"
#define OID_QUALIFIER_CPS "1.3.6.1.5.5.7.2.1"
/* GM/T 0015-2012 5.2.4.2.2: the one code that is a choice of three, resident card [0] first. */
#define OID_GMT0015_PERSON "1.2.156.10260.4.1.1"

/* An OID that a checked file or a table of ours gave. */
void oid_put(struct buf *b, const char *dotted);

/* Begins an Extension and its OCTET STRING; ext_end() closes both. */
struct ext_open {
	size_t seq, octets;
};
struct ext_open ext_begin(struct buf *b, const char *oid, bool critical);
void ext_end(struct buf *b, struct ext_open e);

void ext_put_basic_constraints(struct buf *b, bool critical, bool is_ca, int path_len); /* path_len -1: none */
void ext_put_key_usage(struct buf *b, bool critical, uint64_t bits);			/* KU_BIT()s, at least one */
void ext_put_purposes(struct buf *b, bool critical, const char *const *oids, size_t n);
void ext_put_ski(struct buf *b, bool critical, struct slice key_id);
void ext_put_aki(struct buf *b, bool critical, struct slice key_id);
void ext_put_aia(struct buf *b, bool critical, const char *ca_issuers, const char *ocsp); /* NULL: left out */
void ext_put_crl_dp(struct buf *b, bool critical, struct slice url);
void ext_put_policy(struct buf *b, bool critical, const char *oid, const char *cps); /* cps NULL: no qualifier */
void ext_put_mail(struct buf *b, bool critical, const char *mail);
void ext_put_gmt0015(struct buf *b, bool critical, const char *oid, const char *value);
/* DistributionPointName of one URL: [0] { fullName [0] { [6] url } }. RFC 5280 4.2.1.13. */
void point_put(struct buf *b, struct slice url);

/* Appends the URL with {issuer} as the key id in hex and, where shard is not NULL, {shard} as its number. */
void url_expand(const char *pattern, const uint8_t key_id[20], const unsigned *shard, struct buf *ret);

/* Is that text a PrintableString? X.680 41.4. */
bool text_is_printable(const char *text);
/* Takes back what was appended behind len. */
void buf_cut(struct buf *b, size_t len);

#endif
