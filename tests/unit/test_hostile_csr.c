/*
 * Requests of the whole world, handed in at the desk for a new key: each is drafted or refused with a reason that its
 * sender can read, and none leads to a certificate. Files: the fuzzer's corpus, and what $HUFU_CORPUS/csr holds.
 */
#include "ra_fixture.h"

#include "common/pki/csr.h"
#include "common/pki/der.h"

#include <dirent.h>
#include <string.h>

#include "common/base/cleanup.h"

#define FILE_MAX_BYTES 65536u

struct count {
	unsigned files, drafted, refused;
};

/* An error that is no fault of ours, and says why. */
static void check_refusal(const char *path, json_t *error)
{
	json_t *data = json_object_get(error, "data");
	const char *kind = fx_text(data, "kind"), *reason = fx_text(data, "reason");
	if (strcmp(kind, "internal") == 0 || !*reason || !*fx_text(data, "zh") || !*fx_text(data, "en"))
		fail_msg("%s: found %s", path, json_dumps(error, JSON_ENCODE_ANY));
}

/* What was drafted names the request's own key, and wants a proof by it. */
static void check_draft(struct fx *x, const char *path, struct slice der, json_t *result)
{
	_cleanup_(csr_done) struct csr c = {0};
	struct fault f = {0};
	char hash[65];
	if (csr_parse(der, &c, &f) != OK || csr_verify(&c, &f) != OK)
		fail_msg("%s: drafted, but %s", path, f.text);
	hex_lower(c.key.spki_sha256, 32, hash);
	const char *id = fx_text(result, "request");
	_cleanup_(json_freep) json_t *shown =
		fx_do(x, UID_SUBSCRIBER, "request.show", json_pack("{s:s,s:s}", "session", x->session, "request", id));
	_cleanup_(freep) char *line = xasprintf("\nkey: new %s\n", hash);
	if (!strstr(fx_text(shown, "tally"), line) || json_array_size(json_object_get(shown, "missing")) != 2)
		fail_msg("%s: another key, or no proof asked", path);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", id)));
}

static void hand_in(struct fx *x, const char *order, const char *path, struct count *n)
{
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	struct fault f = {0};
	if (file_read(path, FILE_MAX_BYTES, &der, &f) != OK)
		fail_msg("%s", f.text);
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&der));
	json_t *p = fx_extend_params(x, order, 12);
	json_object_set_new(p, "way", json_string("new-key"));
	json_object_set_new(p, "csr", json_string(buf_text(&pem)));
	json_object_set_new(p, "files", json_string("no"));
	_cleanup_(json_freep) json_t *reply = fx_call(x, UID_SUBSCRIBER, "request.prepare", p);
	json_t *result = json_object_get(reply, "result");
	n->files++;
	if (result) {
		n->drafted++;
		check_draft(x, path, buf_slice(&der), result);
	} else {
		n->refused++;
		check_refusal(path, json_object_get(reply, "error"));
	}
}

static void folder(struct fx *x, const char *order, const char *path, struct count *n)
{
	struct dirent **files;
	int found = scandir(path, &files, NULL, alphasort);
	if (found < 0)
		fail_msg("%s: no such folder", path);
	for (int i = 0; i < found; i++) {
		const char *name = files[i]->d_name;
		_cleanup_(freep) char *file = path_join(path, name);
		if (name[0] != '.' && strcmp(name, "INDEX.tsv") != 0)
			hand_in(x, order, file, n);
		free(files[i]);
	}
	free(files);
}

static void test_each_is_drafted_or_refused(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	const char *more = getenv("HUFU_CORPUS");
	struct count n = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	folder(x, order, CSR_CORPUS, &n);
	assert_true(n.drafted > 0 && n.refused > 0);
	if (more && *more) {
		_cleanup_(freep) char *path = path_join(more, "csr");
		unsigned own = n.files;
		folder(x, order, path, &n);
		assert_true(n.files > own);
	}
	print_message("%u files: %u drafted, %u refused\n", n.files, n.drafted, n.refused);
	fx_hand_over(x);
	assert_true(x->signer.n_tallies <= n.drafted); /* the withdrawals, which make their ids dead */
	assert_int_equal(x->signer.n_issued, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_drafted_or_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
