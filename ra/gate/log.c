/*
 * The ledger's checkpoint and the hashes of its tree, for whoever watches that it only grows. C2SP tlog-tiles, hashes
 * alone: there are no entry bundles, since entries are customers' own.
 *
 * A tile comes from the desk. It is nobody's word: whoever has the checkpoint can tell whether it is right.
 */
#include "common/rpc/jsonrpc.h"
#include "ra/gate/routes.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#include <string.h>

#define TILE 256u
#define YEAR_SECONDS (365 * 86400)

struct tile {
	unsigned level; /* of tiles: 0 holds the leaves */
	uint64_t index; /* of the tile */
	unsigned width;
};

/* "x001/x234/067": three digits each, all but the last with an x. */
static bool read_index(const char *s, size_t n, uint64_t *ret)
{
	uint64_t v = 0, part;
	for (;;) {
		bool more = n > 0 && *s == 'x';
		s += more;
		n -= more;
		/* u64_parse() takes no leading zeros, and here they stand. */
		if (n < 3 || strspn(s, "0123456789") < 3 || v > UINT64_MAX / 1000 / 1000)
			return false;
		part = (uint64_t)(s[0] - '0') * 100 + (uint64_t)(s[1] - '0') * 10 + (uint64_t)(s[2] - '0');
		if (more && v == 0 && part == 0)
			return false;
		v = v * 1000 + part;
		s += 3;
		n -= 3;
		if (!more)
			break;
		if (n == 0 || *s != '/')
			return false;
		s++;
		n--;
	}
	*ret = v;
	return n == 0;
}

/* "<level>/<index>" or "<level>/<index>.p/<width>". */
static bool read_tile(const char *path, struct tile *ret)
{
	const char *slash = strchr(path, '/'), *partial = strstr(path, ".p/");
	uint64_t level, width = TILE;
	if (!slash || !u64_parse(path, (size_t)(slash - path), 7, &level))
		return false;
	const char *index = slash + 1, *end = partial ? partial : path + strlen(path);
	if (partial && (!u64_parse(partial + 3, strlen(partial + 3), TILE - 1, &width) || width == 0))
		return false;
	if (end < index || !read_index(index, (size_t)(end - index), &ret->index) ||
	    ret->index > UINT64_MAX / TILE / TILE)
		return false;
	ret->level = (unsigned)level;
	ret->width = (unsigned)width;
	return true;
}

static bool give_tile(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	struct tile t;
	struct fault f = {0};
	_cleanup_(json_freep) json_t *params = NULL, *result = NULL;
	if (!read_tile(r->path + strlen("/log/tile/"), &t))
		return false;
	params = json_pack("{s:i,s:I,s:i}", "level", (int)t.level * 8, "index", (json_int_t)t.index * TILE, "width",
			   (int)t.width);
	enum err e = jsonrpc_call(g->desk_quick, "edge.tile", params, &result, NULL, &f);
	const char *text = e == OK ? json_string_value(json_object_get(result, "hashes")) : NULL;
	if (!text || !base64_decode(text, strlen(text), &to->body) || to->body.len != 32 * (size_t)t.width) {
		http_say(to, e == ERR_NOT_FOUND ? 404 : 503,
			 e == ERR_NOT_FOUND ? "the log is not so long yet" : "the desk is not available now");
		return true;
	}
	to->type = "application/octet-stream";
	to->max_age = YEAR_SECONDS; /* what is in the tree never changes */
	gate_count(g, COUNT_LOG);
	return true;
}

static void give_checkpoint(struct gate *g, struct http_reply *to)
{
	pthread_mutex_lock(&g->lock);
	buf_add_slice(&to->body, buf_slice(&g->checkpoint));
	pthread_mutex_unlock(&g->lock);
	if (to->body.len == 0) {
		http_say(to, 503, "nothing was followed yet");
		return;
	}
	to->type = "text/plain; charset=utf-8";
	gate_count(g, COUNT_LOG);
}

bool route_log(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	static const char tiles[] = "/log/tile/";
	struct tile t;
	if (strcmp(r->method, "GET") != 0 || strncmp(r->path, "/log/", 5) != 0)
		return false;
	if (strcmp(r->path, "/log/checkpoint") == 0)
		give_checkpoint(g, to);
	else if (strncmp(r->path, tiles, sizeof(tiles) - 1) == 0 && read_tile(r->path + sizeof(tiles) - 1, &t))
		to->later = give_tile;
	else
		return false;
	return true;
}
