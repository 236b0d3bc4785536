/*
 * Policies: YAML profiles and projects, loaded strictly, judged by the same code in the RA (to tell the user early) and in the signer
 * (whose word is the law), explained in words, linted.
 *
 * A bundle is a folder: profiles/<name>.yaml, projects/<name>.yaml, issuers/<name>.crt (PEM or DER: pinned issuers of old certificates),
 * notices/<name>.txt (risk notices, hashed into tallies), forms/<name>.txt (templates of papers to print), and policy.note, which names each file with its SHA-256. The SHA-256 of the note's text is
 * "the policy hash".
 */
#ifndef HUFU_POLICY_POLICY_H
#define HUFU_POLICY_POLICY_H

#include "common/base/yaml.h"
#include "common/note/statement.h"
#include "common/note/tally.h"
#include "common/pki/cert.h"

struct bilingual {
	const char *zh, *en;
};

enum attr_check { CHECK_NONE, CHECK_ORGANISATION_CODE, CHECK_UNIFIED_CODE, CHECK_ORGANISATION_OR_UNIFIED };
enum attr_rule { ATTR_KEEP, ATTR_MAY_CHANGE };
struct profile_attr {
	const char *attribute;     /* word of name.h */
	bool required;
	const char *pattern;       /* POSIX extended, whole value, or NULL */
	int64_t min_chars, max_chars;
	int check;                 /* enum attr_check: for new values only */
	int on_change;             /* enum attr_rule; on extend and reissue every attribute is kept */
	const char *taken_from;    /* value must equal that attribute's, or NULL */
	const struct attr_type *type; /* resolved */
};

enum ext_type {
	EXT_BASIC_CONSTRAINTS, EXT_KEY_USAGE, EXT_EXTENDED_KEY_USAGE, EXT_SKI, EXT_AKI, EXT_AIA, EXT_CRL_DP, EXT_CERT_POLICIES, EXT_SAN,
	EXT_GMT0015, EXT_TYPE_N
};
#define EXPIRED_DAYS 7 /* RFC 5280 3.3: on one CRL at least that is made after the certificate's end */
struct profile_ext {
	int type;                  /* enum ext_type */
	bool critical;
	uint64_t bits;             /* key_usage: KU_BIT()s as written; what a key gets is profile_key_usage() */
	bool by_algorithm;         /* key_usage: usages that a key's algorithm cannot have are left out for such keys */
	struct yaml_strs purposes; /* extended_key_usage: words or dotted OIDs */
	const char *ca_issuers, *ocsp; /* authority_info_access: URLs; {issuer} stands for the issuer's key id in hex */
	const char *url;           /* crl_distribution_points: {issuer}, {shard} */
	int64_t shards;            /* 1 - 4096; the shard of a serial is its last two octets modulo this */
	int64_t expired_days;      /* how long after its end a revoked certificate stays on CRLs */
	bool keep_expired;         /* for ever; CRLs then say so (expiredCertsOnCRL) */
	const char *oid, *cps;     /* certificate_policies */
	const char *code;          /* gmt0015: person, insurance, registration, organisation, tax, or a dotted OID */
	const char *from;          /* san (email), gmt0015: subject attribute whose value is taken; absent value: extension left out */
};

