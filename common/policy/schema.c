/*
 * What a policy file may say: one table for each map, read by the YAML decoder, by policy_schema() and, as help, by
 * whoever writes a policy. Bounds that a single value can have are here; what depends on another value is checked in
 * profile.c and the files beside it, what depends on another file in lint.c.
 */
#include "common/policy/profile.h"

#include <stddef.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)
#define MAX_TITLE 120
#define MAX_WORD (TALLY_WORD - 1)
#define MAX_URL 300
#define MAX_TEXT 2000
#define MAX_CHECKS 12

const char *const attr_check_words[] = {"none", "organisation_code", "unified_code", "organisation_or_unified", NULL};
const char *const ext_type_words[] = {
	[EXT_BASIC_CONSTRAINTS] = "basic_constraints",
	[EXT_KEY_USAGE] = "key_usage",
	[EXT_EXTENDED_KEY_USAGE] = "extended_key_usage",
	[EXT_SKI] = "subject_key_identifier",
	[EXT_AKI] = "authority_key_identifier",
	[EXT_AIA] = "authority_info_access",
	[EXT_CRL_DP] = "crl_distribution_points",
	[EXT_CERT_POLICIES] = "certificate_policies",
	[EXT_SAN] = "subject_alternative_name",
	[EXT_GMT0015] = "gmt0015",
	[EXT_TYPE_N] = NULL,
};
/* Index is the bit (RFC 5280 4.2.1.3). keyCertSign and cRLSign are not here: no profile makes a CA. */
const char *const key_usage_words[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
				       "dataEncipherment", "keyAgreement",   NULL};
const char *const order_words[] = {"none", "when_extended", "always", NULL};
const char *const first_login_words[] = {"key", "sms_to_recorded_mobile", "officer", "none", NULL};
static const char *const attr_rule_words[] = {"keep", "may_change", NULL};
static const char *const proof_words[] = {"current", "new", NULL};
static const char *const fate_words[] = {"keep", "revoke", NULL};

static const struct yaml_rule title_rules[] = {
	{"zh", YK_STR, AT(bilingual, zh), .required = true, .min = 1, .max = MAX_TITLE, .help = "in Chinese"},
	{"en", YK_STR, AT(bilingual, en), .required = true, .min = 1, .max = MAX_TITLE, .help = "in English"},
	{0},
};

static const struct yaml_rule attr_rules[] = {
	{"attribute", YK_STR, AT(profile_attr, attribute), .required = true, .min = 1, .max = 40,
	 .help = "attribute type: C, O, CN, organizationIdentifier and so on"},
	{"required", YK_BOOL, AT(profile_attr, required), .help = "a new or changed subject must have it"},
	{"pattern", YK_STR, AT(profile_attr, pattern), .min = 1, .max = 200,
	 .help = "POSIX extended regular expression that a new value matches as a whole"},
	{"min_chars", YK_INT, AT(profile_attr, min_chars), .min = 1, .max = NAME_MAX_VALUE, .def = 1,
	 .help = "least number of characters of a new value"},
	{"max_chars", YK_INT, AT(profile_attr, max_chars), .min = 1, .max = NAME_MAX_VALUE,
	 .help = "largest number of characters of a new value; the attribute's own bound (RFC 5280 appendix A) when "
		 "absent"},
	{"check", YK_WORD, AT(profile_attr, check), .words = attr_check_words,
	 .help = "identifier check of a new value (GB 11714, GB 32100); a kept value is never checked again"},
	{"on_change", YK_WORD, AT(profile_attr, on_change), .words = attr_rule_words,
	 .help = "may a change give it a new value? extend and reissue keep every attribute"},
	{"taken_from", YK_STR, AT(profile_attr, taken_from), .min = 1, .max = 40,
	 .help = "attribute whose value this one must repeat"},
	{0},
};

static const struct yaml_rule key_rules[] = {
	{"algorithms", YK_STRS, AT(profile, key_algorithms), .required = true, .min = 1, .max = 16,
	 .help = "of rsa, p256, p384, ed25519, sm2"},
	{"rsa_min_bits", YK_INT, AT(profile, rsa_min_bits), .min = 2048, .max = 4096, .def = 2048,
	 .help = "smallest RSA modulus"},
	{"rsa_max_bits", YK_INT, AT(profile, rsa_max_bits), .min = 2048, .max = 4096, .def = 4096,
	 .help = "largest RSA modulus"},
	{"renewal_times", YK_INT, AT(profile, renewal_times), .max = 20,
	 .help = "how often the same key may be certified again; 0: each certificate needs a new key"},
	{0},
};

