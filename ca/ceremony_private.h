/*
 * What the files of the ceremony share. Private to ca/ceremony*.c.
 */
#ifndef HUFU_CA_CEREMONY_PRIVATE_H
#define HUFU_CA_CEREMONY_PRIVATE_H

#include "common/base/yaml.h"
#include "common/note/person.h"
#include "common/pki/cert.h"

enum ceremony_kind { CEREMONY_ROOT, CEREMONY_INTERMEDIATE };

struct ceremony_attr {
	const char *attribute, *value;
};
struct ceremony_file {
	int kind; /* enum ceremony_kind */
	const char *name;
	struct yaml_list subject; /* struct ceremony_attr */
	struct {
		const char *algorithm;
		int64_t bits; /* RSA, else 0 */
	} key;
	struct {
		int64_t years; /* 0: absolute */
		int64_t not_before, not_after;
		bool has_years, has_not_before, has_not_after;
	} validity;
	int64_t path_len;
	bool has_path_len, has_issuer, has_crl;
	const char *policy, *crl_url, *ca_issuers_url, *operator_key;
	struct {
		const char *certificate, *key;
	} issuer;
	struct {
		const char *certificate, *key, *transcript, *crl;
	} outputs;
	struct {
		int64_t number, days;
	} crl;
	/* resolved: */
	enum key_alg alg;
	struct name name_meant;
	uint8_t sha256[32]; /* of the file */
	struct yaml_doc *doc;
};
/* *ret is zeroed. ceremony_file_done() also after an error. */
MUST_CHECK enum err ceremony_file_load(const char *path, struct ceremony_file *ret, struct fault *f);
void ceremony_file_done(struct ceremony_file *c);
const char *ceremony_kind_word(int kind);

/* The transcript as it grows. Zero state is empty. */
struct transcript {
	struct buf text, outputs;
};
void transcript_done(struct transcript *t);
MUST_CHECK enum err transcript_begin(struct transcript *t, const struct ceremony_file *c, const char *operator_name,
				     struct fault *f);
void transcript_step(struct transcript *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void transcript_output(struct transcript *t, const char *what, const char *path, struct slice bytes);
/* The note with the operator's signature. Appends. */
MUST_CHECK enum err transcript_end(struct transcript *t, const struct person_key *operator_key, struct buf *ret,
				   struct fault *f);

#endif
