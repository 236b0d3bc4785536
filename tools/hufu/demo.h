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
#define DEMO_OTHER_MOBILE "13858011085"
#define DEMO_OTHER_SERVICE "20354"
#define DEMO_LAPSED_MOBILE "13858011086"
#define DEMO_LAPSED_NAME "杭州停用示例有限公司"
#define DEMO_LAPSED_CODE "91330100MADEM0CBXW"
#define DEMO_LAPSED_SERIAL "74C2008800000B02"
#define DEMO_LAPSED_SERVICE "20355"
#define DEMO_PASSWORD "tiger-tally-2026"
#define DEMO_PROJECT "jinhua"

struct demo {
	struct cli *c;
	const char *ca_user, *ra_user;
	char *dir, *old, *out;
	struct secret passphrase;
	struct daemons daemons;
	char *extend_request, *change_request; /* ids */
	char *extended_serial, *changed_serial, *reissued_serial, *rekeyed_serial, *enrolled_serial, *replaced_serial;
	char *withdrawn; /* the tally's text */
	int64_t hold;	 /* ledger entry of a hold that has been released */
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
MUST_CHECK enum err demo_withdraw(struct demo *d, struct fault *f);
/* What the other kinds do, each on its own organisation. (demo_kinds.c) */
MUST_CHECK enum err demo_reissue(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_enrol(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_damaged(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_hold(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_revoke_expired(struct demo *d, struct fault *f);
/* What the operator does past the desk. (demo_operator.c) */
MUST_CHECK enum err demo_responder(struct demo *d, struct fault *f);
MUST_CHECK enum err demo_ended(struct demo *d, struct fault *f);
/* Status, CRL and the other files of out/. (demo_story.c) */
MUST_CHECK enum err demo_collect(struct demo *d, struct fault *f);
/* The code of the message to a number, out of the desk's spool. (demo_spool.c) */
MUST_CHECK enum err demo_sms_code(const struct demo *d, const char *mobile, char ret[7], struct fault *f);
/* What the parts share. (demo_story.c) */
MUST_CHECK enum err demo_call(struct demo *d, const char *method, json_t *params, bool session, bool changes,
			      json_t **ret, struct fault *f);
const char *demo_text(json_t *o, const char *key);
MUST_CHECK enum err demo_enter(struct demo *d, const char *identifier, const char *mobile, struct fault *f);
MUST_CHECK enum err demo_pay(struct demo *d, const char *service, char **ret_order, struct fault *f);
MUST_CHECK enum err demo_put_materials(struct demo *d, const char *request, const char *const *names, size_t n,
				       struct fault *f);
MUST_CHECK enum err demo_approve_as(struct demo *d, const char *request, const char *officer, struct fault *f);
MUST_CHECK enum err demo_wait_issued(struct demo *d, const char *request, json_t **ret, struct fault *f);
MUST_CHECK enum err demo_keep_result(struct demo *d, json_t *r, const char *stem, char **ret_serial, struct fault *f);

/* The attacks; fails when the signer took one of them. (demo_attack.c) */
MUST_CHECK enum err demo_attacks(struct demo *d, struct fault *f);
/* Runs as the RA's Unix user: sends the notes of a folder to the signer and prints its answers. */
int run_demo_send(struct cli *c, int argc, char **argv);

/* Keeps signer and desk, with a portal at that address, until a signal. (demo_stay.c) */
MUST_CHECK enum err demo_stay(struct demo *d, const char *listen, struct fault *f);

#endif
