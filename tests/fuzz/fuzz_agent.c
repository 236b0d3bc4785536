/*
 * What pages send to a person's agent, without a token in a slot: every answer is JSON-RPC, and nothing is asked of a
 * token or of the person for a page that is not paired, or in a text that is not the agent's to show.
 */
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/reply.h"

#include "tools/hufu/agent.h"

#define ORIGIN "https://portal.example.test"

static struct cli cli;
static struct agent agent = {.cli = &cli, .busy = PTHREAD_MUTEX_INITIALIZER};
static bool paired; /* since this request began */

bool __wrap_pairing_holds(struct pairing *p, const char *origin, const char *token);
enum err __wrap_token_each(const char *module, void (*fn)(void *, const struct token_info *), void *arg,
			   struct fault *f);
enum err __wrap_card_find(struct cli *c, struct card *k, enum token_use use, struct fault *f);
enum err __wrap_agent_ask(struct agent *a, const struct agent_question *q, struct agent_answer *ret, struct fault *f);
void __wrap_agent_tell(struct agent *a, const char *what, const char *text);

bool __wrap_pairing_holds(struct pairing *p, const char *origin, const char *token)
{
	must(p == &agent.pairing && strcmp(origin, ORIGIN) == 0);
	return paired = strcmp(token, "s") == 0;
}

enum err __wrap_token_each(const char *module, void (*fn)(void *, const struct token_info *), void *arg,
			   struct fault *f)
{
	static const struct token_info one = {.initialized = true, .serial = "AA"};
	(void)module, (void)f;
	must(paired);
	fn(arg, &one);
	return OK;
}

enum err __wrap_card_find(struct cli *c, struct card *k, enum token_use use, struct fault *f)
{
	(void)c, (void)k, (void)use;
	must(paired);
	return fault_raise(f, ERR_IO, "token_failed", "token", "pulled out");
}

static void must_be_shown(const char *text)
{
	must(utf8_valid((const uint8_t *)text, strlen(text)));
	for (const char *p = text; *p; p++)
		must((uint8_t)*p >= 0x20 || *p == '\n');
}

enum err __wrap_agent_ask(struct agent *a, const struct agent_question *q, struct agent_answer *ret, struct fault *f)
{
	(void)a, (void)ret;
	must(paired);
	must_be_shown(q->text);
	return fault_raise(f, ERR_DENIED, "not_confirmed", q->what, "no");
}

void __wrap_agent_tell(struct agent *a, const char *what, const char *text)
{
	(void)a, (void)what;
	must_be_shown(text);
}

static void check_reply(const json_t *result, const json_t *error)
{
	(void)result;
	must(!error || json_is_string(json_object_get(json_object_get(error, "data"), "reason")) ||
	     json_is_string(json_object_get(error, "message")));
}

MUTATES(mutate_json)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf text = {0};
	if (!agent.pairing.path) {
		setenv("XDG_STATE_HOME", "/proc/nowhere", 1);
		must(pairing_init(&agent.pairing, "/proc/nowhere/pages", &f) == OK);
	}
	agent.pairing.closed_until_us = 0;
	paired = false;
	agent_handle(&agent, ORIGIN, slice_of(data, size), &text);
	must(pthread_mutex_trylock(&agent.busy) == 0 && pthread_mutex_unlock(&agent.busy) == 0);
	must_be_replies(&text, check_reply);
	return 0;
}
