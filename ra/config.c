/*
 * The desk's configuration file: one table of keys, then what the table cannot say (a user listed twice, a folder that
 * relative paths start from).
 */
#include "ra/config.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/note/tally.h"

#include <limits.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#define CONFIG_MAX (256u * 1024u)

const char *const desk_role_words[] = {"subscriber", "officer", "admin", "portal", "notifier", "gate", NULL};
static const char *const log_words[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const picture_words[] = {"never", "after_failures", "always", NULL};
static const char *const notice_words[] = {"spool", "notifier", NULL};
static const char *const mobile_words[] = {"required", "optional", NULL};
static const int64_t default_locks[] = {1, 5, 30};

/* The file as it is written; paths are made absolute afterwards. */
struct raw {
	struct material_rules materials;
	struct token_rules tokens;
	const char *root, *state, *socket, *signer_socket, *policies, *roster, *ra_key, *log_key, *ra_name, *calendar,
		*root_certificate, *root_crl;
	int64_t workers, senders, session_minutes;
	int log;
	bool has_bank, has_provider;
	struct order_rules orders;
	struct provider provider;
	struct login_rules login;
	struct review_rules review;
	struct sms_rules sms;
	struct account_rules accounts;
	struct raw_notices {
		int by; /* index into notice_words */
	} notices;
	struct bank bank;
	struct parcel_rules parcels;
	struct yaml_list callers, portals;
};

static const struct yaml_rule caller_rules[] = {{.key = "uid",
						 .kind = YK_INT,
						 .offset = offsetof(struct caller, uid),
						 .required = true,
						 .max = UINT32_MAX - 1,
						 .help = "Unix user of the peer"},
						{.key = "roles",
						 .kind = YK_WORDS,
						 .offset = offsetof(struct caller, roles),
						 .required = true,
						 .words = desk_role_words,
						 .help = "what this user may do at the desk"},
						{.key = "officer",
						 .kind = YK_STR,
						 .offset = offsetof(struct caller, officer),
						 .min = 1,
						 .max = TALLY_WORD - 1,
						 .help = "the roster's name of the officer who alone has this user"},
						{.key = "projects",
						 .kind = YK_STRS,
						 .offset = offsetof(struct caller, projects),
						 .min = 1,
						 .max = TALLY_WORD - 1,
						 .help = "of which projects an officer sees requests, orders, accounts "
							 "and all that is theirs; of all when absent"},
						{0}};
static const struct yaml_rule review_rules[] = {{.key = "corrections",
						 .kind = YK_INT,
						 .offset = offsetof(struct review_rules, corrections),
						 .min = 1,
						 .max = 50,
						 .def = 5,
						 .help = "how often one request may be sent back for correction"},
						{.key = "claim_minutes",
						 .kind = YK_INT,
						 .offset = offsetof(struct review_rules, claim_minutes),
						 .min = 1,
						 .max = 1440,
						 .def = 60,
						 .help = "an officer's claim on a request ends after so long"},
						{.key = "days",
						 .kind = YK_INT,
						 .offset = offsetof(struct review_rules, days),
						 .min = 1,
						 .max = 60,
						 .def = 2,
						 .help = "working days within which a request is to be reviewed"},
						{0}};
static const struct yaml_rule portal_rules[] = {{.key = "name",
						 .kind = YK_STR,
						 .offset = offsetof(struct portal, name),
						 .required = true,
						 .min = 1,
						 .max = TALLY_WORD - 1,
						 .help = "the portal, for audit and log"},
						{.key = "token_sha256",
						 .kind = YK_STR,
						 .offset = offsetof(struct portal, token_sha256),
						 .required = true,
						 .min = 64,
						 .max = 64,
						 .help = "SHA-256 of its token, hex"},
						{.key = "projects",
						 .kind = YK_STRS,
						 .offset = offsetof(struct portal, projects),
						 .min = 1,
						 .max = TALLY_WORD - 1,
						 .help = "whose certificates it may find by subject; all when absent"},
						{0}};
#define NUMBER(type, member, least, most, default_, text)                                                              \
	{                                                                                                              \
		.key = #member, .kind = YK_INT, .offset = offsetof(struct type, member), .min = least, .max = most,    \
		.def = default_, .help = text                                                                          \
	}
static const struct yaml_rule login_rules[] = {
	{.key = "failures",
	 .kind = YK_INT,
	 .offset = offsetof(struct login_rules, failures),
	 .min = 1,
	 .max = 100,
	 .def = 5,
	 .help = "wrong passwords in a row that lock a name"},
	{.key = "lock_minutes",
	 .kind = YK_INTS,
	 .offset = offsetof(struct login_rules, lock_minutes),
	 .min = 1,
	 .max = 1440,
	 .help = "how long the first, second … lock lasts"},
	{.key = "initial_password",
	 .kind = YK_STR,
	 .offset = offsetof(struct login_rules, initial_password),
	 .min = 1,
	 .max = 128,
	 .help = "published password of accounts that have none of their own yet"},
	{.key = "picture_code",
	 .kind = YK_WORD,
	 .offset = offsetof(struct login_rules, picture_code),
	 .words = picture_words,
	 .def = PICTURE_AFTER,
	 .help = "when a picture code is asked for, at log-in and before an SMS"},
	NUMBER(login_rules, picture_failures, 1, 100, 3, "wrong passwords of a name before it is asked for"),
	NUMBER(login_rules, picture_address_failures, 1, 100000, 20, "wrong passwords from an address within a day"),
	NUMBER(login_rules, picture_sends, 1, 1000, 3,
	       "messages to a number within an hour, or half of sms: per_address_hour"),
	NUMBER(login_rules, picture_minutes, 1, 60, 5, "a picture code dies after so long"),
	{0}};
static const struct yaml_rule sms_rules[] = {
	NUMBER(sms_rules, code_minutes, 1, 60, 10, "a code dies after so long"),
	NUMBER(sms_rules, resend_seconds, 1, 3600, 60, "the next code to a number may be asked for after so long"),
	NUMBER(sms_rules, tries, 1, 20, 5, "a code dies after so many tries"),
	NUMBER(sms_rules, per_number_day, 1, 1000, 10, "codes to a number within a day"),
	NUMBER(sms_rules, per_address_hour, 1, 100000, 30, "codes asked for from an address within an hour"),
	{0}};
static const struct yaml_rule account_rules[] = {
	{.key = "mobile",
	 .kind = YK_WORD,
	 .offset = offsetof(struct account_rules, mobile),
	 .words = mobile_words,
	 .def = ACCOUNT_MOBILE_REQUIRED,
	 .help = "whether the first log-in must bind a mobile number by SMS"},
	NUMBER(account_rules, organisations_per_mobile, 1, 100, 1, "accounts that one mobile number may serve"),
	NUMBER(account_rules, linked_per_mobile, 1, 100, 3,
	       "the same, where who is logged in by it adds another organisation"),
	NUMBER(account_rules, password_characters, 8, 64, 10, "least length of a new password"),
	NUMBER(account_rules, session_hours, 1, 720, 12, "a session ends so long after log-in, used or not"),
	NUMBER(account_rules, grant_hours, 1, 720, 72, "an officer's code for a first log-in dies after so long"),
	NUMBER(account_rules, freeze_days, 1, 365, 30, "so long the old contact can freeze a new binding"),
	{.key = "freeze_url",
	 .kind = YK_STR,
	 .offset = offsetof(struct account_rules, freeze_url),
	 .min = 1,
	 .max = 200,
	 .help = "page for freezing, with {code}; the notice has the code alone when absent"},
	NUMBER(account_rules, cases_per_address_day, 1, 10000, 10, "cases that an address may open within a day"),
	{0}};
static const struct yaml_rule notice_rules[] = {
	{.key = "by",
	 .kind = YK_WORD,
	 .offset = offsetof(struct raw_notices, by),
	 .words = notice_words,
	 .help = "who hands messages over: the desk, as files of its spool, or a "
		 "notifier"},
	{0}};
static const struct yaml_rule bank_rules[] = {{.key = "name",
					       .kind = YK_STR,
					       .offset = offsetof(struct bank, name),
					       .required = true,
					       .min = 1,
					       .max = 200,
					       .help = "holder of the account that orders are paid to"},
					      {.key = "bank",
					       .kind = YK_STR,
					       .offset = offsetof(struct bank, bank),
					       .required = true,
					       .min = 1,
					       .max = 200,
					       .help = "name of the bank"},
					      {.key = "account",
					       .kind = YK_STR,
					       .offset = offsetof(struct bank, account),
					       .required = true,
					       .min = 1,
					       .max = 64,
					       .help = "number of the account"},
					      {0}};
static const struct yaml_rule order_rules[] = {{.key = "unpaid_days",
						.kind = YK_INT,
						.offset = offsetof(struct order_rules, unpaid_days),
						.min = 1,
						.max = 365,
						.def = 30,
						.help = "an order that nobody pays is cancelled after so many days"},
					       {.key = "expiring_days",
						.kind = YK_INT,
						.offset = offsetof(struct order_rules, expiring_days),
						.min = 1,
						.max = 365,
						.def = 30,
						.help = "a service is called expiring so many days before its end"},
					       {0}};
static const struct yaml_rule provider_rules[] = {
	{.key = "url",
	 .kind = YK_STR,
	 .offset = offsetof(struct provider, url),
	 .required = true,
	 .min = 1,
	 .max = 500,
	 .help = "where an order is paid: {order}, {amount} in fen or {yuan}, {return}"},
	{.key = "return_url",
	 .kind = YK_STR,
	 .offset = offsetof(struct provider, return_url),
	 .required = true,
	 .min = 1,
	 .max = 300,
	 .help = "where the payer comes back to: {order}"},
	{.key = "secret",
	 .kind = YK_STR,
	 .offset = offsetof(struct provider, secret),
	 .required = true,
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "file of the secret (0600) that the provider's calls are signed with"},
	{0}};
static const struct yaml_rule material_rules[] = {
	{.key = "key",
	 .kind = YK_STR,
	 .offset = offsetof(struct material_rules, key),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "file (0600) of the key that wraps the materials' keys; materials.key in the state folder when "
		 "absent"},
	{.key = "retention_years",
	 .kind = YK_INT,
	 .offset = offsetof(struct material_rules, retention_years),
	 .min = 5,
	 .max = 100,
	 .def = 5,
	 .help = "materials are kept so long behind the end of the certificate that came of them"},
	{.key = "unissued_years",
	 .kind = YK_INT,
	 .offset = offsetof(struct material_rules, unissued_years),
	 .min = 1,
	 .max = 100,
	 .def = 5,
	 .help = "materials are kept so long behind the end of a request without a certificate"},
	{.key = "upload_hours",
	 .kind = YK_INT,
	 .offset = offsetof(struct material_rules, upload_hours),
	 .min = 1,
	 .max = 720,
	 .def = 24,
	 .help = "an upload that nobody goes on with is removed after so long"},
	{.key = "free_mib",
	 .kind = YK_INT,
	 .offset = offsetof(struct material_rules, free_mib),
	 .max = 1048576,
	 .def = 256,
	 .help = "MiB of disk that materials leave free"},
	{0}};
static const struct yaml_rule token_rules[] = {
	{.key = "key",
	 .kind = YK_STR,
	 .offset = offsetof(struct token_rules, key),
	 .required = true,
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "file of the public half of the desk's token key, which PUKs are sealed to"},
	{0}};
static const struct yaml_rule parcel_rules[] = {
	NUMBER(parcel_rules, reminder_days, 1, 60, 5,
	       "working days after which the receipt of a shipped parcel is overdue, and its owner is reminded"),
	{0}};
#define PATH(member, text)                                                                                             \
	{                                                                                                              \
		.key = #member, .kind = YK_STR, .offset = offsetof(struct raw, member), .required = true, .min = 1,    \
		.max = PATH_MAX - 1, .help = text                                                                      \
	}
static const struct yaml_rule rules[] = {
	{.key = "root",
	 .kind = YK_STR,
	 .offset = offsetof(struct raw, root),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "where relative paths start; three levels above this file when absent"},
	PATH(state, "folder of the desk's database and materials"),
	PATH(socket, "Unix socket that the desk serves"),
	PATH(signer_socket, "Unix socket of the signer for the RA"),
	PATH(policies, "folder of the signed policy bundle"),
	PATH(roster, "signed roster note"),
	PATH(ra_key, "the RA's Ed25519 key file (0600)"),
	PATH(log_key, "public half of the ledger's key (log.vkey of the signer's state)"),
	{.key = "ra_name",
	 .kind = YK_STR,
	 .offset = offsetof(struct raw, ra_name),
	 .required = true,
	 .min = 1,
	 .max = TALLY_WORD - 1,
	 .help = "the RA's name in the roster"},
	{.key = "workers",
	 .kind = YK_INT,
	 .offset = offsetof(struct raw, workers),
	 .min = 1,
	 .max = 64,
	 .def = 8,
	 .help = "threads for calls, beside those that wait; as many of them work at once as there are cores, at least "
		 "two"},
	{.key = "senders",
	 .kind = YK_INT,
	 .offset = offsetof(struct raw, senders),
	 .min = 1,
	 .max = 128,
	 .def = 64,
	 .help = "tallies handed to the signer at once"},
	{.key = "callers",
	 .kind = YK_LIST,
	 .offset = offsetof(struct raw, callers),
	 .required = true,
	 .sub = caller_rules,
	 .elem_size = sizeof(struct caller),
	 .help = "who may connect"},
	{.key = "portals",
	 .kind = YK_LIST,
	 .offset = offsetof(struct raw, portals),
	 .sub = portal_rules,
	 .elem_size = sizeof(struct portal),
	 .help = "tokens that open status.query by subject"},
	{.key = "session_minutes",
	 .kind = YK_INT,
	 .offset = offsetof(struct raw, session_minutes),
	 .min = 1,
	 .max = 1440,
	 .def = 30,
	 .help = "a session ends after so long without a call"},
	{.key = "login",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, login),
	 .sub = login_rules,
	 .help = "passwords and locks"},
	{.key = "calendar",
	 .kind = YK_STR,
	 .offset = offsetof(struct raw, calendar),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "file of the desk's hours, days off and make-up working days"},
	{.key = "root_certificate",
	 .kind = YK_STR,
	 .offset = offsetof(struct raw, root_certificate),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "certificate of the root, whose CRL root_crl is"},
	{.key = "root_crl",
	 .kind = YK_STR,
	 .offset = offsetof(struct raw, root_crl),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "CRL of the root; a CA on it takes its certificates along"},
	{.key = "review",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, review),
	 .sub = review_rules,
	 .help = "claims, corrections and due dates"},
	{.key = "sms", .kind = YK_SUB, .offset = offsetof(struct raw, sms), .sub = sms_rules, .help = "codes by SMS"},
	{.key = "accounts",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, accounts),
	 .sub = account_rules,
	 .help = "bindings, sessions, cases"},
	{.key = "notices",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, notices),
	 .sub = notice_rules,
	 .help = "messages to people"},
	{.key = "bank",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, bank),
	 .sub = bank_rules,
	 .present = offsetof(struct raw, has_bank) + 1,
	 .help = "where orders are paid to"},
	{.key = "orders",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, orders),
	 .sub = order_rules,
	 .help = "times of orders and services"},
	{.key = "provider",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, provider),
	 .sub = provider_rules,
	 .present = offsetof(struct raw, has_provider) + 1,
	 .help = "who takes payments online"},
	{.key = "materials",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, materials),
	 .sub = material_rules,
	 .help = "files that people bring"},
	{.key = "tokens",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, tokens),
	 .sub = token_rules,
	 .help = "USB keys; without it the desk holds no PUKs"},
	{.key = "parcels",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, parcels),
	 .sub = parcel_rules,
	 .help = "tokens that are shipped"},
	{.key = "log",
	 .kind = YK_WORD,
	 .offset = offsetof(struct raw, log),
	 .words = log_words,
	 .def = 3,
	 .help = "least level that is logged"},
	{0}};

