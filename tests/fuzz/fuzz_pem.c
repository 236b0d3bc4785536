/*
 * PEM: what is read out of a text, written again, is read again; libcrypto reads what is written.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/base/cleanup.h"
#include "common/pki/der.h"

static void try_again(const char *label, struct slice der)
{
	_cleanup_buf_ struct buf text = {0};
	struct buf *list = NULL;
	size_t n = 0;
	pem_put(&text, label, der);
	must(pem_all(buf_slice(&text), label, 1, &list, &n, NULL) == OK && n == 1);
	must_be(buf_slice(&list[0]), der);
	buf_done(&list[0]);
	free(list);

	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	char *name = NULL, *header = NULL;
	unsigned char *theirs = NULL;
	long their_n = 0;
	must(bio && PEM_read_bio(bio, &name, &header, &theirs, &their_n) == 1);
	must(strcmp(name, label) == 0 && *header == '\0');
	must_be(slice_of(theirs, (size_t)their_n), der);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(theirs);
}

static void try_label(struct slice bytes, const char *label)
{
	_cleanup_buf_ struct buf one = {0};
	struct buf *all = NULL;
	size_t n = 0;
	struct fault f = {0};
	enum err e = pem_or_der(bytes, label, &one, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		try_again(label, buf_slice(&one));
	e = pem_all(bytes, label, 4, &all, &n, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return;
	}
	must(n >= 1 && n <= 4);
	for (size_t i = 0; i < n; i++) {
		try_again(label, buf_slice(&all[i]));
		buf_done(&all[i]);
	}
	free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_label(slice_of(data, size), "CERTIFICATE");
	try_label(slice_of(data, size), "CERTIFICATE REQUEST");
	try_label(slice_of(data, size), "X509 CRL");
	ERR_clear_error();
	return 0;
}
