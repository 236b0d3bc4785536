/*
 * SoftHSM as the signer's token: the same P-256 in the same library as without it, so that what is measured is the road
 * through PKCS#11.
 */
#include "tools/benchmark/hsm.h"

#include "common/base/file.h"
#include "common/token/token_admin.h"

#include <stdlib.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define LABEL "BENCH"
#define KEY_LINE "key: {algorithm: p256}"

bool hsm_there(void)
{
	return file_exists(MODULE);
}

static enum err make_token(const struct tree *t, char ret_serial[80], struct fault *f)
{
	struct token_choice blank = {.blank = true, .module = MODULE, .use = TOKEN_CLOSED};
	struct token_choice named = {.label = LABEL, .module = MODULE, .use = TOKEN_CLOSED};
	_cleanup_(token_closep) struct token *fresh = NULL, *made = NULL;
	struct token_info info;
	TRY(token_open(&blank, &fresh, f));
	TRY(token_initialise(fresh, &t->passphrase, LABEL, f));
	TRY(token_pin_init(fresh, &t->passphrase, f));
	token_closep(&fresh);
	TRY(token_open(&named, &made, f));
	TRY(token_info_read(made, &info, f));
	memcpy(ret_serial, info.serial, sizeof info.serial);
	return OK;
}

/* The shipped bundle, with the issuing CA's key in the token. */
static enum err copy_bundle(struct tree *t, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/ceremonies/issuing.yaml", t->hsm_policies);
	_cleanup_buf_ struct buf text = {0}, out = {0};
	const char *argv[] = {"/bin/cp", "-r", t->policies, t->hsm_policies, NULL};
	TRY(process_run(&(struct process_spec){.argv = argv}, f));
	TRY(file_read(path, 65536, &text, f));
	const char *at = strstr(buf_text(&text), KEY_LINE);
	if (!at)
		return fault_raise(f, ERR_CONFIG, "ceremony_unplaced", "ceremony", "%s: found no \"%s\"", path,
				   KEY_LINE);
	buf_add(&out, text.data, (size_t)(at - buf_text(&text)));
	buf_fmt(&out, "key: {algorithm: p256, token: \"%s?module-path=" MODULE "\"}%s", t->hsm_uri,
		at + strlen(KEY_LINE));
	return file_write(path, buf_slice(&out), 0644, f);
}

enum err hsm_prepare(struct tree *t, struct fault *f)
{
	_cleanup_(freep) char *tokens = xasprintf("%s.tokens", t->dir), *conf = xasprintf("%s.softhsm2.conf", t->dir);
	_cleanup_(freep) char *text =
		xasprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens);
	char serial[80];
	TRY(dir_make(tokens, 0700, f));
	TRY(file_write_new(conf, slice_str(text), 0600, f));
	setenv("SOFTHSM2_CONF", conf, 1);
	TRY(make_token(t, serial, f));
	t->hsm_uri = xasprintf("pkcs11:token=" LABEL ";serial=%s;object=issuing", serial);
	t->hsm_policies = xasprintf("%s.policies", t->dir);
	return copy_bundle(t, f);
}

enum err hsm_configure(const struct tree *t, struct fault *f)
{
	static const char key[] = "\nkey: var/lib/hufu-ca/issuing.key\n";
	_cleanup_(freep) char *path = path_join(t->dir, "etc/hufu/ca.yaml");
	_cleanup_buf_ struct buf text = {0}, out = {0};
	TRY(file_read(path, 65536, &text, f));
	const char *at = strstr(buf_text(&text), key);
	if (!at)
		return fault_raise(f, ERR_CONFIG, "config_unplaced", "ca.yaml", "%s: found no \"%s\"", path, key + 1);
	buf_add(&out, text.data, (size_t)(at - buf_text(&text)));
	buf_fmt(&out, "\nkey: \"%s\"\n%s", t->hsm_uri, at + strlen(key));
	buf_fmt(&out, "token: {module: " MODULE ", read: [%s.softhsm2.conf], write: [%s.tokens]}\n", t->dir, t->dir);
	return file_write(path, buf_slice(&out), 0644, f);
}
