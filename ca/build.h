/*
 * Building certificates: the to-be-signed bytes written directly as DER from a profile that was encoded once when the policy was loaded. RFC 5280 4.1, 4.2.
 */
#ifndef HUFU_CA_BUILD_H
#define HUFU_CA_BUILD_H

#include "ca/key.h"
#include "common/policy/policy.h"

/* A profile made ready for one issuer: constant extensions as DER. Borrows the profile. A profile without key usage or AKI: ERR_CONFIG template_missing;
 * with a purpose that none may give: template_purpose. */
struct template;
MUST_CHECK enum err template_new(const struct profile *p, const struct cert *issuer, struct template **ret, struct fault *f);
void template_free(struct template *t);

struct build {
	const struct serial *serial;
	const struct name *subject;
	const struct pubkey *key;
	int64_t not_before, not_after;
};
/* Appends the TBSCertificate: v3, sigalg of the issuer's key, its subject as issuer (byte for byte), validity, subject (UTF8String RDNs), SPKI, extensions in the profile's order.
 * ERR_RULE build_serial, build_validity, build_subject, build_key_usage, build_gmt0015; nothing is appended then. */
MUST_CHECK enum err build_tbs(const struct template *t, const struct build *b, struct buf *ret, struct fault *f);
/* SEQUENCE { tbs, sigalg, signature }. */
void build_certificate(struct slice tbs, enum key_alg issuer_alg, struct slice signature, struct buf *ret);
/* 48 rising bits (milliseconds since 2020, never below the last one given in *last, which is updated) and 80 random ones; 16 octets, first octet 01-7F. */
void serial_make(uint64_t *last, struct serial *ret);
/* Shard of a serial: its last two octets, big endian, modulo shards. */
unsigned serial_shard(const struct serial *s, unsigned shards);
/* The CDP URL of the template's profile for a shard of an issuer, by its key id. Appends. */
void template_cdp_url(const struct template *t, const uint8_t issuer[20], unsigned shard, struct buf *ret);

/* CA certificates, for ceremonies only: root (issuer NULL) or intermediate. path_len -1: none. */
struct ca_build {
	const struct name *subject;
	const struct pubkey *key;
	int64_t not_before, not_after;
	int path_len;
	const struct cert *issuer;
	const char *ca_issuers_url, *crl_url, *policy_oid; /* may be NULL, {issuer} is filled in; policy_oid NULL: anyPolicy is not written either */
};
MUST_CHECK enum err build_ca_tbs(const struct ca_build *b, enum key_alg issuer_alg, const struct serial *serial, struct buf *ret, struct fault *f);

#endif