enum proof { PROOF_CURRENT = 1, PROOF_NEW = 2 };
enum way_order { WAY_ORDER_NONE, WAY_ORDER_EXTENDED, WAY_ORDER_ALWAYS };
enum fate { FATE_KEEP, FATE_REVOKE };
struct material_group {
	struct yaml_strs all_of;
	struct yaml_list any_of;   /* struct material_any */
};
struct material_any {
	struct yaml_strs of;       /* at least one of these */
};
struct policy_way {
	const char *way;           /* word; first member: dictionary key */
	struct bilingual title;
	uint64_t proof;            /* enum proof bits */
	int64_t officers;
	bool new_key_allowed, same_key_allowed;
	bool extension_allowed;    /* change: may carry an ordered extension */
	bool extension_early;      /* change: its extension may come before the window opens (the period is bought anyway) */
	int order;                 /* enum way_order */
	const char *notice;        /* notices/<name>.txt, or NULL */
	bool asks_files;           /* "encrypted files not yet opened?" must be answered */
	struct material_group materials;
	struct yaml_list checks;   /* struct bilingual: what the officers look at, beside what the tally itself asks for */
	int fate;                  /* enum fate, of the predecessor */
	const char *reason;        /* revocation reason word for FATE_REVOKE */
	int64_t grace_days;
	struct yaml_strs attributes; /* change: the attributes this way may change; empty: all that may change */
};
struct policy_kind {
	const char *kind;          /* word of tally.h; dictionary key */
	struct yaml_list ways;     /* struct policy_way */
};
struct profile {
	const char *name;
	struct bilingual title;
	struct yaml_list subject;  /* struct profile_attr */
	const char *identifier;    /* attribute that identifies the subscriber: one live line of certificates each */
	struct yaml_strs key_algorithms; /* words of pubkey.h */
	uint32_t key_algs;         /* bit (1 << enum key_alg), resolved */
	int64_t rsa_min_bits, rsa_max_bits;
	int64_t renewal_times;     /* how often the same key may be certified again; 0: never */
	int64_t window_before_days, window_after_days;
	struct yaml_ints lengths_months;
	int64_t cap_days;          /* longest lifetime of a certificate, at most 3653 */
	struct yaml_list extensions; /* struct profile_ext */
	struct yaml_list kinds;    /* struct policy_kind */
	struct yaml_doc *doc;      /* owns all of it */
};

/* From the beginning of that day, in Asia/Shanghai. */
struct service_price {
	const char *from; /* "2027-01-01" */
	int64_t price_fen;
};
struct service_def {
	const char *name;          /* dictionary key */
	struct bilingual title;
	const char *profile;
	int64_t price_fen;         /* for one period, until the first of prices begins: service_price() */
	struct yaml_list prices;   /* struct service_price, by rising day */
	int64_t period_months;
	int64_t order_uses;        /* how many certificates one paid order allows */
	int64_t order_months;      /* how long it may extend at most, in all */
};
struct page_text {
	struct bilingual title, text; /* text may have many lines */
};
struct download {
	struct bilingual title;
	const char *version, *url;
	const char *sha256;        /* of the file, lower-case hex */
};
struct project {
	const char *name;
	struct bilingual title;
	struct yaml_strs aliases, profiles;
	struct yaml_list services; /* struct service_def */
	const char *first_login_proof; /* key, sms_to_recorded_mobile, officer, none */
	struct yaml_list process, help; /* struct page_text: how one goes about it, in order; how things are done */
	struct yaml_list downloads;     /* struct download */
	struct bilingual contact_name, contact_hours, contact_address;
	const char *contact_telephone, *contact_emergency;
	const char *contact_sms_sender; /* NULL: not said */
	struct yaml_doc *doc;
};

struct notice {
	char name[TALLY_WORD]; /* "risk-2026-11": the version */
	uint8_t sha256[32];
	char *text;
};
struct pinned_issuer {
	struct buf der;
	struct cert cert;
};
struct policy {
	struct policy_note note;
	struct buf note_text;      /* of the note, with signatures */
	struct profile *profiles;
	size_t n_profiles;
	struct project *projects;
	size_t n_projects;
	struct notice *notices;
	size_t n_notices;
	struct notice *forms;
	size_t n_forms;
	struct pinned_issuer *issuers;
	size_t n_issuers;
	char origin[64];           /* for messages */
};

