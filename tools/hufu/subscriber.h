/*
 * The subscriber's commands and what they share.
 */
#ifndef HUFU_TOOLS_SUBSCRIBER_H
#define HUFU_TOOLS_SUBSCRIBER_H

#include "tools/hufu/cli.h"

#define LIST_HELP "  --page N        page of the list (5 a page)\n  --search TEXT   part of a certificate's name\n\n"

/* Calls the desk and prints the result object as "key: value" lines (or JSON). Takes params. Returns an exit code. */
int cli_show(struct cli *c, const char *method, json_t *params, bool session, bool changes);
/* Calls the desk in the session and prints the list under key. Takes params. */
int cli_list(struct cli *c, const char *method, json_t *params, const char *key, const struct column *columns, size_t n,
	     struct fault *f);
/* The same; session false: as this Unix user. */
void cli_list_end(json_t *r); /* how many there are in all, and what --after goes on with */
int cli_rows(struct cli *c, const char *method, json_t *params, bool session, const char *key,
	     const struct column *columns, size_t n, struct fault *f);

/* A whole list command: takes --page and --search, prints the table. */
int cli_list_command(struct cli *c, const struct command *cmd, int argc, char **argv, const char *method,
		     const char *key, const struct column *columns, size_t n);

/* A password or code: from a descriptor or a prompt, never from the command line. option names it in messages. */
MUST_CHECK enum err ask_secret(const char *fd_text, const char *option, const char *prompt, bool confirm,
			       struct secret *ret, struct fault *f);
/* Takes the secret's bytes into a JSON string. */
json_t *secret_string(const struct secret *s);

int run_login(struct cli *c, int argc, char **argv);
int run_logout(struct cli *c, int argc, char **argv);
int run_password(struct cli *c, int argc, char **argv);
int run_account(struct cli *c, int argc, char **argv);
int run_account_proof(struct cli *c, int argc, char **argv);
int run_account_prove(struct cli *c, int argc, char **argv);
int run_account_sms(struct cli *c, int argc, char **argv);
int run_account_picture(struct cli *c, int argc, char **argv);
int run_account_contact(struct cli *c, int argc, char **argv);
int run_account_choose(struct cli *c, int argc, char **argv);
int run_account_sessions(struct cli *c, int argc, char **argv);
int run_account_end(struct cli *c, int argc, char **argv);
int run_account_forgot(struct cli *c, int argc, char **argv);
int run_account_grant(struct cli *c, int argc, char **argv);
int run_account_register(struct cli *c, int argc, char **argv);
int run_account_link(struct cli *c, int argc, char **argv);
int run_account_check(struct cli *c, int argc, char **argv);
int run_account_agent(struct cli *c, int argc, char **argv);
int run_account_freeze(struct cli *c, int argc, char **argv);
int run_account_licence(struct cli *c, int argc, char **argv);
int run_account_find(struct cli *c, int argc, char **argv);
int run_account_cases(struct cli *c, int argc, char **argv);
int run_account_case(struct cli *c, int argc, char **argv);
int run_account_decide(struct cli *c, int argc, char **argv);
int run_service_list(struct cli *c, int argc, char **argv);
int run_order_list(struct cli *c, int argc, char **argv);
int run_order_renew(struct cli *c, int argc, char **argv);
int run_order_show(struct cli *c, int argc, char **argv);
int run_order_pay(struct cli *c, int argc, char **argv);
int run_order_cancel(struct cli *c, int argc, char **argv);
int run_officer_queue(struct cli *c, int argc, char **argv);
int run_officer_claim(struct cli *c, int argc, char **argv);
int run_officer_unclaim(struct cli *c, int argc, char **argv);
int run_officer_correct(struct cli *c, int argc, char **argv);
int run_officer_decide(struct cli *c, int argc, char **argv);
int run_officer_unlock(struct cli *c, int argc, char **argv);
int run_officer_recover(struct cli *c, int argc, char **argv);
/* The queue as a table. Takes params. */
int officer_print_queue(struct cli *c, json_t *params);
int run_request_ways(struct cli *c, int argc, char **argv);
int run_request_history(struct cli *c, int argc, char **argv);
int run_request_form(struct cli *c, int argc, char **argv);
int run_recover(struct cli *c, int argc, char **argv);
/* The list of what is missing, for people. */
void request_print_missing(json_t *r);
int run_request_prepare(struct cli *c, int argc, char **argv);
int run_request_enrol(struct cli *c, int argc, char **argv);
int run_request_reissue(struct cli *c, int argc, char **argv);
int run_request_hold(struct cli *c, int argc, char **argv); /* cmd_standing.c, as the officers' three */
int run_officer_revoke(struct cli *c, int argc, char **argv);
int run_officer_hold(struct cli *c, int argc, char **argv);
int run_officer_release(struct cli *c, int argc, char **argv);
int run_request_show(struct cli *c, int argc, char **argv);
int run_request_list(struct cli *c, int argc, char **argv);
int run_request_text(struct cli *c, int argc, char **argv);
int run_request_prove(struct cli *c, int argc, char **argv);
int run_material_add(struct cli *c, int argc, char **argv);
int run_material_get(struct cli *c, int argc, char **argv);
int run_material_remove(struct cli *c, int argc, char **argv);
int run_request_submit(struct cli *c, int argc, char **argv);
int run_request_withdraw(struct cli *c, int argc, char **argv);
int run_cert_ended(struct cli *c, int argc, char **argv);

#endif
