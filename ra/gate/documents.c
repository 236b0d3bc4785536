/*
 * Read once, before the first request, so that no path of a request ever becomes the path of a file.
 */
#include "ra/gate/documents.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "ra/gate/routes.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define DOCUMENTS_MAX 256u
#define DOCUMENT_MAX_BYTES (4u * 1024u * 1024u)
#define DAY_SECONDS 86400

struct document {
	char *name;
	struct buf bytes;
	char etag[33];
};
struct documents {
	struct document *v;
	size_t n;
};

static bool name_is_good(const char *name)
{
	return name[0] != '.' && strlen(name) <= 100 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name);
}

static void tag(const struct buf *bytes, char ret[33])
{
	uint8_t hash[32];
	sha256(bytes->data, bytes->len, hash);
	hex_lower(hash, 16, ret);
}

static void add(struct documents *d, const char *folder, const char *name)
{
	_cleanup_(freep) char *path = path_join(folder, name);
	struct document one = {0};
	struct fault f = {0};
	if (name[0] == '.')
		return;
	if (!name_is_good(name) || d->n == DOCUMENTS_MAX || file_read(path, DOCUMENT_MAX_BYTES, &one.bytes, &f) != OK) {
		log_event(LOG_LEVEL_WARNING, "document_left_out", "file=%s text=%s", LQ(path), LQ(f.text));
		buf_done(&one.bytes);
		return;
	}
	one.name = xstrdup(name);
	tag(&one.bytes, one.etag);
	d->v = xrealloc(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n++] = one;
}

enum err documents_open(const char *folder, struct documents **ret, struct fault *f)
{
	struct documents *d = xcalloc(1, sizeof(*d));
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *e;
	if (folder && !dir) {
		free(d);
		return fault_raise(f, ERR_CONFIG, "documents", "documents", "%s: %s", folder, strerror(errno));
	}
	while (dir && (e = readdir(dir)))
		add(d, folder, e->d_name);
	if (dir)
		closedir(dir);
	*ret = d;
	return OK;
}

void documents_close(struct documents *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].name);
		buf_done(&d->v[i].bytes);
	}
	free(d->v);
	free(d);
}

static const char *type_of(const char *name)
{
	static const struct {
		const char *end, *type;
	} types[] = {{".pdf", "application/pdf"},
		     {".html", "text/html; charset=utf-8"},
		     {".txt", "text/plain; charset=utf-8"},
		     {".md", "text/markdown; charset=utf-8"}};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(dot, types[i].end) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static void give(struct slice bytes, const char *type, const char *etag, struct http_reply *to)
{
	to->type = type;
	buf_add_slice(&to->body, bytes);
	snprintf(to->etag, sizeof(to->etag), "%s", etag);
	to->max_age = DAY_SECONDS;
}

bool route_document(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	static const char prefix[] = "/documents/";
	if (strcmp(r->method, "GET") != 0 || strncmp(r->path, prefix, sizeof(prefix) - 1) != 0)
		return false;
	for (size_t i = 0; i < g->documents->n; i++) {
		const struct document *d = &g->documents->v[i];
		if (strcmp(d->name, r->path + sizeof(prefix) - 1) != 0)
			continue;
		gate_count(g, COUNT_DOCUMENT);
		give(buf_slice(&d->bytes), type_of(d->name), d->etag, to);
		return true;
	}
	return false;
}

/* --- /ca/<issuer>.crt, /ca/<issuer>.pem --- */

static void give_cert(const struct gate_cert *c, struct http_reply *to)
{
	char etag[33];
	tag(&c->der, etag);
	give(buf_slice(&c->der), "application/pkix-cert", etag, to); /* RFC 2585 4.1 */
}

/* From that CA up. */
static void give_chain(const struct gate *g, const struct gate_cert *ca, struct http_reply *to)
{
	_cleanup_buf_ struct buf pem = {0};
	char etag[33];
	pem_put(&pem, "CERTIFICATE", buf_slice(&ca->der));
	if (g->root.der.len > 0)
		pem_put(&pem, "CERTIFICATE", buf_slice(&g->root.der));
	tag(&pem, etag);
	give(buf_slice(&pem), "application/pem-certificate-chain", etag, to); /* RFC 8555 9.1 */
}

bool route_ca(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	char root[41];
	const char *name = r->path + 4;
	hex_lower(g->root.cert.key.key_id, 20, root);
	if (strcmp(r->method, "GET") != 0 || strncmp(r->path, "/ca/", 4) != 0 || strlen(name) != 44)
		return false;
	const struct gate_issuer *of = gate_issuer(g, name);
	if (of && strcmp(name + 40, ".crt") == 0)
		give_cert(&of->ca, to);
	else if (of && strcmp(name + 40, ".pem") == 0)
		give_chain(g, &of->ca, to);
	else if (g->root.der.len > 0 && memcmp(name, root, 40) == 0 && strcmp(name + 40, ".crt") == 0)
		give_cert(&g->root, to);
	else
		return false;
	gate_count(g, COUNT_CA);
	return true;
}
