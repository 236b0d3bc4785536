/*
 * Questions after certificates, read without a tree: what is taken is JSON within its limits and asks what the answer
 * answers; what is not taken leaves no byte behind.
 */
#include "tests/fuzz/mutate.h"

#include "common/rpc/json.h"
#include "ra/status.h"
#include "ra/status_index.h"

#include "common/base/cleanup.h"

#include <sodium.h>
#include <unistd.h>

static struct desk desk;
static struct caller caller = {.uid = 0, .roles = DESK_PORTAL};

static void add(struct db *db, const char *serial, uint8_t issuer, enum cert_state state)
{
	struct cert_row row = {.state = state, .reason = 1, .changed = 1, .not_after = 253402300799};
	int64_t id;
	must(serial_parse(serial, strlen(serial), &row.ref.serial));
	memset(row.ref.issuer_key_id, issuer, 20);
	must(store_cert_row_add(db, &row, &id, NULL) == OK);
}

static void open_once(void)
{
	char dir[] = "/tmp/hufu-fuzz-XXXXXX";
	struct db *db = NULL;
	if (desk.status)
		return;
	must(sodium_init() >= 0 && mkdtemp(dir));
	_cleanup_(freep) char *path = xasprintf("%s/desk.db", dir), *wal = xasprintf("%s-wal", path),
			      *shm = xasprintf("%s-shm", path);
	must(store_open(path, &desk.store, NULL) == OK && store_begin(desk.store, &db, NULL) == OK);
	add(db, "01", 0xaa, CERT_GOOD);
	add(db, "01", 0xbb, CERT_REVOKED);
	add(db, "74C2008800000AE9", 0xaa, CERT_HELD);
	must(store_end(desk.store, db, OK, NULL) == OK && status_index_open(desk.store, &desk.status, NULL) == OK);
	desk.config.callers = &caller;
	desk.config.n_callers = 1;
	(void)unlink(path), (void)unlink(wal), (void)unlink(shm), (void)rmdir(dir);
}

MUTATES(mutate_json)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits limits = {1024 * 1024, 16, 65536};
	struct slice request = slice_of(data, size);
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(json_freep) json_t *asked = NULL, *answer = NULL;
	open_once();
	if (!status_quick(&desk, &(struct rpc_peer){.uid = 0}, request, &reply)) {
		must(reply.len == 0);
		return 0;
	}
	must(json_read(request, &limits, &asked, NULL) == OK);
	must(json_read(buf_slice(&reply), &limits, &answer, NULL) == OK);
	must(json_equal(json_object_get(asked, "id"), json_object_get(answer, "id")));
	must(strcmp(json_string_value(json_object_get(asked, "method")), "status.query") == 0);
	json_t *params = json_object_get(asked, "params"), *serials = json_object_get(params, "serials");
	json_t *list = serials ? serials : json_object_get(params, "refs");
	must(json_object_size(params) == 1 && json_array_size(list) > 0);
	must(json_array_size(json_object_get(json_object_get(answer, "result"), "answers")) >= json_array_size(list));
	return 0;
}
