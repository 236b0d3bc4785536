/*
 * The demo: the story's organisation from its old certificate to a changed one, and then an attacker who holds
 * everything that the RA holds.
 */
#ifndef HUFU_TOOLS_DEMO_H
#define HUFU_TOOLS_DEMO_H

#include "common/base/secret.h"
#include "tools/hufu/cli.h"
#include "tools/hufu/process.h"

#define DEMO_IDENTIFIER "35353550-9"
#define DEMO_MOBILE "13858011084"
#define DEMO_NAME "擎洲测试投标人6"
#define DEMO_SERIAL "74C2008800000AE9"
#define DEMO_SERVICE "20353"
#define DEMO_NEW_NAME "杭州虎符示例科技有限公司"
#define DEMO_NEW_CODE "913301003535355023"
#define DEMO_OTHER_NAME "杭州另一家示例有限公司"
#define DEMO_OTHER_CODE "91330100MADEM0CA15"
#define DEMO_OTHER_SERIAL "74C2008800000B01"
#define DEMO_PROJECT "jinhua"

struct demo {
	struct cli *c;
	const char *ca_user, *ra_user;
	char *dir, *old, *out;
	struct secret passphrase;
	struct daemons daemons;
	char *extend_request, *change_request; /* ids */
	char *extended_serial, *changed_serial;
	int64_t started_us, step_us;
	unsigned step;
	struct fault f;
};

/* Prints the step that begins; demo_done() prints how long it took. */
void demo_step(struct demo *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void demo_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void demo_took(struct demo *d);
/* DIR-relative path. Gives: free(). */
char *demo_path(const struct demo *d, const char *name);

/* The story's parts, in order. (demo_story.c) */
MUST_CHECK enum err demo_old_authority(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_lay_out(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_import(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_log_in(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_refused_for_service(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_renew_and_pay(struct demo *d, char **ret_order, struct fault *f);
MUST_CHECK enum err demo_extend(struct demo *d, const char *order, struct fault *f);
MUST_CHECK enum err demo_change(struct demo *d, const char *order, struct fault *f);
MUST_CHECK enum err demo_collect(struct demo *d, struct fault *f);
/* The code of the message to a number, out of the desk's spool. (demo_spool.c) */
MUST_CHECK enum err demo_sms_code(const struct demo *d, const char *mobile, char ret[7], struct fault *f);
/* The attacks; fails when the signer took one of them. (demo_attack.c) */
MUST_CHECK enum err demo_attacks(struct demo *d, struct fault *f);
/* Runs as the RA's Unix user: sends the notes of a folder to the signer and prints its answers. */
int run_demo_send(struct cli *c, int argc, char **argv);

#endif
