/*
 * Argon2id by libsodium, 19 MiB and two passes (OWASP's first choice of parameters). At most two run at once, so that a
 * flood of log-ins costs bounded memory.
 *
 * A name that nobody has is checked against a hash of random bytes: who is not here takes as long as who is.
 */
#include "ra/password.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/rpc/server.h"

#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

#define OPS 2
#define MEMORY (19u * 1024u * 1024u)
#define AT_ONCE 2
#define TURNS 64 /* names that share one wait for each other */

_Static_assert(PASSWORD_HASH_MAX + 1 >= crypto_pwhash_STRBYTES, "a hash fits its column");

struct password_guard {
	char *initial;
	char nobody[PASSWORD_HASH_MAX + 1];
	char initial_hash[PASSWORD_HASH_MAX + 1]; /* "" when there is no initial password */
	sem_t slots;
	pthread_mutex_t turns[TURNS];
};
CLEANUP_PTR(struct password_guard, password_guard_closep, password_guard_close)

/* A hash takes a hundred times as long as a page: whoever asks for one keeps nobody from his turn. */
static void slot_take(struct password_guard *g)
{
	rpc_wait_begin();
	while (sem_wait(&g->slots) != 0)
		;
}

static void slot_give(struct password_guard *g)
{
	sem_post(&g->slots);
	rpc_wait_end();
}

enum err password_hash(struct password_guard *g, const char *password, char ret[PASSWORD_HASH_MAX + 1], struct fault *f)
{
	slot_take(g);
	int rv = crypto_pwhash_str_alg(ret, password, strlen(password), OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	slot_give(g);
	return rv == 0 ? OK : fault_raise(f, ERR_BUSY, "password_memory", "password", "no memory to hash a password");
}

static bool verify(struct password_guard *g, const char *hash, const char *password)
{
	slot_take(g);
	int rv = crypto_pwhash_str_verify(hash, password, strlen(password));
	slot_give(g);
	return rv == 0;
}

enum err password_guard_open(const char *initial, struct password_guard **ret, struct fault *f)
{
	_cleanup_(password_guard_closep) struct password_guard *g = xcalloc(1, sizeof(*g));
	uint8_t noise[32];
	char text[65];
	sem_init(&g->slots, 0, AT_ONCE);
	for (size_t i = 0; i < TURNS; i++)
		pthread_mutex_init(&g->turns[i], NULL);
	random_fill(noise, sizeof(noise));
	hex_lower(noise, sizeof(noise), text);
	TRY(password_hash(g, text, g->nobody, f));
	if (initial) {
		g->initial = xstrdup(initial);
		TRY(password_hash(g, initial, g->initial_hash, f));
	}
	*ret = TAKE(g);
	return OK;
}

void password_guard_close(struct password_guard *g)
{
	sem_destroy(&g->slots);
	for (size_t i = 0; i < TURNS; i++)
		pthread_mutex_destroy(&g->turns[i]);
	free(g->initial);
	free(g);
}

static pthread_mutex_t *turn_of(struct password_guard *g, const char *identifier)
{
	uint8_t hash[32];
	sha256(identifier, strlen(identifier), hash);
	return &g->turns[hash[0] % TURNS];
}

void password_turn_begin(struct password_guard *g, const char *identifier)
{
	rpc_wait_begin();
	pthread_mutex_lock(turn_of(g, identifier));
	rpc_wait_end();
}

void password_turn_end(struct password_guard *g, const char *identifier)
{
	pthread_mutex_unlock(turn_of(g, identifier));
}

bool password_check(struct password_guard *g, const struct account *account, const char *password,
		    char ret_hash[PASSWORD_HASH_MAX + 1])
{
	const char *hash = g->nobody;
	bool first = account && account->password[0] == '\0' && g->initial_hash[0] != '\0';
	ret_hash[0] = '\0';
	if (first)
		hash = g->initial_hash;
	else if (account && account->password[0] != '\0')
		hash = account->password;
	if (!verify(g, hash, password) || hash == g->nobody)
		return false;
	if (first)
		memcpy(ret_hash, g->initial_hash, sizeof(g->initial_hash));
	return true;
}

/* Characters, or 0 when one of them is a control or invisible. */
static int64_t count_readable(const char *password)
{
	size_t n = strlen(password), i = 0;
	int64_t count = 0;
	while (i < n) {
		if (cp_is_hidden(utf8_next((const uint8_t *)password, n, &i)))
			return 0;
		count++;
	}
	return count;
}

static enum err weak(struct fault *f, const char *why)
{
	return fault_raise(f, ERR_RULE, "password_weak", "params.new_password", "%s", why);
}

/* A name is no secret, however it is written. */
static bool is_name(const char *password, const char *name)
{
	return name[0] != '\0' && strcasecmp(password, name) == 0;
}

enum err password_accept(const struct password_guard *g, const struct account *a, const char *mobile,
			 int64_t characters, const char *password, struct fault *f)
{
	int64_t n = count_readable(password);
	if (n == 0)
		return weak(f, "found a control or an invisible character");
	if (strlen(password) > PASSWORD_MAX)
		return fault_raise(f, ERR_RULE, "password_weak", "params.new_password",
				   "found %zu bytes, wanted at most %d", strlen(password), PASSWORD_MAX);
	if (g->initial && strcmp(password, g->initial) == 0)
		return weak(f, "found the published initial password");
	if (is_name(password, a->identifier) || is_name(password, a->mobile) || is_name(password, a->login_mobile) ||
	    is_name(password, mobile))
		return weak(f, "found the identifier or the mobile number");
	if (n < characters)
		return fault_raise(f, ERR_RULE, "password_weak", "params.new_password",
				   "found %lld characters, wanted %lld and more", (long long)n, (long long)characters);
	return OK;
}

void password_none(const struct password_guard *g, char ret[PASSWORD_HASH_MAX + 1])
{
	memcpy(ret, g->nobody, sizeof(g->nobody));
}
