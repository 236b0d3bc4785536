/*
 * Who keeps the root signs its CRL in a ceremony and puts it into a file; the signer and its ledger never hear of it. The
 * list knows CAs by their serial numbers, certificates know theirs by its key: which belong together the signer says. As
 * whoever took the CA's key may have taken the signer, what it says is kept, and it cannot take it back. Kept in the database
 * is the list itself, too, so that an older one never comes back. Next: common/pki/ca_revoked.c, status_index.c.
 */
#include "ra/root_watch.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/pki/der.h"

#include <pthread.h>
#include <string.h>

#define CERT_FILE_MAX 65536u

struct issuer {
	struct buf der;
	struct cert cert; /* borrows der */
	ca_word word;
};
struct root_watch {
	const char *path; /* NULL: none is named, and CAs are remembered for the day when one is */
	struct store *store;
	struct status_index *index;
	struct buf root_der;
	struct cert root;
	char last_error[40];  /* the clock's: of its last turn */
	pthread_mutex_t lock; /* of all below */
	struct issuer issuers[ROOT_CRL_CAS];
	size_t n;
	struct buf crl;	  /* the one that is believed; empty: none yet */
	struct buf heard; /* the signer's last word */
};

/* --- the list; with the lock held --- */

/* adds: nothing that was revoked is let go by it. */
static enum err judge(struct root_watch *w, struct slice der, bool adds, struct fault *f)
{
	struct below v[ROOT_CRL_CAS];
	for (size_t i = 0; i < w->n; i++)
		v[i] = (struct below){&w->issuers[i].cert, w->issuers[i].word};
	TRY(root_crl_judge(der, &w->root, adds, v, w->n, f));
	for (size_t i = 0; i < w->n; i++) {
		w->issuers[i].word = v[i].word;
		status_issuer_set(w->index, w->issuers[i].cert.key.key_id, v[i].word);
	}
	return OK;
}

static enum err number_of(const struct root_watch *w, struct slice der, uint64_t *ret, struct fault *f)
{
	struct crl crl;
	TRY(crl_parse(der, &crl, f));
	TRY(crl_verify_by(&crl, &w->root, f));
	return crl_number_u64(&crl, ret, f);
}

static enum err check_newer(const struct root_watch *w, struct slice der, struct fault *f)
{
	uint64_t fresh = 0, kept = 0;
	TRY(number_of(w, der, &fresh, f));
	if (w->crl.len == 0)
		return OK;
	TRY(number_of(w, buf_slice(&w->crl), &kept, f));
	if (fresh > kept)
		return OK;
	return fault_raise(f, ERR_RULE, "crl_older", "crl.cRLNumber",
			   "found CRL %llu, which is not newer than the one that was seen, %llu",
			   (unsigned long long)fresh, (unsigned long long)kept);
}

static enum err keep(struct root_watch *w, const char *head, struct slice bytes, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(w->store, &db, f));
	return store_end(w->store, db, store_head_bytes_set(db, head, bytes, f), f);
}

/* A full disk keeps no revocation back. */
static enum err take(struct root_watch *w, struct buf *der, struct fault *f)
{
	if (slice_eq(buf_slice(der), buf_slice(&w->crl)))
		return OK;
	TRY(check_newer(w, buf_slice(der), f));
	TRY(judge(w, buf_slice(der), true, f));
	TRY(keep(w, HEAD_ROOT_CRL, buf_slice(der), f));
	buf_done(&w->crl);
	w->crl = *der;
	*der = (struct buf){0};
	log_event(LOG_LEVEL_NOTICE, "root_crl", "file=%s bytes=%zu", LQ(w->path), w->crl.len);
	return judge(w, buf_slice(&w->crl), false, f);
}

enum err root_watch_look(struct root_watch *w, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0}, der = {0};
	TRY(file_read(w->path, ROOT_CRL_MAX, &bytes, f));
	TRY(pem_or_der(buf_slice(&bytes), "X509 CRL", &der, f));
	pthread_mutex_lock(&w->lock);
	enum err e = take(w, &der, f);
	pthread_mutex_unlock(&w->lock);
	return e;
}

void root_watch_turn(struct root_watch *w)
{
	struct fault f = {0};
	if (!w->path)
		return;
	if (root_watch_look(w, &f) != OK && strcmp(w->last_error, f.rule) != 0)
		log_fault(LOG_LEVEL_WARNING, "root_crl_unused", &f);
	snprintf(w->last_error, sizeof(w->last_error), "%s", f.rule);
}

/* --- the CAs; with the lock held --- */

static void issuer_done(struct issuer *i)
{
	cert_done(&i->cert);
	buf_done(&i->der);
}

/* One for each key: the newer certificate of a CA stands for it. NULL: there is no room. */
static struct issuer *place_of(struct root_watch *w, const uint8_t key_id[20])
{
	for (size_t i = 0; i < w->n; i++) {
		if (memcmp(w->issuers[i].cert.key.key_id, key_id, 20) == 0)
			return &w->issuers[i];
	}
	return w->n < ROOT_CRL_CAS ? &w->issuers[w->n] : NULL;
}

