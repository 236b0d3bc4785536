/*
 * Ceremonies: a root or intermediate CA made from one reviewed YAML file, and a transcript of what was done, signed by the operator.
 *
 *     kind: intermediate                      root | intermediate
 *     name: issuing
 *     subject:                                in the order of the certificate
 *       - {attribute: C, value: CN}
 *       - {attribute: CN, value: Example Issuing CA}
 *     key: {algorithm: p256}                  p256 p384 ed25519 sm2, or rsa with bits
 *     validity: {years: 10}                   from now; or not_before and not_after, both RFC 3339 UTC
 *     path_len: 0                             CAs allowed below; none: no limit
 *     policy: 2.999.1                         certificate policy OID; optional
 *     crl_url: http://…/{issuer}/0.crl        of the issuer's CRL; optional, not in a root
 *     ca_issuers_url: http://…/{issuer}.crt   of the issuer's certificate; optional, not in a root
 *     issuer: {certificate: PATH, key: PATH}  of an intermediate
 *     outputs: {certificate: PATH, key: PATH, transcript: PATH, crl: PATH}
 *     crl: {number: 1, days: 366}             with outputs.crl: an empty CRL by the root (kind root) or by the issuer
 *     operator_key: PATH                      hufu-key/v1 file, where the command line names none
 *
 * Paths in the file start at dir. Output: the certificate as PEM, the key sealed under "ca-key:<key id>", the CRL as DER, and the note
 *
 *     hufu/transcript/v1
 *     ceremony, kind, version, library, program (SHA-256 of the running binary), file (SHA-256), operator, subject, begun,
 *     step: <time> <what was done>            one or more
 *     output: <what> <path> <SHA-256>         one or more
 *     ended
 */
#ifndef HUFU_CA_CEREMONY_H
#define HUFU_CA_CEREMONY_H

#include "common/base/secret.h"

/* Runs one ceremony. passphrase seals the new key, issuer_passphrase opens the issuer's; NULL: asked for on the terminal, but where
 * passphrase is given and issuer_passphrase is not, it opens both. operator_key: NULL for the file's own.
 *
 * Outputs that exist are ERR_CONFLICT before anything is made; after any failure none is left. A file that says what its kind does not use,
 * or leaves out what it does: ERR_CONFIG with file:line:column. The certificate passes lint before and after it is signed. */
MUST_CHECK enum err ceremony_run(const char *file, const char *dir, const char *operator_key, const struct secret *passphrase,
				 const struct secret *issuer_passphrase, struct fault *f);

#endif
