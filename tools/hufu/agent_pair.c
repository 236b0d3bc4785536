/*
 * Who may ask the agent for anything: pages of an origin that the person has paired, by typing the agent's code on the page, once. The page
 * gets a token for it, of which the agent keeps the hash. A code can be guessed five times; then nobody can pair for ten minutes. Nor does a
 * page fill the person's window: ten codes that nobody types are all that is shown in that time.
 */
#include "tools/hufu/agent.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <libgen.h>
#include <sodium.h>
#include <string.h>

#define CODE_US (300 * INT64_C(1000000))
#define CLOSED_US (600 * INT64_C(1000000))
#define FILE_MAX 16384
#define ORIGIN_MAX 200
#define HASH_HEX 64

/* --- origins --- */

static bool is_host(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '-' && p[i] != '.')
			return false;
	return n > 0 && n <= 253;
}

/* RFC 6454 6.2: scheme, host, and the port unless it is the scheme's own. */
bool origin_ok(const char *origin)
{
	static const char https[] = "https://", http[] = "http://";
	bool secure = strncmp(origin, https, strlen(https)) == 0;
	uint64_t port = 0;
	if (strlen(origin) > ORIGIN_MAX || (!secure && strncmp(origin, http, strlen(http)) != 0))
		return false;
	const char *host = origin + strlen(secure ? https : http);
	size_t n = strcspn(host, ":");
	bool here = (n == 9 && strncmp(host, "localhost", n) == 0) || (n == 9 && strncmp(host, "127.0.0.1", n) == 0);
	if (!is_host(host, n) || (!secure && !here))
		return false;
	if (host[n] == '\0')
		return true;
	return u64_parse(host + n + 1, strlen(host + n + 1), 65535, &port) && port > 0 && port != (secure ? 443 : 80);
}

/* --- the file: a line each, "<SHA-256 of the token> <origin>" --- */

static void add(struct pairing *p, const uint8_t sha256[32], const char *origin)
{
	if (p->n == PAIRING_MAX) {
		free(p->v[0].origin);
		memmove(p->v, p->v + 1, (PAIRING_MAX - 1) * sizeof p->v[0]);
		p->n--;
	}
	memcpy(p->v[p->n].sha256, sha256, 32);
	p->v[p->n++].origin = xstrdup(origin);
}

static bool take_line(struct pairing *p, const char *line, size_t n)
{
	uint8_t sha256[32];
	if (n <= HASH_HEX + 1 || line[HASH_HEX] != ' ' || !hex_decode(line, HASH_HEX, sha256, 32))
		return false;
	_cleanup_(freep) char *origin = xstrndup(line + HASH_HEX + 1, n - HASH_HEX - 1);
	if (!origin_ok(origin))
		return false;
	add(p, sha256, origin);
	return true;
}

static enum err load(struct pairing *p, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	if (!file_exists(p->path))
		return OK;
	TRY(file_read(p->path, FILE_MAX, &text, f));
	size_t number = 1;
	for (const char *at = buf_text(&text); *at; number++) {
		size_t n = strcspn(at, "\n");
		if (at[n] != '\n' || !take_line(p, at, n))
			return fault_raise(f, ERR_PARSE, "pairing_file", p->path,
					   "%s:%zu: no line \"SHA-256 ORIGIN\": remove the file, and pair again",
					   p->path, number);
		at += n + 1;
	}
	return OK;
}

static enum err save(const struct pairing *p, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *folder = xstrdup(p->path);
	for (size_t i = 0; i < p->n; i++) {
		buf_hex(&text, p->v[i].sha256, 32);
		buf_fmt(&text, " %s\n", p->v[i].origin);
	}
	TRY(dir_make(dirname(folder), 0700, f));
	return file_write(p->path, buf_slice(&text), 0600, f);
}

enum err pairing_init(struct pairing *p, const char *path, struct fault *f)
{
	pthread_mutex_init(&p->lock, NULL);
	p->path = xstrdup(path);
	return load(p, f);
}

