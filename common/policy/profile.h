/*
 * One YAML file at a time: the rules of profiles and projects, and their decoding. Private to common/policy.
 */
#ifndef HUFU_POLICY_PROFILE_H
#define HUFU_POLICY_PROFILE_H

#include "common/policy/policy.h"

extern const struct yaml_rule profile_rules[];
extern const struct yaml_rule project_rules[];
/* NULL-terminated, in the order of their enums. */
extern const char *const attr_check_words[];
extern const char *const ext_type_words[];
extern const char *const key_usage_words[];
extern const char *const order_words[];
extern const char *const first_login_words[];

/* path: inside the bundle; the file's stem must be the name inside. *ret is zeroed, and stays where it is as long as it lives.
 * ERR_CONFIG with file:line:column. */
MUST_CHECK enum err profile_decode(const char *path, struct slice text, struct profile *ret, struct fault *f);
MUST_CHECK enum err project_decode(const char *path, struct slice text, struct project *ret, struct fault *f);
void profile_done(struct profile *p);
void project_done(struct project *p);

/* Each part judged by itself once decoded; profile_decode() calls them in the file's order. */
MUST_CHECK enum err profile_check_subject(struct profile *p, struct fault *f);
MUST_CHECK enum err profile_check_keys(struct profile *p, struct fault *f);
MUST_CHECK enum err profile_check_extensions(struct profile *p, struct fault *f);
MUST_CHECK enum err profile_check_kinds(struct profile *p, struct fault *f);

/* Is *member one of the words? Else yaml_fault() at it: found, allowed, nearest. */
MUST_CHECK enum err word_check(const struct yaml_doc *doc, const char *const *member, const char *const *words, size_t n,
			       const char *rule, const char *what, struct fault *f);
/* A name as tallies have it (a-z, 0-9, '-', from a letter, below TALLY_WORD). */
MUST_CHECK enum err name_check(const struct yaml_doc *doc, const char *const *member, const char *what, struct fault *f);
/* The name in the file must be the file's own. */
MUST_CHECK enum err stem_check(const struct yaml_doc *doc, const char *const *member, const char *path, struct fault *f);
/* "profiles/organisation.yaml" → "organisation". False when it does not fit. */
bool path_stem(const char *path, char *ret, size_t size);

/* A profile's members in their types. */
static inline struct profile_attr *attrs_of(const struct profile *p) { return p->subject.v; }
static inline struct profile_ext *exts_of(const struct profile *p) { return p->extensions.v; }
static inline struct policy_kind *kinds_of(const struct profile *p) { return p->kinds.v; }
static inline struct policy_way *ways_of(const struct policy_kind *k) { return k->ways.v; }
static inline struct bilingual *checks_of(const struct policy_way *w) { return w->checks.v; }
static inline struct material_any *anys_of(const struct policy_way *w) { return w->materials.any_of.v; }
static inline struct download *downloads_of(const struct project *p) { return p->downloads.v; }
static inline struct service_def *services_of(const struct project *p) { return p->services.v; }

#endif