void ra_config_done(struct ra_config *c)
{
	free(c->state);
	free(c->socket);
	free(c->signer_socket);
	free(c->policies);
	free(c->roster);
	free(c->calendar);
	free(c->root_certificate);
	free(c->root_crl);
	free(c->ra_key);
	free(c->log_key);
	free(c->provider_secret);
	free(c->token_key);
	yaml_freep(&c->doc);
	*c = (struct ra_config){0};
}

static enum err check_callers(const struct yaml_doc *doc, const struct ra_config *c, struct fault *f)
{
	bool notifier = false;
	for (size_t i = 0; i < c->n_callers; i++) {
		if (c->callers[i].roles == 0)
			return yaml_fault(doc, &c->callers[i].roles, f, "caller_roles", "uid %lld has no role",
					  (long long)c->callers[i].uid);
		for (size_t k = 0; k < i; k++) {
			if (c->callers[k].uid == c->callers[i].uid)
				return yaml_fault(doc, &c->callers[i].uid, f, "caller_twice", "uid %lld stands twice",
						  (long long)c->callers[i].uid);
		}
	}
	for (size_t i = 0; i < c->n_callers; i++)
		notifier |= (c->callers[i].roles & DESK_NOTIFIER) != 0;
	if (c->notices.by_notifier && !notifier)
		return fault_raise(f, ERR_CONFIG, "notifier_missing", "notices.by",
				   "found no caller with role notifier: messages would wait for nobody");
	if (c->n_callers == 0)
		return fault_raise(f, ERR_CONFIG, "callers_empty", "callers", "nobody may connect: wanted one caller");
	return OK;
}

