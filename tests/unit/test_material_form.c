/*
 * What a file is: good ones of each kind, then for each rule what breaks it, by accident and on purpose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/material_kit.h"

#include "common/base/cleanup.h"
#include "ra/material_form.h"

/* rule NULL: taken. */
static void judged(const struct buf *b, const char *rule, const char *name)
{
	const char *type = NULL;
	struct fault f = {0};
	/* Memory of exactly its size, so that a sanitizer sees a byte read behind it. */
	_cleanup_(freep) uint8_t *exact = malloc(b->len);
	assert_non_null(exact);
	memcpy(exact, b->data, b->len);
	enum err e = material_form(slice_of(exact, b->len), &type, &f);
	if (rule == NULL ? e != OK || !type : e != ERR_RULE || strcmp(f.rule, rule) != 0)
		fail_msg("%s: found %s \"%s\", wanted %s", name, e == OK ? type : f.rule, f.text,
			 rule ? rule : "no refusal");
}

static void test_good(void **state)
{
	static void (*const makers[])(struct buf * b) = {kit_png, kit_jpeg};
	_cleanup_buf_ struct buf pdf = {0};
	const char *type = NULL;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf b = {0};
		makers[i](&b);
		judged(&b, NULL, i ? "JPEG" : "PNG");
		/* Cut anywhere, and with anything behind it, it is none any more. */
		for (size_t n = 0; n < b.len; n++)
			assert_int_not_equal(material_form(slice_of(b.data, n), &type, NULL), OK);
		buf_char(&b, '\n');
		judged(&b, "material_hidden", "a byte behind the end");
	}
	kit_pdf("", &pdf);
	judged(&pdf, NULL, "PDF");
	for (size_t n = 0; n + 2 < pdf.len; n++)
		assert_int_not_equal(material_form(slice_of(pdf.data, n), &type, NULL), OK);
	buf_str(&pdf, "\r\n");
	judged(&pdf, NULL, "PDF with a line's end more");
}

static void test_other_kinds(void **state)
{
	static const char *const others[] = {
		"MZ\x90",     "GIF89a",	      "\177ELF", "PK\3\4 a zip", "<html></html>", "<svg xmlns='x'/>",
		"plain text", "RIFF....WEBP", "II*\0",	 "BM",		 " %PDF-1.4",	  "\xef\xbb\xbf%PDF-1.4",
		"\xff\xd8",   "\x89PNG\r\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		buf_str(&b, others[i]);
		judged(&b, "material_type", others[i]);
	}
	struct fault f = {0};
	const char *type = NULL;
	assert_int_equal(material_form((struct slice){0}, &type, &f), ERR_RULE);
	assert_string_equal(f.rule, "material_type");
}

/* --- PNG --- */

