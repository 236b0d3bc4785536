/*
 * One file at a time: decode by the table in schema.c, then see that each part means something by itself
 * (profile_subject.c, profile_ext.c, profile_kind.c). Whatever gets through here is safe to judge by: words are
 * resolved, patterns compile, references inside the file exist. Wisdom is lint's business.
 */
#include "common/policy/profile.h"
#include "common/base/clock.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <string.h>

bool path_stem(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t n = dot != NULL ? (size_t)(dot - base) : strlen(base);

	if (n == 0 || n >= size)
		return false;
	memcpy(ret, base, n);
	ret[n] = '\0';
	return true;
}

enum err word_check(const struct yaml_doc *doc, const char *const *member, const char *const *words, size_t n,
		    const char *rule, const char *what, struct fault *f)
{
	_cleanup_buf_ struct buf tail = {0};
	const char *near;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(*member, words[i]) == 0)
			return OK;
	}
	for (size_t i = 0; i < n; i++)
		buf_fmt(&tail, "%s%s", i > 0 ? ", " : "", words[i]);
	near = word_nearest(*member, words, n);
	if (near != NULL)
		buf_fmt(&tail, "; did you mean \"%s\"?", near);
	return yaml_fault(doc, member, f, rule, "found %s \"%s\"; allowed: %s", what, ESC(*member, strlen(*member)),
			  buf_text(&tail));
}

enum err name_check(const struct yaml_doc *doc, const char *const *member, const char *what, struct fault *f)
{
	if (word_valid(slice_str(*member), TALLY_WORD))
		return OK;
	return yaml_fault(doc, member, f, "name_form",
			  "found %s \"%s\", wanted at most %d of a-z, 0-9 and '-', starting with a letter", what,
			  ESC(*member, strlen(*member)), TALLY_WORD - 1);
}

enum err stem_check(const struct yaml_doc *doc, const char *const *member, const char *path, struct fault *f)
{
	char stem[POLICY_PATH];

	TRY(name_check(doc, member, "name", f));
	if (path_stem(path, stem, sizeof(stem)) && strcmp(stem, *member) == 0)
		return OK;
	return yaml_fault(doc, member, f, "name_file", "found name \"%s\" in the file %s, wanted the file's own name",
			  *member, path);
}

enum err profile_decode(const char *path, struct slice text, struct profile *ret, struct fault *f)
{
	TRY(yaml_parse(path, text, &ret->doc, f));
	TRY(yaml_decode(ret->doc, yaml_root(ret->doc), profile_rules, ret, f));
	TRY(stem_check(ret->doc, &ret->name, path, f));
	TRY(profile_check_subject(ret, f));
	TRY(profile_check_keys(ret, f));
	TRY(profile_check_extensions(ret, f));
	return profile_check_kinds(ret, f);
}

void profile_done(struct profile *p)
{
	yaml_freep(&p->doc);
	*p = (struct profile){0};
}

static bool price_begins(const struct service_price *price, int64_t *ret)
{
	char text[TIME_TEXT];

	snprintf(text, sizeof(text), "%.10s 00:00:00", price->from);
	return strlen(price->from) == 10 && time_parse_shanghai(text, strlen(text), ret);
}

int64_t service_price(const struct service_def *s, int64_t now)
{
	const struct service_price *prices = s->prices.v;
	int64_t fen = s->price_fen, from = 0;

	for (size_t i = 0; i < s->prices.n; i++) {
		if (price_begins(&prices[i], &from) && from <= now)
			fen = prices[i].price_fen;
	}
	return fen;
}

static enum err service_prices(struct project *p, const struct service_def *s, struct fault *f)
{
	const struct service_price *prices = s->prices.v;
	int64_t before = INT64_MIN, from = 0;

	for (size_t i = 0; i < s->prices.n; i++) {
		if (!price_begins(&prices[i], &from))
			return yaml_fault(p->doc, &prices[i].from, f, "price_from",
					  "service %s: found from \"%s\", wanted a day as 2027-01-01", s->name,
					  ESC(prices[i].from, strlen(prices[i].from)));
		if (from <= before)
			return yaml_fault(p->doc, &prices[i].from, f, "price_order",
					  "service %s: found from %s, wanted a day after the one before", s->name,
					  prices[i].from);
		before = from;
	}
	return OK;
}

static enum err project_services(struct project *p, struct fault *f)
{
	for (size_t i = 0; i < p->services.n; i++) {
		struct service_def *s = &services_of(p)[i];

		TRY(name_check(p->doc, &s->name, "service", f));
		TRY(name_check(p->doc, &s->profile, "profile", f));
		TRY(service_prices(p, s, f));
	}
	return OK;
}

