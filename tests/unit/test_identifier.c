/*
 * Organisation codes and unified codes: good ones of an independent implementation (python3-stdnum for the unified
 * code), changed ones, and what only looks like a code.
 */
#include "pki_kit.h"

#include "common/pki/identifier.h"

static const char *const good_uscc[] = {
	"91110000802100433B", "91110108551385082Q", "9144030071526726XG", "914403001922038216", "91330100799655058B",
	"91100000100003962T", "12100000400000624D", "913301003535355023", "99277680MA5TH2HU4N", "993049120L23DL8P7Q",
	"11405621MAAEMA1YXF", "13162879FTUQJ76T1Q", "99229611MAPLARDC0A", "93549479CP1HGTLG7B", "53423521MA41AMCF94",
	"923909270RDUELXG4L", "93305963MA6LNXFE2P", "92536816YP14T8M396", "99359520MAA5NNL95D", "535320815YHD9L6M8T",
	"91533485MA71WTF26Y", "11173087A0CE7Y6FX0", "12531741MAA8RK9875", "13456481RB6RAEK45Q", "93511066MARJJJ13XF",
	"99637460N2YA43WA1A", "13641417MAKGJDAQ3A", "121364106M9G1MQ22T", "52563611MAKQRJXG76", "11516608WTDXLX6J0E",
	"51414623MAQDHJ4572", "93278033UMEHUU4L2T", "53344241MAPF8B974T", "59532299N97187CR4J", "91297942MAUX73542X",
	"99207616C3PLP6TG19", "19489795MA53NL0T9H", "19620140G4EATH9160",
};

static const char *const good_org[] = {
	"35353550-2", "D2143569-X", "00000000-0", "2PNKXGCN-4", "X6A6MNY1-3", "Z7O9PZNA-2", "YLYMVIVI-9", "S5B236TI-9",
	"I334OO63-0", "4H1RDHII-7", "KUJ8K6OF-8", "47CYNA5J-8", "8WJMA122-6", "JVOT602D-3", "2TR1OF8U-9",
};

struct changed {
	const char *code;
	char wanted;
};
static const struct changed bad_check[] = {
	{"914403001922038217", '6'}, {"99277680MA5TH2HU4K", 'N'}, {"993049120L23DL8P7E", 'Q'},
	{"11405621MAAEMA1YX1", 'F'}, {"13162879FTUQJ76T1M", 'Q'}, {"99229611MAPLARDC04", 'A'},
	{"93549479CP1HGTLG7R", 'B'}, {"53423521MA41AMCF98", '4'}, {"923909270RDUELXG4D", 'L'},
	{"93305963MA6LNXFE2C", 'P'}, {"92536816YP14T8M39R", '6'}, {"99359520MAA5NNL95T", 'D'},
	{"535320815YHD9L6M8M", 'T'},
};

/* Neighbours that changed places. */
static const char *const swapped[] = {
	"93278033MUEHUU4L2T", "51414623AMQDHJ4572", "91533485AM71WTF26Y", "111730870ACE7Y6FX0",
	"12531741AMA8RK9875", "13456481BR6RAEK45Q", "93511066AMRJJJ13XF", "996374602NYA43WA1A",
	"13641417AMKGJDAQ3A", "12136410M69G1MQ22T", "52563611AMKQRJXG76", "11516608TWDXLX6J0E",
};

static void good_codes_pass(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(good_uscc) / sizeof(good_uscc[0]); i++) {
		assert_ok(uscc_check("x", good_uscc[i], strlen(good_uscc[i]), &f), &f);
		assert_ok(org_identifier_check("x", good_uscc[i], strlen(good_uscc[i]), &f), &f);
	}
	for (size_t i = 0; i < sizeof(good_org) / sizeof(good_org[0]); i++) {
		assert_ok(orgcode_check("x", good_org[i], strlen(good_org[i]), &f), &f);
		assert_ok(org_identifier_check("x", good_org[i], strlen(good_org[i]), &f), &f);
	}
}