static void test_png_sizes(void **state)
{
	static const struct {
		uint32_t width, height;
		uint8_t depth, colour;
		const char *rule;
	} cases[] = {
		{4961, 7016, 8, 2, NULL}, /* A4 at 600 dpi */
		{20000, 5000, 8, 2, NULL},
		{20000, 5001, 8, 2, "material_pixels"},
		{20001, 1, 1, 0, "material_pixels"},
		{1, 20001, 1, 0, "material_pixels"},
		{0x7fffffff, 0x7fffffff, 8, 6, "material_pixels"},
		{0xffffffff, 0xffffffff, 16, 6, "material_pixels"},
		{0, 1, 8, 2, "material_pixels"},
		{10000, 10000, 16, 6, "material_pixels"}, /* 763 MiB decoded */
		{1, 1, 3, 0, "material_form"},
		{1, 1, 8, 1, "material_form"},
		{1, 1, 16, 3, "material_form"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		kit_png_begin(&b, cases[i].width, cases[i].height, cases[i].depth, cases[i].colour);
		kit_chunk(&b, "IDAT", "x", 1);
		kit_chunk(&b, "IEND", "", 0);
		_cleanup_(freep) char *name = xasprintf("%ux%u", cases[i].width, cases[i].height);
		judged(&b, cases[i].rule, name);
	}
}

struct piece {
	const char *type, *bytes;
	size_t n;
};

static void test_png_chunks(void **state)
{
	static const struct {
		const char *what, *rule;
		struct piece pieces[4];
	} cases[] = {
		{"palette and time",
		 NULL,
		 {{"PLTE", "abc", 3}, {"tIME", "1234567", 7}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a private chunk that may be skipped", NULL, {{"iDOT", "x", 1}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"two images in a row", NULL, {{"IDAT", "x", 1}, {"IDAT", "y", 1}, {"IEND", "", 0}}},
		{"a critical chunk of nobody", "material_form", {{"IDAT", "x", 1}, {"EVIL", "x", 1}, {"IEND", "", 0}}},
		{"a reserved bit", "material_form", {{"abcd", "x", 1}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a second header",
		 "material_form",
		 {{"IHDR", "1234567890123", 13}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"no image", "material_form", {{"IEND", "", 0}}},
		{"an image apart",
		 "material_form",
		 {{"IDAT", "x", 1}, {"tEXt", "x", 1}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"an end with content", "material_form", {{"IDAT", "x", 1}, {"IEND", "x", 1}}},
		{"a palette behind the image",
		 "material_form",
		 {{"IDAT", "x", 1}, {"PLTE", "abc", 3}, {"IEND", "", 0}}},
		{"a type with a control character",
		 "material_form",
		 {{"a\nCd", "x", 1}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a script in a text",
		 "material_hidden",
		 {{"tEXt", "c\0<ScRiPt>alert(1)</script>", 26}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a page in a text",
		 "material_hidden",
		 {{"tEXt", "c\0<!DOCTYPE html>", 17}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"PHP in a text",
		 "material_hidden",
		 {{"tEXt", "c\0<?php system('id'); ?>", 24}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a PDF in a text",
		 "material_hidden",
		 {{"tEXt", "c\0%PDF-1.4\n", 11}, {"IDAT", "x", 1}, {"IEND", "", 0}}},
		{"a zip in a text", "material_hidden", {{"IDAT", "x", 1}, {"zZZz", KIT_ZIP_END, 22}, {"IEND", "", 0}}},
		{"a RAR in a text",
		 "material_hidden",
		 {{"IDAT", "x", 1}, {"tEXt", "c\0Rar!\x1a\x07\0", 9}, {"IEND", "", 0}}},
		{"the letters of a zip", NULL, {{"IDAT", "PK\5\6 and twenty bytes more of it", 32}, {"IEND", "", 0}}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		kit_png_begin(&b, 1, 1, 8, 2);
		for (size_t k = 0; k < 4 && cases[i].pieces[k].type; k++)
			kit_chunk(&b, cases[i].pieces[k].type, cases[i].pieces[k].bytes, cases[i].pieces[k].n);
		judged(&b, cases[i].rule, cases[i].what);
	}
}

static void test_png_damage(void **state)
{
	_cleanup_buf_ struct buf b = {0}, large = {0};
	_cleanup_(freep) char *text = xcalloc(1, 3u << 20);
	(void)state;
	kit_png(&b);
	/* Every bit of the chunks counts: types, lengths, contents and CRCs. */
	for (size_t bit = 8 * 8; bit < b.len * 8; bit++) {
		const char *type = NULL;
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(material_form(buf_slice(&b), &type, NULL), OK);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	judged(&b, NULL, "as before");
	kit_png_begin(&large, 1, 1, 8, 2);
	kit_chunk(&large, "eXIf", text, 3u << 20);
	kit_chunk(&large, "IDAT", "x", 1);
	kit_chunk(&large, "IEND", "", 0);
	judged(&large, "material_form", "3 MiB beside the image");
}

/* --- JPEG --- */

static void test_jpeg_frames(void **state)
{
	static const struct {
		uint8_t marker;
		unsigned width, height;
		const char *rule;
	} cases[] = {
		{0xc0, 4961, 7016, NULL},
		{0xc2, 1, 1, NULL},
		{0xc1, 20000, 5000, NULL},
		{0xc0, 20000, 5001, "material_pixels"},
		{0xc0, 65535, 65535, "material_pixels"},
		{0xc0, 8, 0, "material_pixels"},
		{0xc3, 8, 8, "material_form"},
		{0xc9, 8, 8, "material_form"},
		{0xcc, 8, 8, "material_form"},
		{0xf0, 8, 8, "material_form"},
		{0x01, 8, 8, "material_form"},
		{0xd8, 8, 8, "material_form"},
		{0xd0, 8, 8, "material_form"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_(freep) char *name =
			xasprintf("marker %02x, %ux%u", cases[i].marker, cases[i].width, cases[i].height);
		kit_jpeg_begin(&b, cases[i].marker, cases[i].width, cases[i].height);
		kit_jpeg_end(&b);
		judged(&b, cases[i].rule, name);
	}
}

static void test_jpeg_segments(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t n;
		const char *rule;
	} cases[] = {
		{"a comment", "\xff\xfe\0\7hello", 9, NULL},
		{"fill bytes", "\xff\xff\xff\xfe\0\2", 6, NULL},
		{"a second frame", "\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0", 13, "material_form"},
		{"a segment without its length", "\xff\xfe\0\1", 4, "material_form"},
		{"a segment over the end", "\xff\xfe\xff\xff", 4, "material_form"},
		{"no marker", "hello", 5, "material_form"},
		{"an end before the image", "\xff\xd9", 2, "material_form"},
		{"a script in a comment", "\xff\xfe\0\x0a<script>", 12, "material_hidden"},
		{"a PDF in a comment", "\xff\xfe\0\x0a%PDF-1.4", 12, "material_hidden"},
		{"a PHP archive in a comment", "\xff\xfe\0\x11__HALT_COMPILER", 19, "material_hidden"},
		{"a zip's end in a comment", "\xff\xfe\0\x18" KIT_ZIP_END, 26, "material_hidden"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		kit_jpeg_begin(&b, 0xc0, 8, 8);
		buf_add(&b, cases[i].bytes, cases[i].n);
		kit_jpeg_end(&b);
		judged(&b, cases[i].rule, cases[i].what);
	}
}

static void test_jpeg_scans(void **state)
{
	_cleanup_buf_ struct buf two = {0}, photo = {0};
	(void)state;
	/* A progressive image has several; the end of one is the next one's marker. */
	kit_jpeg_begin(&two, 0xc2, 8, 8);
	kit_jpeg_end(&two);
	two.len -= 2;
	kit_jpeg_end(&two);
	judged(&two, NULL, "two scans");
	/* A moving photo: a film behind the picture. */
	kit_jpeg(&photo);
	buf_add(&photo,
		"\0\0\0\x18"
		"ftypmp42",
		12);
	judged(&photo, "material_hidden", "a film behind");
}

/* --- PDF --- */

static void test_pdf_actions(void **state)
{
	static const struct {
		const char *body, *rule;
	} cases[] = {
		{"4 0 obj<</S/URI/URI(https://example.test)>>endobj", NULL},
		{"4 0 obj<</OpenAction[3 0 R/XYZ null null 0]>>endobj", NULL},
		{"4 0 obj<</Names[(JavaScript)]>>endobj", NULL},
		{"4 0 obj<</JavaScripture 1>>endobj", NULL},
		{"4 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj", "material_active"},
		{"4 0 obj<</S /J#61vaScript /JS 5 0 R>>endobj", "material_active"},
		{"4 0 obj<</S/#4a#61#76#61#53#63#72#69#70#74>>endobj", "material_active"},
		{"4 0 obj<</S/Launch/F(cmd.exe)>>endobj", "material_active"},
		{"4 0 obj<</Names<</EmbeddedFiles 5 0 R>>>>endobj", "material_active"},
		{"4 0 obj<</Type/EmbeddedFile/Length 3>>stream\nabc\nendstream endobj", "material_active"},
		{"4 0 obj<</Subtype/FileAttachment>>endobj", "material_active"},
		{"4 0 obj<</S/GoToE>>endobj", "material_active"},
		{"4 0 obj<</S/SubmitForm>>endobj", "material_active"},
		{"4 0 obj<</XFA[]>>endobj", "material_active"},
		{"4 0 obj<</Subtype/RichMedia>>endobj", "material_active"},
		{"4 0 obj<</Encrypt 5 0 R>>endobj", "material_active"},
		{"4 0 obj<</Type/ObjStm/N 1/First 4/Length 3>>stream\nabc\nendstream endobj", "material_active"},
		/* Where a reader that trusts lengths sees no object, and one that follows offsets does. */
		{"4 0 obj<</Length 30>>stream\n5 0 obj<</S/JavaScript>>endobj\nendstream endobj", "material_active"},
		{"% /JavaScript in a comment\n", "material_active"},
		{"4 0 obj<</T(<script>alert(1)</script>)>>endobj", "material_hidden"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		kit_pdf(cases[i].body, &b);
		judged(&b, cases[i].rule, cases[i].body);
	}
}

#define OBJECT_1 "1 0 obj<</Root 1 0 R>>endobj\n"

static void test_pdf_ends(void **state)
{
	static const struct {
		const char *text, *rule;
	} cases[] = {
		{"%PDF-1.7\n" OBJECT_1 "startxref\n9\n%%EOF", NULL},
		{"%PDF-2.0\r" OBJECT_1 "startxref\r\n9\r\n%%EOF\r\n", NULL},
		{"%PDF-1.7\n" OBJECT_1 "startxref 9 %%EOF", NULL},
		{"%PDF-3.0\n" OBJECT_1 "startxref\n9\n%%EOF", "material_form"},
		{"%PDF-1.77" OBJECT_1 "startxref\n9\n%%EOF", "material_form"},
		{"%PDF-", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n9\n", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "9\n%%EOF", "material_form"},
		{"%PDF-1.7\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n10\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n99999\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n99999999999999999999999\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n-9\n%%EOF", "material_form"},
		{"%PDF-1.7\n1 0 obj<<>>endobj\nstartxref\n9\n%%EOF", "material_form"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n9\n%%EOF\n<html>", "material_hidden"},
		{"%PDF-1.7\n" OBJECT_1 "startxref\n9\n%%EOF\nMZ", "material_hidden"},
		{"%PDF-1.7\n" OBJECT_1
		 "startxref\n9\n%%EOF                                                                 ",
		 "material_hidden"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		buf_str(&b, cases[i].text);
		judged(&b, cases[i].rule, cases[i].text);
	}
}

/* A zip that is a PDF as well: its end record's comment is the PDF's tail. */
static void test_pdf_and_zip(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	(void)state;
	buf_str(&b, "%PDF-1.7\n" OBJECT_1);
	buf_add(&b, "PK\5\6\0\0\0\0\1\0\1\0\x2e\0\0\0\x40\0\0\0\x13\0", 22);
	buf_str(&b, "startxref\n9\n%%EOF\n\n");
	judged(&b, "material_hidden", "PDF and zip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	      cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_png_sizes),     cmocka_unit_test(test_png_chunks),
		cmocka_unit_test(test_png_damage),    cmocka_unit_test(test_jpeg_frames),
		cmocka_unit_test(test_jpeg_segments), cmocka_unit_test(test_jpeg_scans),
		cmocka_unit_test(test_pdf_actions),   cmocka_unit_test(test_pdf_ends),
		cmocka_unit_test(test_pdf_and_zip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
