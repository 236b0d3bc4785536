/*
 * What the parts of an account share: how it is shown, and how a person is bound to it.
 *
 * A binding is told to whoever was the contact before, with a code that freezes it. All of it is one transaction, and
 * there is one writer, so two accounts never take one number at the same moment. Next: account_login.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/contact.h"
#include "ra/mobile.h"
#include "ra/outbox.h"
#include "ra/password.h"
#include "ra/store_binding.h"
#include "ra/store_record.h"

#include "common/base/clock.h"

#include <sodium.h>
#include <string.h>

#define PER_MOBILE_MAX 101 /* one more than ra.yaml can allow */
#define NOTICE_LIVES_S (7 * 86400)

void account_normalise(const char *text, char *ret, size_t size)
{
	size_t n = strlen(text), used = 0;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	while (n > 0 && *text == ' ') {
		text++;
		n--;
	}
	for (size_t i = 0; i < n && used + 1 < size; i++)
		ret[used++] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
	ret[used] = '\0';
}

struct desk_search {
	const struct policy *policy;
	const struct project *found;
};

static void look_for_desk(void *arg, const char *project)
{
	struct desk_search *s = arg;
	if (!s->found)
		s->found = policy_project(s->policy, project);
}

enum err account_desk(struct db *db, const struct policy *p, int64_t account, const struct project **ret,
		      struct fault *f)
{
	struct desk_search s = {.policy = p};
	if (account != 0)
		TRY(store_account_projects(db, account, look_for_desk, &s, f));
	*ret = s.found ? s.found : p->n_projects > 0 ? &p->projects[0] : NULL;
	return OK;
}

const char *desk_telephone(const struct project *p)
{
	return p && p->contact_telephone ? p->contact_telephone : "";
}

/* --- showing --- */

static json_t *flags_json(const struct account *a)
{
	_cleanup_(freep) char *flags = xstrdup(a->flags);
	json_t *list = json_array();
	char *rest = flags;
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		if (word[0] != '\0')
			json_array_append_new(list, json_string(word));
	}
	return list;
}

json_t *account_json(const struct account *a, bool masked)
{
	char agent[AGENT_MAX + 1], mobile[MOBILE_MAX + 1], login[MOBILE_MAX + 1];
	json_t *o = json_object();
	name_mask(a->agent, agent);
	mobile_mask(a->mobile, mobile);
	mobile_mask(a->login_mobile, login);
	json_object_set_new(o, "identifier", json_string(a->identifier));
	json_object_set_new(o, "organisation", json_string(a->organisation));
	json_object_set_new(o, "agent", json_string(masked ? agent : a->agent));
	json_object_set_new(o, "mobile", json_string(masked ? mobile : a->mobile));
	json_object_set_new(o, "login_mobile", json_string(masked ? login : a->login_mobile));
	json_object_set_new(o, "flags", flags_json(a));
	return o;
}

enum err account_show(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct session *s = c->session;
	bool masked = s->must_choose || (s->must_reset && s->proof[0] == '\0');
	char representative[REPRESENTATIVE_MAX + 1] = "";
	struct contact contact = {0};
	if (!masked) {
		TRY(store_representative(c->db, s->account.id, representative, f));
		TRY(store_contact(c->db, s->account.id, &contact, f));
	}
	*ret = account_json(&s->account, masked);
	if (contact.mail[0] != '\0')
		json_object_set_new(*ret, "mail", json_string(contact.mail));
	if (contact.language[0] != '\0')
		json_object_set_new(*ret, "language", json_string(contact.language));
	if (representative[0] != '\0')
		json_object_set_new(*ret, "legal_representative", json_string(representative));
	json_object_set_new(*ret, "must_reset", json_boolean(s->must_reset));
	json_object_set_new(*ret, "must_choose", json_boolean(s->must_choose));
	return OK;
}

/* --- passwords --- */