static const struct yaml_rule validity_rules[] = {
	{"window_before_days", YK_INT, AT(profile, window_before_days), .required = true, .max = 3653,
	 .help = "an extension is possible from so many days before the old notAfter"},
	{"window_after_days", YK_INT, AT(profile, window_after_days), .required = true, .max = 3653,
	 .help = "and until so many days after it"},
	{"lengths_months", YK_INTS, AT(profile, lengths_months), .required = true, .min = 1, .max = 120,
	 .help = "lengths that may be asked for, rising"},
	{"cap_days", YK_INT, AT(profile, cap_days), .required = true, .min = 1, .max = 3653,
	 .help = "longest time from notBefore to notAfter; strict SM2 verifiers refuse more than 3653 days"},
	{0},
};

static const struct yaml_rule ext_rules[] = {
	{"type", YK_WORD, AT(profile_ext, type), .required = true, .words = ext_type_words, .help = "which extension"},
	{"critical", YK_BOOL, AT(profile_ext, critical), .help = "RFC 5280 4.2"},
	{"usages", YK_WORDS, AT(profile_ext, bits), .words = key_usage_words, .help = "key_usage: RFC 5280 4.2.1.3"},
	{"by_algorithm", YK_BOOL, AT(profile_ext, by_algorithm),
	 .help = "key_usage: leave out, for each key, the usages that its algorithm cannot have"},
	{"purposes", YK_STRS, AT(profile_ext, purposes), .min = 1, .max = 64,
	 .help = "extended_key_usage: words (serverAuth, clientAuth, codeSigning, emailProtection, timeStamping) or "
		 "dotted OIDs"},
	{"ca_issuers", YK_STR, AT(profile_ext, ca_issuers), .min = 1, .max = MAX_URL,
	 .help = "authority_info_access: URL of the issuer's certificate; {issuer} is its key id in hex"},
	{"ocsp", YK_STR, AT(profile_ext, ocsp), .min = 1, .max = MAX_URL,
	 .help = "authority_info_access: URL of the responder"},
	{"url", YK_STR, AT(profile_ext, url), .min = 1, .max = MAX_URL,
	 .help = "crl_distribution_points: URL with {issuer} and {shard}"},
	{"shards", YK_INT, AT(profile_ext, shards), .min = 1, .max = 4096, .def = 1,
	 .help = "crl_distribution_points: number of shards; a serial's is its last two octets modulo this"},
	{"expired_days", YK_INT, AT(profile_ext, expired_days), .min = EXPIRED_DAYS, .max = 3653, .def = EXPIRED_DAYS,
	 .help = "crl_distribution_points: for how many days after its end a revoked certificate stays on CRLs"},
	{"keep_expired", YK_BOOL, AT(profile_ext, keep_expired),
	 .help = "crl_distribution_points: revoked certificates stay on CRLs for ever, which say so by "
		 "expiredCertsOnCRL "
		 "(X.509 2.5.29.60)"},
	{"oid", YK_STR, AT(profile_ext, oid), .min = 3, .max = 100, .help = "certificate_policies: dotted OID"},
	{"cps", YK_STR, AT(profile_ext, cps), .min = 1, .max = MAX_URL,
	 .help = "certificate_policies: URL of the practice statement"},
	{"code", YK_STR, AT(profile_ext, code), .min = 3, .max = 100,
	 .help = "gmt0015: person, insurance, registration, organisation, tax, or a dotted OID"},
	{"from", YK_STR, AT(profile_ext, from), .min = 1, .max = 40,
	 .help = "subject_alternative_name, gmt0015: subject attribute whose value is taken; left out where the "
		 "subject has none"},
	{0},
};

static const struct yaml_rule any_rules[] = {
	{"of", YK_STRS, AT(material_any, of), .required = true, .min = 1, .max = MAX_WORD,
	 .help = "at least one of these"},
	{0},
};
static const struct yaml_rule material_rules[] = {
	{"all_of", YK_STRS, AT(material_group, all_of), .min = 1, .max = MAX_WORD, .help = "each of these"},
	{"any_of", YK_LIST, AT(material_group, any_of), .max = 8, .sub = any_rules,
	 .elem_size = sizeof(struct material_any), .help = "and from each of these choices at least one"},
	{0},
};