void pairing_done(struct pairing *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].origin);
	p->n = 0;
	freep(&p->path);
	freep(&p->origin);
}

/* --- pairing --- */

static enum err check_open(const struct pairing *p, struct fault *f)
{
	int64_t left_us = p->closed_until_us - clock_mono_us();
	if (left_us <= 0)
		return OK;
	return fault_raise(f, ERR_DENIED, "pair_closed", "code",
			   "%d wrong codes were typed: nobody can pair for another %d minutes", PAIRING_WRONG,
			   (int)((left_us + 59999999) / 60000000));
}

static enum err check_often(struct pairing *p, struct fault *f)
{
	int64_t now = clock_mono_us();
	if (p->shown == 0 || now - p->shown_since_us >= CLOSED_US) {
		p->shown = 0;
		p->shown_since_us = now;
	}
	if (p->shown++ < PAIRING_CODES)
		return OK;
	p->shown = PAIRING_CODES;
	return fault_raise(f, ERR_DENIED, "pair_often", "origin",
			   "%d codes were asked for and none was typed: no other is shown for up to ten minutes",
			   PAIRING_CODES);
}

static enum err begin(struct pairing *p, const char *origin, char ret_code[PAIRING_DIGITS + 1], struct fault *f)
{
	TRY(check_open(p, f));
	TRY(check_often(p, f));
	snprintf(p->code, sizeof p->code, "%06u", randombytes_uniform(1000000));
	free(p->origin);
	p->origin = xstrdup(origin);
	p->until_us = clock_mono_us() + CODE_US;
	memcpy(ret_code, p->code, sizeof p->code);
	return OK;
}

enum err pairing_begin(struct pairing *p, const char *origin, char ret_code[PAIRING_DIGITS + 1], struct fault *f)
{
	pthread_mutex_lock(&p->lock);
	enum err e = begin(p, origin, ret_code, f);
	pthread_mutex_unlock(&p->lock);
	return e;
}

static bool is_the_code(const struct pairing *p, const char *origin, const char *code)
{
	return p->code[0] != '\0' && p->until_us > clock_mono_us() && strcmp(p->origin, origin) == 0 &&
	       strlen(code) == PAIRING_DIGITS && sodium_memcmp(code, p->code, PAIRING_DIGITS) == 0;
}

static enum err wrong_code(struct pairing *p, struct fault *f)
{
	if (++p->wrong < PAIRING_WRONG)
		return fault_raise(f, ERR_DENIED, "pair_code", "code",
				   "this is not the code that the agent shows for this page now; tries left: %u",
				   PAIRING_WRONG - p->wrong);
	p->wrong = 0;
	p->code[0] = '\0';
	p->closed_until_us = clock_mono_us() + CLOSED_US;
	return check_open(p, f);
}

static enum err finish(struct pairing *p, const char *origin, const char *code, char ret_token[PAIRING_TOKEN + 1],
		       struct fault *f)
{
	uint8_t token[PAIRING_TOKEN / 2], sha[32];
	TRY(check_open(p, f));
	if (!is_the_code(p, origin, code))
		return wrong_code(p, f);
	p->code[0] = '\0';
	p->wrong = p->shown = 0;
	random_fill(token, sizeof token);
	hex_lower(token, sizeof token, ret_token);
	sha256(ret_token, PAIRING_TOKEN, sha);
	add(p, sha, origin);
	return save(p, f);
}

enum err pairing_finish(struct pairing *p, const char *origin, const char *code, char ret_token[PAIRING_TOKEN + 1],
			struct fault *f)
{
	pthread_mutex_lock(&p->lock);
	enum err e = finish(p, origin, code, ret_token, f);
	pthread_mutex_unlock(&p->lock);
	return e;
}

bool pairing_holds(struct pairing *p, const char *origin, const char *token)
{
	uint8_t sha[32];
	bool holds = false;
	sha256(token, strlen(token), sha);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		holds |= sodium_memcmp(sha, p->v[i].sha256, 32) == 0 && strcmp(origin, p->v[i].origin) == 0;
	pthread_mutex_unlock(&p->lock);
	return holds;
}
