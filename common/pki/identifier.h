/*
 * Chinese identifiers of organisations: organisation code (GB 11714-1997) and unified social credit code (GB 32100-2015).
 */
#ifndef HUFU_PKI_IDENTIFIER_H
#define HUFU_PKI_IDENTIFIER_H

#include "common/base/err.h"

/* "XXXXXXXX-X" (with the hyphen). ERR_PARSE identifier_form: not such a code at all (length, alphabet; lower case is none).
 * ERR_RULE identifier_check says position, found, wanted check character: what a policy may let an officer override. */
MUST_CHECK enum err orgcode_check(const char *where, const char *code, size_t n, struct fault *f);
/* 18 characters, check character, and the inner organisation code (characters 9-17). */
MUST_CHECK enum err uscc_check(const char *where, const char *code, size_t n, struct fault *f);
/* Either, told apart by length (10: organisation code; 18: unified code; anything else is refused). */
MUST_CHECK enum err org_identifier_check(const char *where, const char *code, size_t n, struct fault *f);

#endif