enum err account_new_password(struct ctx *c, const struct account *a, const char *mobile, struct fault *f)
{
	const char *password = param_text(c, "new_password"), *again = param_text(c, "new_password_again");
	if (again && strcmp(password, again) != 0)
		return fault_raise(f, ERR_RULE, "password_differs", "params.new_password_again",
				   "the two new passwords differ");
	return password_accept(c->desk->passwords, a, mobile, c->desk->config.accounts.password_characters, password,
			       f);
}

enum err account_tell_password(struct ctx *c, const struct account *a, struct fault *f)
{
	const char *to = a->login_mobile[0] ? a->login_mobile : a->mobile;
	const struct letter_word words[] = {{"organisation", a->organisation}, {"time", SHANGHAI(c->now)}};
	if (to[0] == '\0')
		return OK;
	return outbox_post(c,
			   &(struct letter){.channel = "sms",
					    .to = to,
					    .template = "password",
					    .words = words,
					    .n_words = sizeof(words) / sizeof(words[0]),
					    .lives_s = NOTICE_LIVES_S,
					    .account = a->id},
			   f);
}

/* --- binding --- */

enum err account_number_free(struct ctx *c, const char *mobile, int64_t but, int64_t most, bool *ret_free,
			     struct fault *f)
{
	_cleanup_(freep) struct account *others = xcalloc(PER_MOBILE_MAX, sizeof(*others));
	int64_t n_others = 0;
	size_t n = 0;
	TRY(store_accounts_by_mobile(c->db, mobile, others, PER_MOBILE_MAX, &n, f));
	for (size_t i = 0; i < n; i++)
		n_others += others[i].id != but;
	*ret_free = n_others < most;
	return OK;
}

static enum err mobile_is_free(struct ctx *c, const struct account_change *ch, struct fault *f)
{
	const struct account_rules *rules = &c->desk->config.accounts;
	int64_t most = rules->organisations_per_mobile;
	bool is_free;
	if (ch->linked && most < rules->linked_per_mobile)
		most = rules->linked_per_mobile;
	TRY(account_number_free(c, ch->mobile, ch->account->id, most, &is_free, f));
	if (is_free)
		return OK;
	return fault_raise(f, ERR_CONFLICT, "mobile_used", "params.mobile",
			   "found a number that another account uses, wanted one of your own: ask the service desk");
}

/* By the number of before and, where the account has one, to its mail address. */
static enum err post_bound(struct ctx *c, int64_t account, const char *to, const struct letter_word *words, size_t n,
			   struct fault *f)
{
	struct letter l = {.channel = "sms",
			   .to = to,
			   .template = "bound",
			   .words = words,
			   .n_words = n,
			   .lives_s = NOTICE_LIVES_S,
			   .account = account};
	struct contact contact;
	TRY(outbox_post(c, &l, f));
	TRY(store_contact(c->db, account, &contact, f));
	if (contact.mail[0] == '\0')
		return OK;
	l.channel = "mail";
	l.to = contact.mail;
	return outbox_post(c, &l, f);
}

static enum err tell_old_contact(struct ctx *c, const struct account_change *ch, const char *to, const char *freeze,
				 struct fault *f)
{
	const struct account_rules *rules = &c->desk->config.accounts;
	_cleanup_buf_ struct buf url = {0};
	char agent[AGENT_MAX + 1], mobile[MOBILE_MAX + 1], days[24];
	const char *place = rules->freeze_url ? strstr(rules->freeze_url, "{code}") : NULL;
	name_mask(ch->agent, agent);
	mobile_mask(ch->mobile, mobile);
	snprintf(days, sizeof(days), "%lld", (long long)rules->freeze_days);
	if (place)
		buf_fmt(&url, " (%.*s%s%s)", (int)(place - rules->freeze_url), rules->freeze_url, freeze, place + 6);
	const struct letter_word words[] = {{"organisation", ch->account->organisation},
					    {"time", SHANGHAI(c->now)},
					    {"agent", agent},
					    {"mobile", mobile},
					    {"days", days},
					    {"freeze", freeze},
					    {"freeze_url", buf_text(&url)}};
	return post_bound(c, ch->account->id, to, words, sizeof(words) / sizeof(words[0]), f);
}