static enum err read_tokens(struct ra_config *c, struct fault *f)
{
	for (size_t i = 0; i < c->n_portals; i++) {
		struct portal *p = &c->portals[i];
		if (!hex_decode(p->token_sha256, strlen(p->token_sha256), p->sha256, sizeof(p->sha256)))
			return yaml_fault(c->doc, &p->token_sha256, f, "portal_token",
					  "%s: token_sha256 is not 64 hex characters", p->name);
	}
	return OK;
}

/* {word}s of a template are known ones, and those that it needs are there. */
static enum err check_template(const struct ra_config *c, const char *const *member, const char *known,
			       const char *needed, struct fault *f)
{
	const char *url = *member;
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return yaml_fault(c->doc, member, f, "provider_url", "found \"%s\", wanted https://…",
				  ESC(url, strlen(url)));
	for (const char *p = url; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`|", *p))
			return yaml_fault(c->doc, member, f, "provider_url",
					  "found a character that no URL has (RFC 3986 2), wanted it percent-encoded");
	}
	for (const char *p = strchr(url, '{'); p; p = strchr(p + 1, '{')) {
		size_t n = strcspn(p, "}") + 1;
		_cleanup_(freep) char *word = xstrndup(p, n);
		if (!strchr(word, '}') || !strstr(known, word))
			return yaml_fault(c->doc, member, f, "provider_url", "found %s, wanted of %s",
					  ESC(word, strlen(word)), known);
	}
	if (!strstr(url, needed))
		return yaml_fault(c->doc, member, f, "provider_url", "found no %s in \"%s\"", needed,
				  ESC(url, strlen(url)));
	return OK;
}

static enum err check_provider(const struct ra_config *c, struct fault *f)
{
	TRY(check_template(c, &c->provider.url, "{order} {amount} {yuan} {return}", "{order}", f));
	return check_template(c, &c->provider.return_url, "{order}", "{order}", f);
}

static char *join(const char *root, const char *path)
{
	return path ? path_join(root, path) : NULL;
}

static void take(const struct raw *raw, const char *root, struct ra_config *c)
{
	c->state = path_join(root, raw->state);
	c->socket = path_join(root, raw->socket);
	c->signer_socket = path_join(root, raw->signer_socket);
	c->policies = path_join(root, raw->policies);
	c->roster = path_join(root, raw->roster);
	c->calendar = join(root, raw->calendar);
	c->root_certificate = join(root, raw->root_certificate);
	c->root_crl = join(root, raw->root_crl);
	c->ra_key = path_join(root, raw->ra_key);
	c->log_key = path_join(root, raw->log_key);
	c->ra_name = raw->ra_name;
	c->workers = raw->workers;
	c->senders = raw->senders;
	c->callers = raw->callers.v;
	c->n_callers = raw->callers.n;
	c->portals = raw->portals.v;
	c->n_portals = raw->portals.n;
	c->session_minutes = raw->session_minutes;
	c->login = raw->login;
	c->review = raw->review;
	c->sms = raw->sms;
	c->accounts = raw->accounts;
	c->notices.by_notifier = raw->notices.by == 1;
	c->has_bank = raw->has_bank;
	c->bank = raw->bank;
	c->orders = raw->orders;
	c->has_provider = raw->has_provider;
	c->provider = raw->provider;
	c->provider_secret = raw->has_provider ? path_join(root, raw->provider.secret) : NULL;
	c->token_key = join(root, raw->tokens.key);
	c->materials = raw->materials;
	if (c->materials.retention_years == 0) /* the whole block may be absent */
		c->materials = (struct material_rules){
			.retention_years = 5, .unissued_years = 5, .upload_hours = 24, .free_mib = 256};
	c->parcels = raw->parcels;
	if (c->parcels.reminder_days == 0)
		c->parcels.reminder_days = 5;
	c->log = (enum log_level)(LOG_LEVEL_ERROR + raw->log);
}

static enum err load(const char *path, struct ra_config *c, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct raw raw = {0};
	TRY(file_read(path, CONFIG_MAX, &text, f));
	sha256(text.data, text.len, c->sha256);
	TRY(yaml_parse(path, buf_slice(&text), &c->doc, f));
	TRY(yaml_decode(c->doc, yaml_root(c->doc), rules, &raw, f));
	_cleanup_(freep) char *base = path_tree(path);
	_cleanup_(freep) char *root = raw.root ? path_join(base, raw.root) : xstrdup(base);
	take(&raw, root, c);
	if (c->root_crl && !c->root_certificate)
		return yaml_fault(c->doc, &raw.root_crl, f, "root_crl_whose",
				  "root_crl wants the root's certificate beside it: `root_certificate: FILE`");
	TRY(read_tokens(c, f));
	TRY(check_callers(c->doc, c, f));
	return c->has_provider ? check_provider(c, f) : OK;
}

enum err ra_config_load(const char *path, struct ra_config *ret, struct fault *f)
{
	_cleanup_(ra_config_done) struct ra_config c = {0};
	enum err e = load(path, &c, f);
	if (e != OK) {
		if (f && f->kind == ERR_NOT_FOUND)
			return fault_raise(f, ERR_CONFIG, "config_missing", "config", "%s: no such file",
					   ESC(path, strlen(path)));
		return e;
	}
	if (c.login.lock_minutes.n == 0) {
		c.login.lock_minutes.v = (int64_t *)default_locks;
		c.login.lock_minutes.n = sizeof(default_locks) / sizeof(default_locks[0]);
	}
	*ret = c;
	c = (struct ra_config){0};
	return OK;
}

const struct portal *ra_config_portal(const struct ra_config *c, const char *token)
{
	const struct portal *found = NULL;
	uint8_t hash[32];
	sha256(token, strlen(token), hash);
	for (size_t i = 0; i < c->n_portals; i++) {
		if (sodium_memcmp(hash, c->portals[i].sha256, sizeof(hash)) == 0)
			found = &c->portals[i];
	}
	return found;
}

uint64_t ra_config_roles(const struct ra_config *c, uid_t uid)
{
	for (size_t i = 0; i < c->n_callers; i++) {
		if (c->callers[i].uid == (int64_t)uid)
			return c->callers[i].roles;
	}
	return 0;
}
