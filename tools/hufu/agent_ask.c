/*
 * The person's yes, and what only the person knows. On the terminal that the agent was started in; or by a program of one's own, which opens a
 * window: it is run with a word for what is asked and a word for each answer that is wanted besides, reads the text on standard input, and
 * writes "yes" and those answers, a line each. What a page says never stands for an answer.
 */
#include "tools/hufu/agent.h"

#include <string.h>

#define PIN_MAX 255
#define ANSWER_MAX 1024

void agent_answer_done(struct agent_answer *a)
{
	secret_done(&a->pin);
	secret_done(&a->new_pin);
	secret_done(&a->characters);
}

static enum err refused(const struct agent_question *q, struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "not_confirmed", q->what,
			   "the answer at the agent was not \"yes\": nothing was done");
}

/* --- on the terminal --- */

static enum err at_terminal(const struct agent_question *q, struct agent_answer *ret, struct fault *f)
{
	fprintf(stderr, "\n%s\n", q->text);
	if (!cli_confirm("%s", q->asks))
		return refused(q, f);
	if (q->pin)
		TRY(secret_prompt("PIN: ", false, PIN_MAX, &ret->pin, f));
	if (q->new_pin)
		TRY(secret_prompt("New PIN: ", true, PIN_MAX, &ret->new_pin, f));
	if (q->characters)
		TRY(secret_prompt("The ten characters of the key: ", false, PIN_MAX, &ret->characters, f));
	return OK;
}

/* --- by a program --- */

static enum err next_line(const struct secret *all, size_t *at, const char *name, struct secret *ret, struct fault *f)
{
	size_t from = *at;
	const uint8_t *end = from < all->n ? memchr(all->p + from, '\n', all->n - from) : NULL;
	size_t n = (end ? (size_t)(end - all->p) : all->n) - from;
	if (from >= all->n || n == 0 || n > PIN_MAX)
		return fault_raise(f, ERR_CONFIG, "prompt_program", name,
				   "the prompt program gave no line for \"%s\", or one of over %d bytes", name,
				   PIN_MAX);
	secret_alloc(ret, n);
	memcpy(ret->p, all->p + from, n);
	*at = from + n + 1;
	return OK;
}

static enum err by_program(const struct agent *a, const struct agent_question *q, struct agent_answer *ret,
			   struct fault *f)
{
	static const char yes[] = "yes\n";
	const char *words[5] = {q->what};
	size_t n = 1, at = strlen(yes);
	_cleanup_secret_ struct secret all = {0};
	_cleanup_(freep) char *text = xasprintf("%s\n%s\n", q->text, q->asks);
	if (q->pin)
		words[n++] = "pin";
	if (q->new_pin)
		words[n++] = "new-pin";
	if (q->characters)
		words[n++] = "characters";
	TRY(agent_run(a->program, words, text, ANSWER_MAX, &all, f));
	if (all.n < strlen(yes) || memcmp(all.p, yes, strlen(yes)) != 0)
		return refused(q, f);
	if (q->pin)
		TRY(next_line(&all, &at, "pin", &ret->pin, f));
	if (q->new_pin)
		TRY(next_line(&all, &at, "new-pin", &ret->new_pin, f));
	return q->characters ? next_line(&all, &at, "characters", &ret->characters, f) : OK;
}

enum err agent_ask(struct agent *a, const struct agent_question *q, struct agent_answer *ret, struct fault *f)
{
	atomic_store(&a->asking, true);
	enum err e = a->program ? by_program(a, q, ret, f) : at_terminal(q, ret, f);
	atomic_store(&a->asking, false);
	return e;
}

void agent_tell(struct agent *a, const char *what, const char *text)
{
	if (a->program)
		agent_run_aside(a->program, (const char *[]){what, NULL}, text);
	else
		fprintf(stderr, "\n%s", text);
}
