/*
 * The gate's snapshot, whose hash is made right here, since whoever can write the file can do so too: it is read whole
 * or thrown away, and what was read can be looked up.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "ra/gate/table.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

static void put_file(int fd, const uint8_t *data, size_t size)
{
	uint8_t hash[32];
	must(crypto_generichash(hash, sizeof(hash), data, size, NULL, 0) == 0);
	must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	must(size == 0 || write(fd, data, size) == (ssize_t)size);
	must(write(fd, hash, sizeof(hash)) == sizeof(hash));
}

static void look_up(const struct gate_table *t)
{
	struct gate_crl crl;
	for (size_t i = 1; i <= table_count(t) && i < 1000; i++) {
		const struct gate_row *r = table_row(t, (uint32_t)i), *same[TABLE_SAME_MAX];
		struct cert_ref ref = {.serial.n = r->n};
		must(r->n >= 1 && r->n <= SERIAL_MAX && (r->successor == 0 || table_row(t, r->successor)));
		memcpy(ref.serial.b, r->serial, r->n);
		memcpy(ref.issuer_key_id, table_issuer(t, r->issuer), 20);
		(void)table_find(t, &ref, NULL);
		(void)table_find_serial(t, &ref.serial, same);
		(void)table_crl(t, ref.issuer_key_id, 0, &crl);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct gate_table *t = table_new();
	struct fault f = {0};
	if (fd < 0) {
		must(sodium_init() >= 0);
		fd = memfd_create("snapshot", MFD_CLOEXEC);
		must(fd >= 0);
	}
	_cleanup_(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
	put_file(fd, data, size);
	table_write_begin(t);
	enum err e = snapshot_read(t, path, &f);
	table_write_end(t);
	if (e == OK) {
		table_read_begin(t);
		look_up(t);
		table_read_end(t);
	} else {
		must_refuse(e, &f);
	}
	table_free(t);
	return 0;
}
