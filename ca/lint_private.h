/*
 * What the files of lint share: the list of rules, a view of the certificate's bytes, and the way to say no. Private to
 * ca/.
 */
#ifndef HUFU_CA_LINT_PRIVATE_H
#define HUFU_CA_LINT_PRIVATE_H

#include "ca/lint.h"

/* In the order in which they run: what the later ones read, the earlier ones have found well formed. */
#define LINT_RULES(RULE)                                                                                               \
	RULE(structure, "RFC 5280 4.1, X.690 10.1")                                                                    \
	RULE(version, "RFC 5280 4.1.2.1")                                                                              \
	RULE(serial_positive, "RFC 5280 4.1.2.2")                                                                      \
	RULE(serial_entropy, "CA/B BR 7.1: 64 random bits or more")                                                    \
	RULE(sigalg_same, "RFC 5280 4.1.1.2")                                                                          \
	RULE(sigalg_of_issuer, "RFC 5280 4.1.2.3, RFC 5758 3.2, RFC 4055 5, GM/T 0015 5.2.3.3")                        \
	RULE(signature_holds, "RFC 5280 4.1.1.3")                                                                      \
	RULE(unique_ids, "RFC 5280 4.1.2.8")                                                                           \
	RULE(validity_form, "RFC 5280 4.1.2.5.1, 4.1.2.5.2")                                                           \
	RULE(validity_order, "RFC 5280 4.1.2.5")                                                                       \
	RULE(validity_length, "CA/B BR 7.1.2.1.1, 3653 days for leaves")                                               \
	RULE(validity_now, "CA/B BR 7.1.2.7")                                                                          \
	RULE(validity_within_issuer, "RFC 5280 6.1.3 (a) (2)")                                                         \
	RULE(issuer_is_ca, "RFC 5280 6.1.4 (k), (n)")                                                                  \
	RULE(issuer_name, "RFC 5280 4.1.2.4")                                                                          \
	RULE(subject_meant, "RFC 5280 4.1.2.6")                                                                        \
	RULE(subject_present, "RFC 5280 4.1.2.6")                                                                      \
	RULE(subject_single, "X.501 9.3, CA/B BR 7.1.2.10.2")                                                          \
	RULE(subject_strings, "RFC 5280 4.1.2.4, appendix A.1")                                                        \
	RULE(subject_lengths, "RFC 5280 appendix A.1")                                                                 \
	RULE(subject_values, "RFC 5280 7.1, RFC 4518 2.4")                                                             \
	RULE(subject_country, "RFC 5280 appendix A.1, ISO 3166-1")                                                     \
	RULE(key_meant, "RFC 5280 4.1.2.7")                                                                            \
	RULE(key_allowed, "RFC 3647 6.1.5")                                                                            \
	RULE(key_strength, "CA/B BR 6.1.6, NIST SP 800-131A")                                                          \
	RULE(key_not_issuers, "RFC 5280 4.2.1.2")                                                                      \
	RULE(extensions_unique, "RFC 5280 4.2")                                                                        \
	RULE(extensions_known, "RFC 5280 4.2")                                                                         \
	RULE(extensions_listed, "RFC 5280 4.2, RFC 3647 7.1.2")                                                        \
	RULE(extensions_present, "RFC 5280 4.2.1, RFC 3647 7.1.2")                                                     \
	RULE(extensions_criticality, "RFC 3647 7.1.2")                                                                 \
	RULE(extensions_not_critical, "RFC 5280 4.2.1.1, 4.2.1.2, 4.2.1.6, 4.2.1.13, 4.2.2.1")                         \
	RULE(subject_key_id, "RFC 5280 4.2.1.2")                                                                       \
	RULE(authority_key_id, "RFC 5280 4.2.1.1")                                                                     \
	RULE(key_usage_critical, "RFC 5280 4.2.1.3")                                                                   \
	RULE(key_usage_form, "X.690 11.2.2, RFC 5280 4.2.1.3")                                                         \
	RULE(key_usage_exact, "RFC 5280 4.2.1.3, RFC 3647 7.1.2")                                                      \
	RULE(key_usage_of_leaf, "RFC 5280 4.2.1.3, 4.2.1.9")                                                           \
	RULE(key_usage_fits_key, "RFC 4055 1.2, RFC 8813 3, RFC 9295 3")                                               \
	RULE(constraints_of_leaf, "RFC 5280 4.2.1.9")                                                                  \
	RULE(constraints_of_ca, "RFC 5280 4.2.1.9")                                                                    \
	RULE(path_len, "RFC 5280 4.2.1.9, 6.1.4 (l), (m)")                                                             \
	RULE(purposes_exact, "RFC 5280 4.2.1.12")                                                                      \
	RULE(purposes_reserved, "RFC 6960 4.2.2.2, RFC 5280 4.2.1.12")                                                 \
	RULE(no_check, "RFC 6960 4.2.2.2.1")                                                                           \
	RULE(crl_dp_shard, "RFC 5280 4.2.1.13")                                                                        \
	RULE(access_exact, "RFC 5280 4.2.2.1")                                                                         \
	RULE(policies_exact, "RFC 5280 4.2.1.4")                                                                       \
	RULE(mail_of_subject, "RFC 5280 4.2.1.6")                                                                      \
	RULE(gmt0015_not_critical, "GM/T 0015 5.2.4.2")                                                                \
	RULE(gmt0015_of_subject, "GM/T 0015 5.2.4.2")                                                                  \
	RULE(libcrypto_extensions, "X.690 10, RFC 5280 4.2")                                                           \
	RULE(libcrypto_same, "X.690 10, RFC 5280 4.1")

