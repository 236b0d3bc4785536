/*
 * `hufu login|logout|password|account`: a session of the desk, and the password. What is secret comes from a descriptor or a
 * prompt. Next: cmd_account.c.
 */
#include "tools/hufu/subscriber.h"

#include <string.h>

enum err ask_secret(const char *fd_text, const char *option, const char *prompt, bool confirm, struct secret *ret,
		    struct fault *f)
{
	uint64_t fd = 0;
	if (!fd_text)
		return secret_prompt(prompt, confirm, 256, ret, f);
	if (!u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "password_fd", option, "%s \"%s\" is not a descriptor number", option,
				   ESC(fd_text, strlen(fd_text)));
	return secret_read_fd((int)fd, 256, ret, f);
}

json_t *secret_string(const struct secret *s)
{
	return json_stringn((const char *)s->p, s->n);
}

static const char *after_login(json_t *r)
{
	const char *proof = json_string_value(json_object_get(r, "first_login_proof"));
	if (json_is_true(json_object_get(r, "must_choose")))
		return "logged in: choose the organisation (hufu account choose IDENTIFIER)";
	if (!json_is_true(json_object_get(r, "must_reset")))
		return "logged in";
	if (proof && strcmp(proof, "none") != 0)
		return "logged in with the initial password: show that you may (hufu account prove), then set your own "
		       "first (hufu password)";
	return "logged in with the initial password: set your own first (hufu password)";
}

static void print_organisations(const struct cli *c, json_t *r)
{
	static const struct column columns[] = {{"identifier", "IDENTIFIER"}, {"organisation", "ORGANISATION"}};
	json_t *list = json_object_get(r, "organisations");
	if (json_array_size(list) > 0)
		cli_table(c, columns, 2, list);
}

int run_login(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL, *picture = NULL, *code = NULL;
	const struct option_rule rules[] = {{.name = "--password-fd", .value = &fd},
					    {.name = "--picture", .value = &picture},
					    {.name = "--picture-code", .value = &code},
					    {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_account, run_login), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	_cleanup_secret_ struct secret password = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (cli_load(c, &f) != OK || ask_secret(fd, "--password-fd", "Password: ", false, &password, &f) != OK)
		return cli_fail(c, &f);
	json_t *p = json_pack("{s:s,s:o,s:s*,s:s*}", "identifier", argv[1], "password", secret_string(&password),
			      "picture", picture, "picture_code", code);
	if (cli_desk(c, "account.login", p, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *token = json_string_value(json_object_get(r, "session"));
	if (!token || cli_session_save(c, token, &f) != OK)
		return cli_fail(c, &f);
	bool waits = json_is_true(json_object_get(r, "must_reset")) || json_is_true(json_object_get(r, "must_choose"));
	if (c->json) {
		json_object_del(r, "session");
		cli_print_json(r);
	} else {
		puts(after_login(r));
		print_organisations(c, r);
	}
	return waits ? EXIT_WAITING : EXIT_DONE;
}

int run_logout(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_account, run_logout), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would log out (dry run)\n");
	if (cli_desk(c, "account.logout", NULL, true, true, &r, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:b}", "logged_out", 1), "logged out\n");
}

int run_account(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_account, run_account), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return cli_show(c, "account.show", NULL, true, false);
}

/* --- password --- */

struct passwords {
	const char *fd, *present_fd, *code_fd, *mobile;
};

/* After the initial password: with the number that logs in from now on. */
static enum err first_params(const struct passwords *o, json_t *p, struct fault *f)
{
	_cleanup_secret_ struct secret code = {0};
	if (!o->mobile)
		return OK;
	TRY(ask_secret(o->code_fd, "--sms-code-fd", "Code of the message: ", false, &code, f));
	json_object_set_new(p, "mobile", json_string(o->mobile));
	json_object_set_new(p, "sms_code", secret_string(&code));
	return OK;
}

static enum err change_params(const struct passwords *o, json_t *p, struct fault *f)
{
	_cleanup_secret_ struct secret present = {0};
	TRY(ask_secret(o->present_fd, "--present-fd", "Present password: ", false, &present, f));
	json_object_set_new(p, "password", secret_string(&present));
	return OK;
}

static enum err set_password(struct cli *c, const struct passwords *o, json_t *shown, struct fault *f)
{
	bool first = json_is_true(json_object_get(shown, "must_reset"));
	_cleanup_secret_ struct secret password = {0};
	_cleanup_(json_freep) json_t *r = NULL, *p = json_object();
	TRY(first ? first_params(o, p, f) : change_params(o, p, f));
	TRY(ask_secret(o->fd, "--password-fd", "New password: ", true, &password, f));
	json_object_set_new(p, "new_password", secret_string(&password));
	return cli_desk(c, first ? "account.reset" : "account.password", TAKE(p), true, true, &r, f);
}

int run_password(struct cli *c, int argc, char **argv)
{
	struct passwords o = {0};
	const struct option_rule rules[] = {{.name = "--password-fd", .value = &o.fd},
					    {.name = "--present-fd", .value = &o.present_fd},
					    {.name = "--mobile", .value = &o.mobile},
					    {.name = "--sms-code-fd", .value = &o.code_fd},
					    {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *shown = NULL;
	if (!cli_options(cli_command(commands_account, run_password), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would set the password (dry run)\n");
	if (cli_desk(c, "account.show", NULL, true, false, &shown, &f) != OK || set_password(c, &o, shown, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:b}", "password_set", 1), "password set\n");
}
