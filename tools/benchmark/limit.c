/*
 * What no signer can beat on this machine: the five public-key operations of one issue on every core, over texts as
 * long as real ones, with contexts and keys that each thread keeps for itself. No parsing, building, ledger or wire.
 *
 * Counted against each thread's own processor time, while all threads run: so it is what these cores do when nothing
 * else wants them, and another program that takes its share makes Hufu look worse beside the limit, never better.
 */
#include "tools/benchmark/limit.h"

#include "common/base/clock.h"
#include "common/pki/sign.h"

#include <openssl/rsa.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define TALLY_BYTES 900u /* an extension's tally */
#define TBS_BYTES 1000u	 /* an organisation's certificate */
#define RSA_BITS 2048
#define MAX_THREADS 256u
#define MIN_ISSUES 16u

struct limit {
	EVP_PKEY *issuer, *throwaway, *subscriber;
	uint8_t tally[TALLY_BYTES], tbs[TBS_BYTES];
	struct buf proof; /* the subscriber's signature over the tally */
	struct {
		uint8_t public[crypto_sign_PUBLICKEYBYTES], line[crypto_sign_BYTES];
	} people[2]; /* an officer and the RA */
};

void limit_free(struct limit *l)
{
	EVP_PKEY_free(l->issuer);
	EVP_PKEY_free(l->throwaway);
	EVP_PKEY_free(l->subscriber);
	buf_done(&l->proof);
	free(l);
}

enum err limit_new(enum key_alg issuer, struct limit **ret, struct fault *f)
{
	_cleanup_(limit_freep) struct limit *l = xcalloc(1, sizeof *l);
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	unsigned bits = issuer == KEY_RSA ? RSA_BITS : 0;
	TRY(privkey_generate(issuer, bits, &l->issuer, f));
	TRY(privkey_generate(issuer, bits, &l->throwaway, f));
	TRY(privkey_generate(KEY_P256, 0, &l->subscriber, f));
	random_fill(l->tally, sizeof l->tally);
	random_fill(l->tbs, sizeof l->tbs);
	TRY(privkey_sign(l->subscriber, KEY_P256, slice_of(l->tally, sizeof l->tally), &l->proof, f));
	for (size_t i = 0; i < 2; i++) {
		crypto_sign_keypair(l->people[i].public, secret);
		crypto_sign_detached(l->people[i].line, NULL, l->tally, sizeof l->tally, secret);
	}
	sodium_memzero(secret, sizeof secret);
	*ret = TAKE(l);
	return OK;
}

/* One thread's own contexts. */
struct worker {
	const struct limit *limit;
	EVP_PKEY_CTX *verify, *lint, *sign;
	int64_t until_us, used_us; /* used: of processor time */
	uint64_t done;
	bool failed;
	pthread_t thread;
};

static EVP_PKEY_CTX *context(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *own = EVP_PKEY_dup(key); /* no lock shared between threads */
	_cleanup_(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	if (!ctx || init(ctx) != 1)
		return NULL;
	if (EVP_PKEY_is_a(key, "RSA") && (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
					  EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1))
		return NULL;
	return TAKE(ctx);
}

static void worker_done(struct worker *w)
{
	EVP_PKEY_CTX_free(w->verify);
	EVP_PKEY_CTX_free(w->lint);
	EVP_PKEY_CTX_free(w->sign);
}

static bool sign_tbs(EVP_PKEY_CTX *ctx, const struct limit *l)
{
	uint8_t hash[32], sig[512];
	size_t n = sizeof sig;
	sha256(l->tbs, sizeof l->tbs, hash);
	return EVP_PKEY_sign(ctx, sig, &n, hash, sizeof hash) == 1;
}

static bool one_issue(const struct worker *w)
{
	const struct limit *l = w->limit;
	uint8_t hash[32];
	sha256(l->tally, sizeof l->tally, hash);
	return EVP_PKEY_verify(w->verify, l->proof.data, l->proof.len, hash, sizeof hash) == 1 &&
	       crypto_sign_verify_detached(l->people[0].line, l->tally, sizeof l->tally, l->people[0].public) == 0 &&
	       crypto_sign_verify_detached(l->people[1].line, l->tally, sizeof l->tally, l->people[1].public) == 0 &&
	       sign_tbs(w->lint, l) && sign_tbs(w->sign, l);
}

static int64_t thread_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int64_t from_us = thread_us();
	while (!w->failed && (w->done < MIN_ISSUES || clock_mono_us() < w->until_us)) {
		w->failed = !one_issue(w);
		w->done++;
	}
	w->used_us = thread_us() - from_us;
	return NULL;
}

enum err limit_run(struct limit *l, unsigned threads, double seconds, double *ret_per_s, struct fault *f)
{
	unsigned n = threads < MAX_THREADS ? threads : MAX_THREADS, started = 0;
	_cleanup_(freep) struct worker *w = xcalloc(n, sizeof *w);
	bool ready = true;
	for (unsigned i = 0; i < n; i++) {
		w[i].limit = l;
		w[i].verify = context(l->subscriber, EVP_PKEY_verify_init);
		w[i].lint = context(l->throwaway, EVP_PKEY_sign_init);
		w[i].sign = context(l->issuer, EVP_PKEY_sign_init);
		ready = ready && w[i].verify && w[i].lint && w[i].sign;
	}
	int64_t until_us = clock_mono_us() + (int64_t)(seconds * 1e6);
	for (unsigned i = 0; i < n && ready; i++) {
		w[i].until_us = until_us;
		ready = pthread_create(&w[i].thread, NULL, work, &w[i]) == 0;
		started += ready;
	}
	double per_s = 0;
	for (unsigned i = 0; i < started; i++) {
		pthread_join(w[i].thread, NULL);
		ready = ready && !w[i].failed && w[i].used_us > 0;
		per_s += ready ? (double)w[i].done * 1e6 / (double)w[i].used_us : 0;
	}
	*ret_per_s = per_s;
	for (unsigned i = 0; i < n; i++)
		worker_done(&w[i]);
	return ready ? OK : fault_raise(f, ERR_CRYPTO, "limit", "limit", "libcrypto failed in the crypto limit's loop");
}
