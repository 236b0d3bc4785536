/*
 * `hufu agent`: starts the helper and waits until it is to end. Next: agent.h.
 */
#include "tools/hufu/agent.h"

#include "common/base/file.h"
#include "common/rpc/json.h"

#include <string.h>

struct options {
	struct option_list origins;
	const char *port, *state;
	struct agent agent;
};
static void options_done(struct options *o)
{
	option_list_done(&o->origins);
	pairing_done(&o->agent.pairing);
}

static int check_origins(const struct command *cmd, const struct options *o)
{
	if (o->origins.n == 0)
		return cli_usage(cmd,
				 "--origin URL is missing: the portal whose pages may ask, as https://ca.example.cn");
	if (o->origins.n > AGENT_ORIGINS_MAX)
		return cli_usage(cmd, "%zu origins, wanted at most %d", o->origins.n, AGENT_ORIGINS_MAX);
	for (size_t i = 0; i < o->origins.n; i++)
		if (!origin_ok(o->origins.v[i]))
			return cli_usage(
				cmd,
				"--origin \"%s\": wanted https://HOST or https://HOST:PORT (http:// for this machine "
				"alone), in lower case, without a path",
				ESC(o->origins.v[i], strlen(o->origins.v[i])));
	return EXIT_DONE;
}

static int check_words(const struct command *cmd, struct options *o)
{
	uint64_t port = AGENT_PORT;
	if (check_origins(cmd, o) != EXIT_DONE)
		return EXIT_CONFIG;
	if (o->port && (!u64_parse(o->port, strlen(o->port), 65535, &port) || port < 1024))
		return cli_usage(cmd, "--port \"%s\": wanted 1024 to 65535", ESC(o->port, strlen(o->port)));
	if (!o->agent.program && !isatty(STDIN_FILENO))
		return cli_usage(cmd, "no terminal to ask you on: start it in one, or name a program by --prompt");
	if (o->agent.program && o->agent.program[0] != '/')
		return cli_usage(cmd, "--prompt \"%s\": wanted a program's whole path",
				 ESC(o->agent.program, strlen(o->agent.program)));
	o->agent.port = (unsigned)port;
	o->agent.origins = o->origins.v;
	o->agent.n_origins = o->origins.n;
	return EXIT_DONE;
}

/* The end comes at once when a question is open: nothing was done yet. A token that is at work is waited for. */
static void stop(struct agent *a, struct agent_http *http)
{
	if (pthread_mutex_trylock(&a->busy) != 0) {
		if (atomic_load(&a->asking))
			_exit(EXIT_DONE);
		pthread_mutex_lock(&a->busy);
	}
	agent_http_stop(http);
	pthread_mutex_unlock(&a->busy);
}

static enum err serve(struct agent *a, struct fault *f)
{
	struct agent_http *http = NULL;
	int fd = -1;
	pthread_mutex_init(&a->busy, NULL);
	json_start();
	TRY(agent_listen(a->port, &fd, f));
	TRY(agent_walls(a->program != NULL, f));
	TRY(agent_http_start(a, fd, &http, f));
	fprintf(stderr, "hufu agent: 127.0.0.1:%u, for %s%s; Ctrl-C ends it\n", a->port, a->origins[0],
		a->n_origins > 1 ? " and others" : "");
	notify_ready();
	agent_wait();
	stop(a, http);
	return OK;
}

int run_agent(struct cli *c, int argc, char **argv)
{
	_cleanup_(options_done) struct options o = {.agent = {.cli = c}};
	struct agent *a = &o.agent;
	const struct option_rule rules[] = {{.name = "--origin", .many = &o.origins},
					    {.name = "--port", .value = &o.port},
					    {.name = "--module", .value = &a->module},
					    {.name = "--prompt", .value = &a->program},
					    {.name = "--token-key", .value = &a->token_key},
					    {.name = "--officer", .value = &a->officer_key},
					    {.name = "--escrow", .value = &a->escrow},
					    {.name = "--materials", .value = &a->materials},
					    {0}};
	const struct command *cmd = cli_command(commands_agent, run_agent);
	_cleanup_(freep) char *path = cli_state_path("agent-paired");
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0) || check_words(cmd, &o) != EXIT_DONE)
		return EXIT_CONFIG;
	if (pairing_init(&a->pairing, path, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:i,s:b}", "port", (int)a->port, "dry_run", 1),
				"would listen on 127.0.0.1:%u (dry run)\n", a->port);
	if (serve(a, &f) != OK)
		return cli_fail(c, &f);
	return EXIT_DONE;
}

const struct command commands_agent[] = {
	{.name = "agent",
	 .usage = "--origin URL… [--port N] [--module PATH] [--prompt PROGRAM] [--token-key FILE] [--officer KEY "
		  "[--escrow FILE] [--materials DIR]]",
	 .summary = "the helper between the portal's page in your browser and your USB key",
	 .help = "  --origin URL       a portal whose pages may ask, as https://ca.example.cn (repeat for more)\n"
		 "  --port N           of 127.0.0.1, where the pages look for it (default 27183)\n"
		 "  --module PATH      the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --prompt PROGRAM   asks you in a window instead of on this terminal: run with a word for what is "
		 "asked\n"
		 "                     and words for the answers that are wanted (pin, new-pin, characters, "
		 "code,\n"
		 "                     passphrase),\n"
		 "                     gets the text on standard input, writes \"yes\" and the answers, a line each\n"
		 "  --token-key FILE   public half of the desk's token key, which an unlock wants\n"
		 "  --officer KEY      an officer's own key (hufu officer key): pages may ask for its yes to a "
		 "request; the\n"
		 "                     agent fetches it from the desk itself and checks it\n"
		 "  --escrow FILE      the desk's token key (secret half): pages may ask for this officer's yes to an "
		 "unlock\n"
		 "  --materials DIR    keep the materials of these requests there (0600)\n\n"
		 "A page is paired once, by a code that is shown here. What a page asks for is shown here in full, and "
		 "done\n"
		 "only after your yes; the PIN is asked for here and never on the page. It signs tallies and first "
		 "log-ins,\n"
		 "nothing else.\n\n"
		 "Examples:\n  hufu agent --origin https://ca.example.cn\n"
		 "  hufu agent --origin https://ca.example.cn --officer alice.key",
	 .run = run_agent},
	{0},
};
