/*
 * `hufu request ways|history|form`, `hufu recover`: what can be done with a certificate, what became of a request, the
 * forms to print, and recovery before a key is given up.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

static const char *text_of(json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));
	return t ? t : "";
}

static void print_papers(json_t *all)
{
	size_t i, k;
	json_t *one, *paper;
	json_array_foreach(all, i, one)
	{
		printf("    material: ");
		json_array_foreach(one, k, paper)
			printf("%s%s (%s)", k > 0 ? " or " : "", text_of(paper, "zh"), text_of(paper, "name"));
		putchar('\n');
	}
}

static void print_way(json_t *w)
{
	json_t *title = json_object_get(w, "title"), *why = json_object_get(w, "why");
	printf("%s %s: %s / %s%s\n", text_of(w, "kind"), text_of(w, "way"), text_of(title, "zh"), text_of(title, "en"),
	       json_is_true(json_object_get(w, "recommended")) ? " (recommended)" : "");
	printf("    makes: %s; key: %s; officers: %lld; order: %s\n", text_of(w, "makes"), text_of(w, "key"),
	       (long long)json_integer_value(json_object_get(w, "officers")), text_of(w, "order"));
	print_papers(json_object_get(w, "materials"));
	if (json_object_get(w, "notice"))
		printf("    risk notice: %s\n", text_of(w, "notice"));
	printf("    files: %s\n", text_of(json_object_get(w, "files"), "zh"));
	if (why)
		printf("    not now: %s (%s)\n", text_of(why, "zh"), text_of(why, "text"));
}

int run_request_ways(struct cli *c, int argc, char **argv)
{
	const char *issuer = NULL;
	const struct option_rule rules[] = {{.name = "--issuer", .value = &issuer}, {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *w;
	size_t i;
	if (!cli_options(cli_command(commands_request, run_request_ways), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "serial", argv[1]);
	if (issuer)
		json_object_set_new(p, "issuer", json_string(issuer));
	if (cli_desk(c, "request.ways", p, true, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		cli_print_json(r);
	else
		json_array_foreach(json_object_get(r, "ways"), i, w) print_way(w);
	return EXIT_DONE;
}

int run_request_history(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *h;
	size_t i;
	int64_t t = 0;
	if (!cli_options(cli_command(commands_request, run_request_history), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_desk(c, "request.show", json_pack("{s:s}", "request", argv[1]), true, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(json_object_get(r, "history"));
		return EXIT_DONE;
	}
	printf("%s: %s\n", text_of(r, "number"), text_of(r, "state"));
	json_array_foreach(json_object_get(r, "history"), i, h)
	{
		const char *at = text_of(h, "at");
		if (time_parse_utc(at, strlen(at), &t))
			printf("  %s  %s %s\n", SHANGHAI(t), text_of(h, "zh"), text_of(h, "en"));
	}
	return EXIT_DONE;
}

int run_request_form(struct cli *c, int argc, char **argv)
{
	const char *out = NULL;
	bool text = false, officer = false;
	const struct option_rule rules[] = {{.name = "--out", .value = &out},
					    {.name = "--text", .flag = &text},
					    {.name = "--officer", .flag = &officer},
					    {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_request, run_request_form), rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s,s:s,s:s}", "form", argv[1], "request", argv[2], "format", text ? "text" : "html");
	if (cli_desk(c, "form.get", p, !officer, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	const char *content = text_of(r, "content");
	if (!out) {
		fputs(content, stdout);
		return EXIT_DONE;
	}
	if (!c->dry_run && file_write_new(out, slice_str(content), 0600, &f) != OK)
		return cli_fail(c, &f);
	printf("%s: %s\n", out,
	       c->dry_run ? "would be written (dry run)" : "written; print it, stamp it, upload the scan");
	return EXIT_DONE;
}

int run_recover(struct cli *c, int argc, char **argv)
{
	const char *issuer = NULL;
	const struct option_rule rules[] = {{.name = "--issuer", .value = &issuer}, {0}};
	if (!cli_options(cli_command(commands_request, run_recover), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "serial", argv[1]);
	if (issuer)
		json_object_set_new(p, "issuer", json_string(issuer));
	return cli_show(c, "recover.open", p, true, true);
}