static const struct yaml_rule way_rules[] = {
	{"title", YK_SUB, AT(policy_way, title), .required = true, .sub = title_rules, .help = "for people"},
	{"proof", YK_WORDS, AT(policy_way, proof), .words = proof_words,
	 .help = "whose signature the subscriber's half holds: the current key's, the new key's; floors add to this"},
	{"officers", YK_INT, AT(policy_way, officers), .required = true, .max = 8,
	 .help = "how many different officers sign; never below the floor"},
	{"new_key_allowed", YK_BOOL, AT(policy_way, new_key_allowed),
	 .help = "re-key: the certificate may be for a new key"},
	{"same_key_allowed", YK_BOOL, AT(policy_way, same_key_allowed),
	 .help = "renewal: the certificate may be for the same key"},
	{"extension_allowed", YK_BOOL, AT(policy_way, extension_allowed),
	 .help = "change: may carry an ordered extension; one request, one certificate"},
	{"extension_early", YK_BOOL, AT(policy_way, extension_early),
	 .help = "change: its extension may come before the window opens"},
	{"order", YK_WORD, AT(policy_way, order), .words = order_words, .help = "is a paid order needed?"},
	{"notice", YK_STR, AT(policy_way, notice), .min = 1, .max = MAX_WORD,
	 .help = "risk notice to be accepted: the name of a file in notices/, without .txt"},
	{"asks_files", YK_BOOL, AT(policy_way, asks_files),
	 .help = "\"encrypted files not yet opened?\" must be answered"},
	{"materials", YK_SUB, AT(policy_way, materials), .sub = material_rules,
	 .help = "what is uploaded and hashed into the tally"},
	{"checks", YK_LIST, AT(policy_way, checks), .min = 1, .max = MAX_CHECKS, .sub = title_rules,
	 .elem_size = sizeof(struct bilingual),
	 .help = "what the officers look at, beside what the tally itself asks for"},
	{"fate", YK_WORD, AT(policy_way, fate), .words = fate_words, .help = "what becomes of the predecessor"},
	{"reason", YK_STR, AT(policy_way, reason), .min = 1, .max = 40,
	 .help = "revocation reason of the predecessor (RFC 5280 5.3.1 word), with fate: revoke"},
	{"grace_days", YK_INT, AT(policy_way, grace_days), .max = 90,
	 .help = "days until that revocation; none after a lost key"},
	{"attributes", YK_STRS, AT(policy_way, attributes), .min = 1, .max = 40,
	 .help = "change: the attributes that this way may change; all that may change when absent"},
	{0},
};

static const struct yaml_rule kind_rules[] = {
	{"ways", YK_DICT, AT(policy_kind, ways), .required = true, .min = 1, .max = 16, .sub = way_rules,
	 .elem_size = sizeof(struct policy_way), .help = "ways by name"},
	{0},
};

/* Groups of a profile's own members: offset 0. */
const struct yaml_rule profile_rules[] = {
	{"name", YK_STR, AT(profile, name), .required = true, .min = 1, .max = MAX_WORD,
	 .help = "as the file's, without .yaml"},
	{"title", YK_SUB, AT(profile, title), .required = true, .sub = title_rules, .help = "for people"},
	{"subject", YK_LIST, AT(profile, subject), .required = true, .min = 1, .max = NAME_MAX_ATTRS, .sub = attr_rules,
	 .elem_size = sizeof(struct profile_attr), .help = "attributes in the order of the subject"},
	{"identifier", YK_STR, AT(profile, identifier), .required = true, .min = 1, .max = 40,
	 .help = "attribute that identifies the subscriber: one live line of certificates for each value"},
	{"keys", YK_SUB, .offset = 0, .required = true, .sub = key_rules, .help = "keys that are certified"},
	{"validity", YK_SUB, .offset = 0, .required = true, .sub = validity_rules, .help = "when and for how long"},
	{"extensions", YK_LIST, AT(profile, extensions), .required = true, .min = 1, .max = CERT_MAX_EXTS,
	 .sub = ext_rules, .elem_size = sizeof(struct profile_ext),
	 .help = "extensions in the order of the certificate"},
	{"kinds", YK_DICT, AT(profile, kinds), .required = true, .min = 1, .max = TALLY_KIND_N, .sub = kind_rules,
	 .elem_size = sizeof(struct policy_kind),
	 .help = "by kind: extend, change, enrol, reissue, revoke, hold, release"},
	{0},
};

static const struct yaml_rule price_rules[] = {
	{"from", YK_STR, AT(service_price, from), .required = true, .min = 10, .max = 10,
	 .help = "day from whose beginning (+08:00) the price holds, as 2027-01-01"},
	{"price_fen", YK_INT, AT(service_price, price_fen), .required = true, .max = INT64_C(100000000),
	 .help = "price of one period from then on, in fen"},
	{0},
};

