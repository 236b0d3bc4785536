/*
 * Cleanup by attribute: `_cleanup_(x509_freep) X509 *cert = NULL;` and TAKE(cert) when it leaves.
 *
 * Each library type has its helper here, once. The libraries' sections count only where their header was
 * included before this one, so that a room pulls in no library that it does not use.
 */
#ifndef HUFU_BASE_CLEANUP_H
#define HUFU_BASE_CLEANUP_H

#include "common/base/buf.h"
#include "common/base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
/* The value leaves, the variable is empty. */
#define TAKE(p)                          \
	__extension__({                  \
		__typeof__(p) *tp_ = &(p); \
		__typeof__(p) tv_ = *tp_;  \
		*tp_ = NULL;             \
		tv_;                     \
	})
#define CLEANUP_PTR(type, name, fn)              \
	static inline void name(type **p)        \
	{                                        \
		if (*p)                          \
			fn(*p);                  \
		*p = NULL;                       \
	}

static inline void freep(void *p)
{
	void **pp = p;
	free(*pp);
	*pp = NULL;
}
static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
CLEANUP_PTR(FILE, fclosep, fclose)
#define _cleanup_buf_ _cleanup_(buf_done)
#define _cleanup_secret_ _cleanup_(secret_done)

#endif

#if defined(OPENSSL_EVP_H) && !defined(HUFU_CLEANUP_EVP)
#define HUFU_CLEANUP_EVP
CLEANUP_PTR(EVP_PKEY, evp_pkey_freep, EVP_PKEY_free)
CLEANUP_PTR(EVP_PKEY_CTX, evp_pkey_ctx_freep, EVP_PKEY_CTX_free)
CLEANUP_PTR(EVP_MD_CTX, evp_md_ctx_freep, EVP_MD_CTX_free)
#endif
#if defined(OPENSSL_BIO_H) && !defined(HUFU_CLEANUP_BIO)
#define HUFU_CLEANUP_BIO
CLEANUP_PTR(BIO, bio_freep, BIO_free_all)
#endif
#if defined(OPENSSL_BN_H) && !defined(HUFU_CLEANUP_BN)
#define HUFU_CLEANUP_BN
CLEANUP_PTR(BIGNUM, bn_freep, BN_free)
#endif
#if defined(OPENSSL_X509_H) && !defined(HUFU_CLEANUP_X509)
#define HUFU_CLEANUP_X509
CLEANUP_PTR(X509, x509_freep, X509_free)
CLEANUP_PTR(X509_CRL, x509_crl_freep, X509_CRL_free)
CLEANUP_PTR(X509_REQ, x509_req_freep, X509_REQ_free)
CLEANUP_PTR(X509_NAME, x509_name_freep, X509_NAME_free)
CLEANUP_PTR(X509_STORE, x509_store_freep, X509_STORE_free)
CLEANUP_PTR(X509_STORE_CTX, x509_store_ctx_freep, X509_STORE_CTX_free)
#endif
#if defined(SQLITE3_H) && !defined(HUFU_CLEANUP_SQLITE)
#define HUFU_CLEANUP_SQLITE
CLEANUP_PTR(sqlite3, sqlite3_closep, sqlite3_close_v2)
CLEANUP_PTR(sqlite3_stmt, sqlite3_stmt_freep, sqlite3_finalize)
#endif
#if defined(JANSSON_H) && !defined(HUFU_CLEANUP_JANSSON)
#define HUFU_CLEANUP_JANSSON
CLEANUP_PTR(json_t, json_freep, json_decref)
#endif
#if defined(NNG_NNG_H) && !defined(HUFU_CLEANUP_NNG)
#define HUFU_CLEANUP_NNG
CLEANUP_PTR(nng_msg, nng_msg_freep, nng_msg_free)
#endif
