/*
 * An officer's signature under an enrolment or a reissue says "I have seen this key". The desk may be in other hands, so
 * what it shows is not what the officer compares with: the ten characters come from paper, a call or a person, and are
 * typed before anything of the key has stood on this screen. Or the key is on a token here, which signs a few fresh octets.
 */
#include "tools/hufu/key_seen.h"

#include "common/pki/csr.h"
#include "common/pki/fingerprint.h"
#include "tools/hufu/token_login.h"

#include <string.h>

#define TRIES 3

bool key_seen_is_typed(const struct tally *t)
{
	return t->key_seen == KEY_SEEN_PAPER || t->key_seen == KEY_SEEN_CALL || t->key_seen == KEY_SEEN_PERSON;
}

void key_seen_put(const struct tally *t, const char *text, struct buf *ret)
{
	static const char head[] = "key: new ";
	while (*text) {
		size_t n = strcspn(text, "\n");
		bool hidden = key_seen_is_typed(t) && strncmp(text, head, strlen(head)) == 0;
		if (hidden)
			buf_fmt(ret, "%s(not shown: the officer types its ten characters)\n", head);
		else
			buf_fmt(ret, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* --- typed --- */

bool key_seen_fits(const struct tally *t, const char *typed)
{
	char parsed[FINGERPRINT_CHARS + 1];
	return fingerprint_parse(typed, parsed) && fingerprint_fits(parsed, t->key_sha256);
}

enum err key_seen_wrong(struct fault *f)
{
	return fault_raise(
		f, ERR_DENIED, "fingerprint_wrong", "key-seen",
		"the characters are not those of the key that the tally names: nothing was signed. If they were "
		"read and typed rightly, somebody asks for a certificate with another key");
}

static enum err ask_characters(const struct tally *t, struct fault *f)
{
	static const char *const from[] = {[KEY_SEEN_PAPER] = "from the stamped paper",
					   [KEY_SEEN_CALL] = "that were read out to you in your call",
					   [KEY_SEEN_PERSON] = "that the person showed you"};
	fflush(stdout);
	for (int left = TRIES; left > 0; left--) {
		char line[64] = {0};
		fprintf(stderr, "The ten characters of the key, %s: ", from[t->key_seen]);
		if (!fgets(line, sizeof line, stdin))
			break;
		line[strcspn(line, "\r\n")] = '\0';
		if (key_seen_fits(t, line))
			return OK;
		fprintf(stderr, "hufu: these are not the characters of the key in the tally; tries left: %d\n",
			left - 1);
	}
	return key_seen_wrong(f);
}

/* --- token --- */

static enum err key_of_csr(const struct tally *t, json_t *answer, struct csr *ret, struct buf *der, struct fault *f)
{
	const char *pem = json_string_value(json_object_get(answer, "csr"));
	if (!pem)
		return fault_raise(f, ERR_NET, "desk_answer", "review.show", "the desk's answer has no csr");
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE REQUEST", der, f));
	TRY(csr_parse(buf_slice(der), ret, f));
	if (memcmp(ret->key.spki_sha256, t->key_sha256, 32) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "proof_csr", "review.show",
			   "the desk's csr has another key than the tally names");
}

/* The private key is on the token: it signs octets that nobody could know before, and that are no tally's. */
static enum err token_has(const struct seen_how *how, const struct pubkey *key, struct fault *f)
{
	_cleanup_(token_closep) struct token *token = NULL;
	_cleanup_secret_ struct secret pin = {0};
	_cleanup_buf_ struct buf challenge = {0}, sig = {0};
	struct token_key found;
	uint8_t noise[32];
	TRY(token_open(&how->choice, &token, f));
	enum err e = how->pin ? token_login(token, how->pin, f) : token_ask_login(token, how->pin_fd, &pin, f);
	if (e == OK)
		e = token_find(token, key, "the new key", &found, f);
	random_fill(noise, sizeof noise);
	buf_str(&challenge, "hufu/key-seen/v1\n");
	buf_add(&challenge, noise, sizeof noise);
	if (e == OK)
		e = token_sign(token, &found, key, buf_slice(&challenge), &sig, f);
	token_closep(&token); /* before the PIN that it borrows is gone */
	return e;
}

/* --- seen before --- */

/* The tally before died on the way, and the token is not here any more: the officer's own line under it is what is believed. */
static bool seen_before(const struct seen_how *how, const struct tally *t, json_t *answer)
{
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally before = {0};
	struct fault why = {0};
	const char *text = json_string_value(json_object_get(answer, "note_before"));
	bool own = false;
	if (!text || !how->own || note_parse(slice_str(text), 1, &note, &why) != OK ||
	    tally_parse(note.text, &before, &why) != OK)
		return false;
	for (size_t i = 0; i < note.n_sigs; i++)
		own |= strcmp(note.sigs[i].name, how->own->name) == 0 &&
		       note_sig_holds_ed25519(&note, &note.sigs[i], how->own->public_key);
	return own && before.key_seen == KEY_SEEN_TOKEN && memcmp(before.key_sha256, t->key_sha256, 32) == 0;
}

enum err key_seen_token(const struct seen_how *how, const struct tally *t, json_t *answer, struct fault *f)
{
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_buf_ struct buf der = {0};
	bool named = how->choice.label || how->choice.uri || how->choice.serial;
	if (!named && seen_before(how, t, answer))
		return OK;
	if (!named)
		return fault_raise(f, ERR_CONFIG, "key_seen", "--key-seen",
				   "--key-seen token wants --token LABEL or --token-uri URI");
	TRY(key_of_csr(t, answer, &csr, &der, f));
	return token_has(how, &csr.key, f);
}

enum err key_seen_check(const struct cli *c, const struct seen_how *how, const struct tally *t, json_t *answer,
			struct fault *f)
{
	if (t->key_seen == KEY_SEEN_UNSAID && !how->word)
		return OK;
	if (t->key_seen == KEY_SEEN_UNSAID)
		return fault_raise(f, ERR_CONFIG, "key_seen", "--key-seen", "kind %s asks for none",
				   tally_kind_word(t->kind));
	if (!how->word || key_seen_from_word(how->word) == KEY_SEEN_UNSAID)
		return fault_raise(f, ERR_CONFIG, "key_seen", "--key-seen",
				   "say how you have seen the new key: --key-seen paper, call, person or token");
	if (key_seen_from_word(how->word) != t->key_seen)
		return fault_raise(f, ERR_RULE, "key_seen_other", "tally.key-seen",
				   "the tally says %s and you say %s: do not sign it, ask for a correction",
				   key_seen_word(t->key_seen), how->word);
	TRY(key_seen_is_typed(t) ? ask_characters(t, f) : key_seen_token(how, t, answer, f));
	if (!c->json)
		printf("\nthe key is the one %s\n", key_seen_is_typed(t) ? "whose characters you typed"
						    : how->choice.label || how->choice.uri
							    ? "on the token"
							    : "that you signed for when it was on the token here");
	return OK;
}