static enum err project_downloads(struct project *p, struct fault *f)
{
	for (size_t i = 0; i < p->downloads.n; i++) {
		struct download *d = &downloads_of(p)[i];
		uint8_t hash[32];

		if (strncmp(d->url, "https://", 8) != 0 || strpbrk(d->url, " \"<>\\") != NULL)
			return yaml_fault(p->doc, &d->url, f, "download_url", "found url \"%s\", wanted https://…",
					  ESC(d->url, strlen(d->url)));
		if (!slice_hex(slice_str(d->sha256), hash, sizeof(hash)))
			return yaml_fault(p->doc, &d->sha256, f, "download_sha256",
					  "found sha256 \"%s\", wanted 64 lower-case hex characters",
					  ESC(d->sha256, strlen(d->sha256)));
	}
	return OK;
}

/* Gateways sign with it in brackets, 【…】, and carriers refuse what has brackets, or a mark of a markup, within. */
static enum err project_sender(const struct project *p, struct fault *f)
{
	static const char *const marks[] = {"【", "】", "〖", "〗", "「", "」", "『", "』", "［", "］", "[",  "]",
					    "{",  "}",	"<",  ">",  "\"", "'",	"\\", "%",  "&",  "\n", "\t", "\r"};
	const char *s = p->contact_sms_sender;

	for (size_t i = 0; s && i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strstr(s, marks[i]))
			return yaml_fault(
				p->doc, &p->contact_sms_sender, f, "sms_sender",
				"found sms_sender \"%s\", wanted a name without brackets, quotes and marks: the "
				"gateway puts its own around it",
				ESC(s, strlen(s)));
	}
	if (s && (s[0] == ' ' || s[strlen(s) - 1] == ' '))
		return yaml_fault(p->doc, &p->contact_sms_sender, f, "sms_sender",
				  "found sms_sender \"%s\", wanted no space at either end", ESC(s, strlen(s)));
	return OK;
}

enum err project_decode(const char *path, struct slice text, struct project *ret, struct fault *f)
{
	TRY(yaml_parse(path, text, &ret->doc, f));
	TRY(yaml_decode(ret->doc, yaml_root(ret->doc), project_rules, ret, f));
	TRY(stem_check(ret->doc, &ret->name, path, f));
	if (ret->profiles.n == 0)
		return yaml_fault(ret->doc, &ret->profiles, f, "profiles_empty",
				  "found no profile, wanted at least one");
	for (size_t i = 0; i < ret->profiles.n; i++)
		TRY(name_check(ret->doc, &ret->profiles.v[i], "profile", f));
	TRY(word_check(ret->doc, &ret->first_login_proof, first_login_words, 4, "first_login_unknown", "proof", f));
	TRY(project_downloads(ret, f));
	TRY(project_sender(ret, f));
	return project_services(ret, f);
}

void project_done(struct project *p)
{
	yaml_freep(&p->doc);
	*p = (struct project){0};
}

const struct policy_kind *profile_kind(const struct profile *p, enum tally_kind kind)
{
	for (size_t i = 0; i < p->kinds.n; i++) {
		if (strcmp(kinds_of(p)[i].kind, tally_kind_word(kind)) == 0)
			return &kinds_of(p)[i];
	}
	return NULL;
}

const struct policy_way *profile_way(const struct profile *p, enum tally_kind kind, const char *way)
{
	const struct policy_kind *k = profile_kind(p, kind);

	for (size_t i = 0; k != NULL && i < k->ways.n; i++) {
		if (strcmp(ways_of(k)[i].way, way) == 0)
			return &ways_of(k)[i];
	}
	return NULL;
}

const struct bilingual *way_checks(const struct policy_way *w, size_t *ret_n)
{
	*ret_n = w->checks.n;
	return checks_of(w);
}

const struct profile_attr *profile_attr(const struct profile *p, const struct attr_type *type)
{
	for (size_t i = 0; i < p->subject.n; i++) {
		if (attrs_of(p)[i].type == type)
			return &attrs_of(p)[i];
	}
	return NULL;
}

static bool among(const struct yaml_strs *s, const char *word)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i], word) == 0)
			return true;
	}
	return false;
}

bool way_material(const struct policy_way *w, const char *material)
{
	for (size_t i = 0; i < w->materials.any_of.n; i++) {
		if (among(&anys_of(w)[i].of, material))
			return true;
	}
	return among(&w->materials.all_of, material);
}

bool project_has_profile(const struct project *p, const char *profile)
{
	return among(&p->profiles, profile);
}

const struct service_def *project_service(const struct project *p, const char *name)
{
	for (size_t i = 0; i < p->services.n; i++) {
		if (strcmp(services_of(p)[i].name, name) == 0)
			return &services_of(p)[i];
	}
	return NULL;
}
