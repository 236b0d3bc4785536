/*
 * Organisation and unified codes: one that passes is of its alphabet, and no other last character passes in its place.
 */
#include "tests/fuzz/fuzz.h"

#include "common/pki/identifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *code = (const char *)data;
	struct fault f = {0};
	enum err e = org_identifier_check("code", code, size, &f);
	must((e == OK) ==
	     (orgcode_check("code", code, size, NULL) == OK || uscc_check("code", code, size, NULL) == OK));
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	char other[18];
	must(size == 10 || size == 18);
	for (unsigned c = 0; c < 256; c++) {
		memcpy(other, code, size);
		other[size - 1] = (char)c;
		must((org_identifier_check("code", other, size, NULL) == OK) == (other[size - 1] == code[size - 1]));
	}
	for (size_t i = 0; i < size; i++)
		must((code[i] >= '0' && code[i] <= '9') || (code[i] >= 'A' && code[i] <= 'Z') ||
		     (size == 10 && i == 8));
	return 0;
}