/* The binding's row, and the notice to whoever was the contact before: nobody when the number stays. */
static enum err record(struct ctx *c, const struct account_change *ch, struct fault *f)
{
	const struct account *a = ch->account;
	const char *old = a->login_mobile[0] ? a->login_mobile : a->mobile;
	bool told = old[0] != '\0' && strcmp(old, ch->mobile) != 0;
	char code[CODE_TEXT + 1];
	struct binding b = {.account = a->id, .at = c->now, .first = ch->first, .has_freeze = told};
	int64_t id;
	snprintf(b.way, sizeof(b.way), "%s", ch->way);
	snprintf(b.who, sizeof(b.who), "%s", c->who);
	snprintf(b.agent_before, sizeof(b.agent_before), "%s", a->agent);
	snprintf(b.mobile_before, sizeof(b.mobile_before), "%s", a->login_mobile);
	snprintf(b.agent, sizeof(b.agent), "%s", ch->agent);
	snprintf(b.mobile, sizeof(b.mobile), "%s", ch->mobile);
	b.freeze_dies = c->now + c->desk->config.accounts.freeze_days * 86400;
	code_make(code);
	code_hash(c->desk, "freeze", "", code, b.freeze);
	enum err e = store_binding_add(c->db, &b, &id, f);
	if (e == OK && told)
		e = tell_old_contact(c, ch, old, code, f);
	sodium_memzero(code, sizeof(code));
	return e;
}

enum err account_shared_password(struct ctx *c, const char *mobile, int64_t but, char ret[PASSWORD_HASH_MAX + 1],
				 struct fault *f)
{
	_cleanup_(freep) struct account *all = xcalloc(PER_MOBILE_MAX, sizeof(*all));
	size_t n = 0;
	password_none(c->desk->passwords, ret);
	TRY(store_accounts_by_mobile(c->db, mobile, all, PER_MOBILE_MAX, &n, f));
	for (size_t i = 0; i < n; i++) {
		if (all[i].id != but) {
			memcpy(ret, all[i].password, sizeof(all[i].password));
			return OK;
		}
	}
	return OK;
}

/* One person, one password: that of all accounts of the number is set, and their sessions end. */
static enum err set_password(struct ctx *c, const struct account_change *ch, struct fault *f)
{
	_cleanup_(freep) struct account *all = xcalloc(PER_MOBILE_MAX, sizeof(*all));
	char none[PASSWORD_HASH_MAX + 1];
	const char *hash = ch->hash;
	size_t n = 0;
	if (!hash) {
		TRY(account_shared_password(c, ch->mobile, ch->account->id, none, f));
		hash = none;
	}
	TRY(store_account_password(c->db, ch->account->id, hash, false, c->now, f));
	TRY(store_sessions_end(c->db, ch->account->id, c->token, f));
	if (!ch->hash || ch->mobile[0] == '\0')
		return OK;
	TRY(store_mobile_password(c->db, ch->mobile, hash, c->now, f));
	TRY(store_accounts_by_mobile(c->db, ch->mobile, all, PER_MOBILE_MAX, &n, f));
	for (size_t i = 0; i < n; i++)
		TRY(store_sessions_end(c->db, all[i].id, c->token, f));
	return OK;
}

enum err account_bind(struct ctx *c, const struct account_change *ch, struct fault *f)
{
	TRY(mobile_is_free(c, ch, f));
	TRY(store_account_bind(c->db, ch->account->id, ch->agent, ch->mobile, c->now, f));
	TRY(record(c, ch, f));
	return set_password(c, ch, f);
}
