/*
 * Names: one that is read, written again and read, is the same name; libcrypto reads whatever is well formed here.
 */
#include "tests/fuzz/mutate.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/cleanup.h"
#include "common/pki/name_private.h"

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice der = slice_of(data, size);
	_cleanup_(name_done) struct name n = {0}, again = {0};
	_cleanup_buf_ struct buf text = {0}, bytes = {0};
	struct fault f = {0};
	if (name_is_wellformed(der)) {
		const uint8_t *p = data;
		_cleanup_(x509_name_freep) X509_NAME *theirs = d2i_X509_NAME(NULL, &p, (long)size);
		must(theirs && p == data + size);
	}
	ERR_clear_error();
	enum err e = name_parse(der, &n, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	must(name_is_wellformed(der) && n.n <= NAME_MAX_ATTRS);
	for (size_t i = 0; i < n.n; i++)
		must(name_value_check("name", n.attrs[i].value, strlen(n.attrs[i].value), NULL) == OK);
	name_put(&n, &bytes);
	must(name_parse(buf_slice(&bytes), &again, NULL) == OK && name_eq(&n, &again));
	name_text(&n, &text);
	must(utf8_valid(text.data, text.len));
	return 0;
}