#define LINT_PROTOTYPE(name, source) bool lint_##name(const struct lint_input *in, char *why, size_t why_size);
LINT_RULES(LINT_PROTOTYPE)
#undef LINT_PROTOTYPE

/* The certificate's bytes, taken apart without judging them. Slices with tag unless said. */
struct lint_view {
	struct slice tbs, outer_sigalg, signature; /* signature: content */
	bool has_version;
	uint64_t version;
	struct slice serial; /* INTEGER's body */
	struct slice inner_sigalg, issuer, validity, subject, spki;
	bool has_unique_ids;
	struct slice extensions; /* content of the SEQUENCE OF; {NULL, 0} when absent */
};
bool lint_look(const struct lint_input *in, struct lint_view *ret);

/* Bytes that libcrypto reads and writes the same, read as which kind (lint_seen.c). Each thread has its own memory of the last few. */
enum lint_seen_as { LINT_SEEN_EXTENSION, LINT_SEEN_ALGORITHM, LINT_SEEN_NAME };
bool lint_seen(enum lint_seen_as as, struct slice der);
void lint_see(enum lint_seen_as as, struct slice der);

/* Writes why and returns false. */
bool lint_no(char *why, size_t why_size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define NO(...) lint_no(why, why_size, __VA_ARGS__)
/* Opens a rule that reads bytes. The first rule has refused what cannot be looked at; tests call rules alone. */
#define LOOK(v)                                                                                                        \
	struct lint_view v;                                                                                            \
	if (!lint_look(in, &v))                                                                                        \
	return NO("the bytes are not a certificate")

/* A responder's certificate, by what was meant. */
bool lint_is_responder(const struct lint_input *in);
/* A certificate whose issuer is itself. */
bool lint_is_root(const struct lint_input *in);
/* The next Extension of a list. */
bool lint_next_ext(struct der *list, char oid[64], bool *ret_critical, struct slice *ret_value);
/* Profile extensions by type; NULL when there is no profile, or no such extension in it. */
const struct profile_ext *lint_profile_ext(const struct lint_input *in, enum ext_type type);
static inline const struct profile_ext *lint_exts(const struct lint_input *in, size_t *ret_n)
{
	*ret_n = in->profile ? in->profile->extensions.n : 0;
	return in->profile ? in->profile->extensions.v : NULL;
}
/* Is url the pattern with {issuer} and {shard} filled in? shard NULL: the pattern has none. */
bool lint_url_is(const char *pattern, const uint8_t key_id[20], const unsigned *shard, struct slice url);

#endif