static enum err add_issuer(struct root_watch *w, struct slice der, bool *ret_new, struct fault *f)
{
	struct issuer fresh = {0};
	buf_add_slice(&fresh.der, der);
	enum err e = cert_parse(buf_slice(&fresh.der), &fresh.cert, f);
	if (e == OK && w->path)
		e = cert_verify_by(&fresh.cert, &w->root, f);
	struct issuer *at = e == OK ? place_of(w, fresh.cert.key.key_id) : NULL;
	if (e == OK && !at)
		e = fault_raise(f, ERR_LIMIT, "root_issuers", "signer", "more than %d CAs below one root",
				ROOT_CRL_CAS);
	if (e != OK || slice_eq(buf_slice(&at->der), der) || at->cert.not_before > fresh.cert.not_before) {
		issuer_done(&fresh);
		return e;
	}
	fresh.word = at->word;
	w->n += at == &w->issuers[w->n];
	issuer_done(at);
	*at = fresh;
	*ret_new = true;
	return OK;
}

/* What the root has not signed is none of its. True: there is a new one. */
static bool add_all(struct root_watch *w, struct slice ders)
{
	struct der in = der_of(ders);
	struct slice one;
	bool is_new = false;
	while (der_get_whole(&in, DER_SEQUENCE, &one)) {
		struct fault f = {0};
		if (add_issuer(w, one, &is_new, &f) != OK)
			log_fault(LOG_LEVEL_WARNING, "root_not_above", &f);
	}
	return is_new;
}

static enum err keep_issuers(struct root_watch *w, struct fault *f)
{
	_cleanup_buf_ struct buf all = {0};
	for (size_t i = 0; i < w->n; i++)
		buf_add_slice(&all, buf_slice(&w->issuers[i].der));
	return keep(w, HEAD_ISSUERS, buf_slice(&all), f);
}

static enum err judge_new(struct root_watch *w, struct fault *f)
{
	if (w->path && w->crl.len > 0)
		TRY(judge(w, buf_slice(&w->crl), false, f));
	return keep_issuers(w, f);
}

void root_watch_learn(struct root_watch *w, struct slice issuer, struct slice retired)
{
	_cleanup_buf_ struct buf word = {0};
	struct fault f = {0};
	buf_add_slice(&word, issuer);
	buf_add_slice(&word, retired);
	pthread_mutex_lock(&w->lock);
	bool is_same = slice_eq(buf_slice(&word), buf_slice(&w->heard));
	enum err e = !is_same && add_all(w, buf_slice(&word)) ? judge_new(w, &f) : OK;
	if (e == OK && !is_same) {
		buf_clear(&w->heard);
		buf_add_slice(&w->heard, buf_slice(&word));
	}
	pthread_mutex_unlock(&w->lock);
	if (e != OK)
		log_fault(LOG_LEVEL_ERROR, "root_issuers_unkept", &f);
}

/* --- opening and closing --- */

static enum err read_root(struct root_watch *w, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	TRY(file_read(path, CERT_FILE_MAX, &bytes, f));
	enum err e = pem_or_der(buf_slice(&bytes), "CERTIFICATE", &w->root_der, f);
	if (e == OK)
		e = cert_parse(buf_slice(&w->root_der), &w->root, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

static enum err load(struct root_watch *w, struct buf *issuers, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(w->store, &db, f));
	enum err e = store_head_bytes(db, HEAD_ROOT_CRL, &w->crl, f);
	if (e == OK)
		e = store_head_bytes(db, HEAD_ISSUERS, issuers, f);
	store_read_end(w->store, db);
	return e;
}

/* A list of another root than the one that is named now says nothing. */
static enum err begin(struct root_watch *w, const struct ra_config *config, struct fault *f)
{
	_cleanup_buf_ struct buf issuers = {0};
	struct fault why = {0};
	if (w->path)
		TRY(read_root(w, config->root_certificate, f));
	TRY(load(w, &issuers, f));
	add_all(w, buf_slice(&issuers));
	if (!w->path)
		return OK;
	if (w->crl.len > 0 && judge(w, buf_slice(&w->crl), false, &why) != OK) {
		log_fault(LOG_LEVEL_WARNING, "root_crl_unused", &why);
		buf_clear(&w->crl);
	}
	root_watch_turn(w);
	return OK;
}

enum err root_watch_open(const struct ra_config *config, struct store *s, struct status_index *x,
			 struct root_watch **ret, struct fault *f)
{
	struct root_watch *w = xcalloc(1, sizeof(*w));
	w->path = config->root_crl;
	w->store = s;
	w->index = x;
	pthread_mutex_init(&w->lock, NULL);
	enum err e = begin(w, config, f);
	if (e != OK) {
		root_watch_close(w);
		return e;
	}
	*ret = w;
	return OK;
}

void root_watch_close(struct root_watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		issuer_done(&w->issuers[i]);
	cert_done(&w->root);
	buf_done(&w->root_der);
	buf_done(&w->crl);
	buf_done(&w->heard);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
