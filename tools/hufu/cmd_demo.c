/*
 * `hufu demo`: from an empty folder to a changed certificate, each step as it happens with the time it took.
 */
#include "tools/hufu/demo.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/setup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void demo_say(const char *fmt, ...)
{
	va_list ap;
	fputs("      ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void demo_step(struct demo *d, const char *fmt, ...)
{
	va_list ap;
	printf("%3u.  ", ++d->step);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	d->step_us = clock_mono_us();
}

void demo_took(struct demo *d)
{
	demo_say("(%.0f ms)", (double)(clock_mono_us() - d->step_us) / 1000.0);
}

char *demo_path(const struct demo *d, const char *name)
{
	return path_join(d->dir, name);
}

static enum err run_story(struct demo *d, struct fault *f)
{
	_cleanup_(freep) char *first = NULL, *second = NULL;
	TRY(demo_old_authority(d, f));
	TRY(demo_lay_out(d, f));
	TRY(demo_import(d, f));
	TRY(demo_log_in(d, f));
	TRY(demo_refused_for_service(d, f));
	TRY(demo_renew_and_pay(d, &first, f));
	TRY(demo_extend(d, first, f));
	TRY(demo_renew_and_pay(d, &second, f));
	TRY(demo_change(d, second, f));
	TRY(demo_withdraw(d, f));
	TRY(demo_reissue(d, f));
	TRY(demo_enrol(d, f));
	TRY(demo_damaged(d, f));
	TRY(demo_hold(d, f));
	TRY(demo_revoke_expired(d, f));
	TRY(demo_responder(d, f));
	TRY(demo_ended(d, f));
	TRY(demo_collect(d, f));
	return demo_attacks(d, f);
}

static enum err prepare_folder(struct demo *d, const char *dir, struct fault *f)
{
	char cwd[PATH_MAX];
	if (dir[0] != '/' && !getcwd(cwd, sizeof cwd))
		return fault_raise(f, ERR_IO, "getcwd", "demo", "%s", strerror(errno));
	d->dir = dir[0] == '/' ? xstrdup(dir) : path_join(cwd, dir);
	if (file_exists(d->dir))
		return fault_raise(f, ERR_CONFLICT, "folder_exists", "demo",
				   "%s exists; name a folder that does not, or remove it", d->dir);
	d->old = demo_path(d, "old");
	d->out = demo_path(d, "out");
	d->c->config_path = demo_path(d, "etc/hufu/hufu.yaml");
	/* The passphrase of the demo's CA keys lives in this process alone. */
	uint8_t random[24];
	secret_alloc(&d->passphrase, 48);
	random_fill(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		d->passphrase.p[2 * i] = (uint8_t)('a' + (random[i] & 15));
		d->passphrase.p[2 * i + 1] = (uint8_t)('a' + (random[i] >> 4));
	}
	return OK;
}

static void demo_free(struct demo *d)
{
	char **texts[] = {&d->dir,
			  &d->old,
			  &d->out,
			  &d->extend_request,
			  &d->change_request,
			  &d->extended_serial,
			  &d->changed_serial,
			  &d->reissued_serial,
			  &d->rekeyed_serial,
			  &d->withdrawn,
			  &d->enrolled_serial,
			  &d->replaced_serial};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		freep(texts[i]);
	secret_done(&d->passphrase);
}

int run_demo(struct cli *c, int argc, char **argv)
{
	struct demo d = {.c = c};
	const char *dir = NULL, *stay = NULL;
	const struct option_rule rules[] = {{.name = "--dir", .value = &dir},
					    {.name = "--ca-user", .value = &d.ca_user},
					    {.name = "--ra-user", .value = &d.ra_user},
					    {.name = "--stay", .value = &stay},
					    {0}};
	const struct command *cmd = cli_command(commands_setup, run_demo);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!dir)
		return cli_usage(cmd, "--dir DIR is missing: a folder that does not exist yet");
	if (!d.ca_user != !d.ra_user)
		return cli_usage(cmd, "--ca-user and --ra-user go together");
	if (d.ca_user && geteuid() != 0)
		return cli_usage(cmd, "--ca-user and --ra-user want root");
	if (c->dry_run)
		return cli_usage(cmd, "the demo has no dry run: it only writes into its own new folder");
	d.started_us = clock_mono_us();
	enum err e = prepare_folder(&d, dir, &f);
	if (e == OK)
		e = run_story(&d, &f);
	if (e == OK)
		printf("done in %.1f s. Certificates, CRL and tallies: %s\n",
		       (double)(clock_mono_us() - d.started_us) / 1e6, d.out);
	if (e == OK && stay)
		e = demo_stay(&d, stay, &f);
	daemons_stop(&d.daemons);
	demo_free(&d);
	return e == OK ? EXIT_DONE : cli_fail(c, &f);
}
