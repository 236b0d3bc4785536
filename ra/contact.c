/*
 * Where an account's notices go, its mail address and language. Whoever had them until now, and whoever gets them from now on, is told.
 */
#include "ra/contact.h"

#include "ra/account.h"

#include "common/base/clock.h"

#include <string.h>

#define NOTICE_LIVES_S (7 * 86400)

static enum err tell(struct ctx *c, const char *channel, const char *to, const char *mail, struct fault *f)
{
	const struct account *a = &c->session->account;
	const struct letter_word words[] = {{"organisation", a->organisation},
					    {"time", SHANGHAI(c->now)},
					    {"mail", mail[0] != '\0' ? mail : "（无）none"}};
	if (to[0] == '\0')
		return OK;
	return outbox_post(c,
			   &(struct letter){.channel = channel,
					    .to = to,
					    .template = "mail",
					    .words = words,
					    .n_words = sizeof(words) / sizeof(words[0]),
					    .lives_s = NOTICE_LIVES_S,
					    .account = a->id},
			   f);
}

static enum err change_mail(struct ctx *c, const struct contact *before, const struct contact *after, struct fault *f)
{
	if (strcmp(before->mail, after->mail) == 0)
		return OK;
	TRY(tell(c, "mail", before->mail, after->mail, f));
	TRY(tell(c, "mail", after->mail, after->mail, f));
	return tell(c, "sms", c->session->account.login_mobile, after->mail, f);
}

enum err account_contact(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *mail = param_text(c, "mail"), *language = param_text(c, "language");
	int64_t account = c->session->account.id;
	struct contact before, after;
	TRY(store_contact(c->db, account, &before, f));
	after = before;
	if (mail && mail[0] != '\0')
		TRY(mail_check("params.mail", mail, f));
	if (mail)
		snprintf(after.mail, sizeof(after.mail), "%s", mail);
	if (language)
		snprintf(after.language, sizeof(after.language), "%s", language);
	TRY(store_contact_set(c->db, account, &after, c->now, f));
	TRY(change_mail(c, &before, &after, f));
	TRY(desk_audit(c, "contact_set", c->session->account.identifier, after.language, f));
	*ret = json_object();
	json_object_set_new(*ret, "mail", json_string(after.mail));
	json_object_set_new(*ret, "language", json_string(after.language));
	return OK;
}

enum err contact_post(struct ctx *c, const struct account *a, struct letter *l, struct fault *f)
{
	struct contact contact;
	/* Whoever is bound to a frozen account may be a stranger. */
	l->to = a->login_mobile[0] != '\0' && !a->frozen ? a->login_mobile : a->mobile;
	l->channel = "sms";
	l->account = a->id;
	if (l->to[0] != '\0')
		TRY(outbox_post(c, l, f));
	TRY(store_contact(c->db, a->id, &contact, f));
	if (contact.mail[0] == '\0')
		return OK;
	l->channel = "mail";
	l->to = contact.mail;
	return outbox_post(c, l, f);
}