static void wrong_check_characters_are_named(void **state)
{
	struct fault f;
	char text[40];
	(void)state;
	for (size_t i = 0; i < sizeof(bad_check) / sizeof(bad_check[0]); i++) {
		const struct changed *b = &bad_check[i];
		assert_refused(uscc_check("subject.code", b->code, 18, &f), ERR_RULE, "identifier_check", &f, b->code);
		snprintf(text, sizeof(text), "is \"%c\", wanted \"%c\"", b->code[17], b->wanted);
		assert_non_null(strstr(f.text, text));
		assert_non_null(strstr(f.text, "position 18"));
		assert_string_equal(f.where, "subject.code");
	}
	for (size_t i = 0; i < sizeof(swapped) / sizeof(swapped[0]); i++)
		assert_refused(uscc_check("x", swapped[i], 18, &f), ERR_RULE, "identifier_check", &f, swapped[i]);
	assert_refused(orgcode_check("x", "35353550-9", 10, &f), ERR_RULE, "identifier_check", &f, "old record");
	assert_non_null(strstr(f.text, "position 10 is \"9\", wanted \"2\""));
}

/* The whole code's check holds, that of the organisation code inside does not. */
static void inner_code_is_checked(void **state)
{
	struct fault f;
	(void)state;
	assert_refused(uscc_check("x", "91310000631295002H", 18, &f), ERR_RULE, "identifier_check", &f, "inner");
	assert_non_null(strstr(f.text, "inner organisation code"));
	assert_non_null(strstr(f.text, "position 17"));
}

/* Every other character at every place of a good code is refused. */
static void any_single_change_is_caught(void **state)
{
	static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	(void)state;
	for (size_t k = 0; k < sizeof(good_uscc) / sizeof(good_uscc[0]); k++) {
		for (size_t i = 0; i < 18; i++) {
			for (size_t c = 0; c < sizeof(all) - 1; c++) {
				char code[19];
				memcpy(code, good_uscc[k], 19);
				code[i] = all[c];
				bool same = code[i] == good_uscc[k][i];
				assert_true((uscc_check("x", code, 18, NULL) == OK) == same);
			}
		}
	}
}

static void what_is_no_code_is_refused(void **state)
{
	static const struct {
		const char *code;
		size_t n;
	} no_code[] = {
		{"", 0},
		{"9111000080210043IB", 18},
		{"91110000802100433", 17},
		{"91110000802100433BB", 19},
		{"91110000802100433b", 18},
		{"9111000080210043\0B", 18},
		{"91110000802100433\0", 18},
		{" 1110000802100433B", 18},
		{"911A0000802100433B", 18},
		{"9111000080210043AB", 18},
		{"\xef\xbc\x99"
		 "1110000802100B",
		 17},
		{"\xef\xbc\x99"
		 "1110000802100AB",
		 18},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 18},
		{"3535355029", 10},
		{"35353550 2", 10},
		{"3535355a-2", 10},
		{"35353550-A", 10},
		{"35353550-x", 10},
		{"353535502", 9},
		{"3535355\0-2", 10},
		{"%s%s%s%n-2", 10},
	};
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(no_code) / sizeof(no_code[0]); i++) {
		char *code = (char *)exact(no_code[i].code, no_code[i].n);
		assert_refused(org_identifier_check("x", code, no_code[i].n, &f), ERR_PARSE, "identifier_form", &f,
			       no_code[i].code);
		assert_true(utf8_valid(f.text, strlen(f.text)));
		free(code);
	}
	assert_refused(uscc_check("x", "35353550-2", 10, &f), ERR_PARSE, "identifier_form", &f, "org code as unified");
	assert_refused(orgcode_check("x", "913301003535355023", 18, &f), ERR_PARSE, "identifier_form", &f, "and back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_codes_pass),
		cmocka_unit_test(wrong_check_characters_are_named),
		cmocka_unit_test(inner_code_is_checked),
		cmocka_unit_test(any_single_change_is_caught),
		cmocka_unit_test(what_is_no_code_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