static const struct yaml_rule service_rules[] = {
	{"title", YK_SUB, AT(service_def, title), .required = true, .sub = title_rules, .help = "for people"},
	{"profile", YK_STR, AT(service_def, profile), .required = true, .min = 1, .max = MAX_WORD,
	 .help = "profile of its certificates; one of the project's"},
	{"price_fen", YK_INT, AT(service_def, price_fen), .required = true, .max = INT64_C(100000000),
	 .help = "price of one period in fen (1/100 yuan)"},
	{"prices", YK_LIST, AT(service_def, prices), .max = 20, .sub = price_rules,
	 .elem_size = sizeof(struct service_price),
	 .help = "prices that come later, by rising day; an order keeps the price of its own day"},
	{"period_months", YK_INT, AT(service_def, period_months), .required = true, .min = 1, .max = 120,
	 .help = "what one paid order adds to the service"},
	{"order_uses", YK_INT, AT(service_def, order_uses), .min = 1, .max = 100, .def = 1,
	 .help = "how many certificates one paid order allows"},
	{"order_months", YK_INT, AT(service_def, order_months), .required = true, .min = 1, .max = 120,
	 .help = "by how many months, in all, one paid order may extend"},
	{0},
};

static const struct yaml_rule contact_rules[] = {
	{"name", YK_SUB, AT(project, contact_name), .required = true, .sub = title_rules, .help = "who answers"},
	{"hours", YK_SUB, AT(project, contact_hours), .required = true, .sub = title_rules, .help = "when"},
	{"address", YK_SUB, AT(project, contact_address), .required = true, .sub = title_rules, .help = "where"},
	{"telephone", YK_STR, AT(project, contact_telephone), .required = true, .min = 3, .max = 40,
	 .help = "in those hours"},
	{"emergency", YK_STR, AT(project, contact_emergency), .required = true, .min = 3, .max = 40,
	 .help = "at any hour"},
	{"sms_sender", YK_STR, AT(project, contact_sms_sender), .min = 2, .max = 30,
	 .help = "what an SMS is signed with; the notifier's own word when absent"},
	{0},
};

static const struct yaml_rule text_rules[] = {
	{"zh", YK_STR, AT(bilingual, zh), .required = true, .min = 1, .max = MAX_TEXT, .help = "in Chinese"},
	{"en", YK_STR, AT(bilingual, en), .required = true, .min = 1, .max = MAX_TEXT, .help = "in English"},
	{0},
};
static const struct yaml_rule page_rules[] = {
	{"title", YK_SUB, AT(page_text, title), .required = true, .sub = title_rules, .help = "for people"},
	{"text", YK_SUB, AT(page_text, text), .required = true, .sub = text_rules, .help = "for people"},
	{0},
};
static const struct yaml_rule download_rules[] = {
	{"title", YK_SUB, AT(download, title), .required = true, .sub = title_rules, .help = "for people"},
	{"version", YK_STR, AT(download, version), .required = true, .min = 1, .max = 40, .help = "of the file"},
	{"url", YK_STR, AT(download, url), .required = true, .min = 1, .max = MAX_URL,
	 .help = "where it is: https://…"},
	{"sha256", YK_STR, AT(download, sha256), .required = true, .min = 64, .max = 64,
	 .help = "SHA-256 of the file, 64 lower-case hex characters"},
	{0},
};

const struct yaml_rule project_rules[] = {
	{"name", YK_STR, AT(project, name), .required = true, .min = 1, .max = MAX_WORD,
	 .help = "as the file's, without .yaml"},
	{"title", YK_SUB, AT(project, title), .required = true, .sub = title_rules, .help = "for people"},
	{"aliases", YK_STRS, AT(project, aliases), .min = 1, .max = MAX_TITLE,
	 .help = "other names that the search finds"},
	{"profiles", YK_STRS, AT(project, profiles), .required = true, .min = 1, .max = MAX_WORD,
	 .help = "profiles whose certificates the project takes"},
	{"services", YK_DICT, AT(project, services), .required = true, .min = 1, .max = 64, .sub = service_rules,
	 .elem_size = sizeof(struct service_def), .help = "what a subscriber can buy, by name"},
	{"first_login_proof", YK_STR, AT(project, first_login_proof), .required = true, .min = 1, .max = 40,
	 .help = "what a first log-in asks besides the published password: key, sms_to_recorded_mobile, officer, none"},
	{"process", YK_LIST, AT(project, process), .max = 20, .sub = page_rules, .elem_size = sizeof(struct page_text),
	 .help = "how one goes about it, step by step, for the project's page"},
	{"help", YK_LIST, AT(project, help), .max = 50, .sub = page_rules, .elem_size = sizeof(struct page_text),
	 .help = "how things are done, for the project's page"},
	{"downloads", YK_LIST, AT(project, downloads), .max = 50, .sub = download_rules,
	 .elem_size = sizeof(struct download), .help = "software to download"},
	{"contact", YK_SUB, .offset = 0, .required = true, .sub = contact_rules,
	 .help = "the desk: shown with every \"ask the desk\""},
	{0},
};

void policy_schema(const char *which, struct buf *ret)
{
	if (strcmp(which, "project") == 0)
		yaml_schema_json("Hufu project", project_rules, ret);
	else
		yaml_schema_json("Hufu profile", profile_rules, ret);
}
