/*
 * What a stranger uploads: refused by a rule and with words, or one of three kinds.
 */
#include "tests/fuzz/fuzz.h"

#include "ra/material_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *type = NULL;
	struct fault f = {0};
	enum err e = material_form(slice_of(data, size), &type, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		must(strcmp(type, "pdf") == 0 || strcmp(type, "jpeg") == 0 || strcmp(type, "png") == 0);
	return 0;
}
