/*
 * Ceremonies: what is done once, in front of witnesses, from one reviewed YAML file, and a transcript of it. docs/ceremony.md is the guide.
 *
 *     kind: intermediate                      root intermediate responder log-key crl roster policy shares rollover revoke-ca
 *     name: issuing
 *     operator: VKEY                          who runs it; optional
 *     witnesses: [VKEY, …]                    optional
 *     approval: {note: PATH, roster: PATH}    hufu/ceremony/v1 over this file, by the quorum of that roster; rollover and revoke-ca need one
 *
 *   root, intermediate, rollover: a CA's key and certificate
 *     subject: [{attribute: CN, value: …}]    in the order of the certificate
 *     key: {algorithm: p256}                  p256 p384 ed25519 sm2, or rsa with bits
 *          token: pkcs11:serial=…;object=…?module-path=…   made there, and no file; the passphrase is its PIN
 *     validity: {not_before: …, not_after: …} RFC 3339 UTC
 *     path_len, policy, crl_url, ca_issuers_url   optional; the URLs not for a root; {issuer} is the issuer's key id
 *     issuer: {certificate: PATH, key: PATH}  not for a root; key: or the URI of one in a token
 *     replaces: PATH                          rollover: the certificate of the CA that is rolled
 *     crl: {number: 1, this_update: …, next_update: …}   with outputs.crl: a CRL of the CA that signs
 *     previous_crl: PATH                      with a number above 1: whose entries are taken over
 *   crl, revoke-ca: a CRL of an offline root: issuer, crl, previous_crl, and
 *     revoke: [{certificate: PATH, reason: superseded, when: …}]
 *   responder: an OCSP responder's key: key
 *   log-key: the signer's log key: ca (the issuing CA's certificate); key {algorithm: ed25519, token} for one in a token
 *   roster, policy, shares: what officers sign: ca, made, signers (names), and
 *     roster: quorum, members: [{role, key: VKEY | name and public: PATH, projects, kinds}], previous (the note in force; none: the first)
 *     policy: bundle (folder), roster, previous, until
 *     shares: roster, threshold, custodians, previous_set (the set in force; none: the first)
 *
 *     outputs: {certificate, key, public, crl, note, transcript: PATH}   those of the kind; none may exist
 *
 * Paths in the file start at dir. Certificates are PEM, keys of CAs sealed under "ca-key:<key id>", CRLs DER; a responder's and the log's keys are
 * plain, 0600, as the programs that use them read them. Of a key in a token the file of outputs.key holds the URI. The transcript is common/note/transcript.h.
 */
#ifndef HUFU_CA_CEREMONY_H
#define HUFU_CA_CEREMONY_H

#include "common/base/secret.h"

#include <stdio.h>

struct ceremony_options {
	const char *file, *dir;
	const char *into; /* rehearse: folder of it, made when missing; NULL: a fresh one under /tmp */
	const char *operator_key;
	const char *const *witness_keys, *const *officer_keys; /* key files of those who sign here */
	size_t n_witness_keys, n_officer_keys;
	const struct secret *passphrase, *issuer_passphrase; /* NULL: asked for; where the first alone is given it opens both */
	bool yes; /* steps are confirmed beforehand */
	int answers;  /* descriptor that answers are read from */
	FILE *screen; /* where prompts and the checklist go; NULL: nowhere */
	FILE *report; /* what was done, for programs: "field: value" lines; NULL: nowhere */
};

/* All that can be found without touching a key: form, inputs, dates, chain, outputs, quorums; and the whole with throw-away keys, written
 * nowhere. ERR_CONFIG with file:line:column; ERR_CONFLICT ceremony_output_exists; ERR_NOT_FOUND for an input. */
MUST_CHECK enum err ceremony_check(const struct ceremony_options *o, struct fault *f);
/* The whole with throw-away keys of every person and CA, the same prompts, outputs in a folder of its own (*ret_into, gives: free()). What is
 * not in dir yet is read from what an earlier rehearsal left in `into`. */
MUST_CHECK enum err ceremony_rehearse(const struct ceremony_options *o, char **ret_into, struct fault *f);
/* The ceremony. All outputs or none, the transcript last: a run that was cut off before it wrote starts again, one that was cut off while it wrote is
 * finished from dir/.ceremony-<name>, without a key. ERR_DENIED when a step was not confirmed. */
MUST_CHECK enum err ceremony_run(const struct ceremony_options *o, struct fault *f);
/* The unsigned hufu/ceremony/v1 text over the file, for the officers to sign. Appends. */
MUST_CHECK enum err ceremony_order(const struct ceremony_options *o, struct buf *ret, struct fault *f);

/* The same of what went wrong. */
void ceremony_report_fault(FILE *report, const struct fault *f);

#endif