/* A file as it comes from a folder or over the operator's socket. */
struct policy_source {
	char path[POLICY_PATH];
	struct buf bytes;
};
#define POLICY_MAX_BUNDLE (1024u * 1024u)
void policy_sources_done(struct policy_source *files, size_t n); /* and frees the array */
/* All files of a bundle folder (without policy.note), sorted. Gives: policy_sources_done(). */
MUST_CHECK enum err policy_read_dir(const char *dir, struct policy_source **ret, size_t *ret_n, struct fault *f);
/* The note's text for these files (unsigned). */
void policy_note_make(const struct policy_source *files, size_t n, const struct policy_note *head, struct buf *ret_text);

/* Parses files; when note (a signed note's bytes) is given, its list must match exactly, else the bundle is only checked. Signatures are not judged here
 * (roster_quorum does). Gives *ret: policy_free(). */
MUST_CHECK enum err policy_load(struct slice note, const struct policy_source *files, size_t n, struct policy **ret, struct fault *f);
void policy_free(struct policy *p);
static inline void policy_freep(struct policy **p) { if (*p) policy_free(*p); *p = NULL; }

const struct profile *policy_profile(const struct policy *p, const char *name);
const struct project *policy_project(const struct policy *p, const char *name);
bool project_has_profile(const struct project *p, const char *profile);
const struct service_def *project_service(const struct project *p, const char *name);
/* What one period costs at that time, in fen. */
int64_t service_price(const struct service_def *s, int64_t now);
const struct policy_way *profile_way(const struct profile *p, enum tally_kind kind, const char *way); /* NULL: not offered */
/* Does the profile offer the kind at all? */
const struct policy_kind *profile_kind(const struct profile *p, enum tally_kind kind);
/* Do CRLs keep the certificates that have expired? If not, *ret_days: for how many days. Profiles share their issuer's CRLs: who keeps longest counts. */
bool policy_keeps_expired(const struct policy *p, int64_t *ret_days);
const struct profile_attr *profile_attr(const struct profile *p, const struct attr_type *type);
/* Is that material asked for, or accepted as one of a choice? */
bool way_material(const struct policy_way *w, const char *material);
/* The way's own checks, *ret_n of them. Borrowed. */
const struct bilingual *way_checks(const struct policy_way *w, size_t *ret_n);
/* KU_BIT()s that a certificate for such a key gets from a key_usage extension. 0: none is left. */
uint64_t profile_key_usage(const struct profile_ext *e, enum key_alg alg);
/* Usages that the algorithm allows. RFC 4055 1.2, RFC 8813 3, RFC 9295 3, GM/T 0015. */
uint64_t key_alg_usages(enum key_alg alg);
/* The extension's OID, dotted. */
const char *profile_ext_oid(const struct profile_ext *e);
/* The OID of a purpose given by word ("clientAuth") or dotted; NULL for one that no profile may give: unknown, OCSPSigning, any. */
const char *profile_purpose_oid(const char *purpose);
const struct notice *policy_notice(const struct policy *p, const char *name);
const struct notice *policy_form(const struct policy *p, const char *name);
const struct pinned_issuer *policy_issuer(const struct policy *p, const uint8_t key_id[20]);
/* Public search over titles, aliases and names, at most 600 bytes: the whole, a part, characters in order with gaps, then a name with more
 * around it; fewest other characters first. Width, case and spaces do not count. Fills at most max pointers, returns how many. */
size_t policy_search(const struct policy *p, const char *query, const struct project **ret, size_t max);

/* Static faults of meaning: each as one line "error|warning path:line:column rule text". Returns the number of errors. */
size_t policy_lint(const struct policy *p, struct buf *ret);
/* All that is wrong with a bundle's files: each file that does not load as an error line, and when all load, policy_lint(). Returns the
 * number of errors. */
size_t policy_check(const struct policy_source *files, size_t n, struct buf *ret);
/* A profile in words, kind by kind, against the floors. lang "zh" or "en". */
void policy_explain(const struct policy *p, const char *profile, const char *lang, struct buf *ret);
/* JSON Schema of "profile" or "project" files. */
void policy_schema(const char *which, struct buf *ret);

#endif
