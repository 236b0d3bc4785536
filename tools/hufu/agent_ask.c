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
	secret_done(&a->code);
	secret_done(&a->passphrase);
}

static enum err refused(const struct agent_question *q, struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "not_confirmed", q->what,
			   "the answer at the agent was not \"yes\": nothing was done");
}

/* What may be wanted besides the yes, in this order. */
#define ANSWERS 5
struct wanted {
	bool is;
	const char *word, *prompt;
	bool twice; /* typed by hand */
	struct secret *to;
};
static void wanted_of(const struct agent_question *q, struct agent_answer *a, struct wanted ret[ANSWERS])
{
	ret[0] = (struct wanted){q->pin, "pin", "PIN: ", false, &a->pin};
	ret[1] = (struct wanted){q->new_pin, "new-pin", "New PIN: ", true, &a->new_pin};
	ret[2] = (struct wanted){q->characters, "characters", "The ten characters of the key: ", false, &a->characters};
	ret[3] = (struct wanted){q->code, "code", "The code that the holder of the token said to you: ", false,
				 &a->code};
	ret[4] = (struct wanted){q->passphrase != NULL, "passphrase", q->passphrase, false, &a->passphrase};
}

/* --- on the terminal --- */

static enum err at_terminal(const struct agent_question *q, struct agent_answer *ret, struct fault *f)
{
	struct wanted w[ANSWERS];
	wanted_of(q, ret, w);
	fprintf(stderr, "\n%s\n", q->text);
	if (!cli_confirm("%s", q->asks))
		return refused(q, f);
	for (size_t i = 0; i < ANSWERS; i++)
		if (w[i].is)
			TRY(secret_prompt(w[i].prompt, w[i].twice, PIN_MAX, w[i].to, f));
	return OK;
}

/* --- by a program --- */

static enum err next_line(const struct secret *all, size_t *at, const struct wanted *w, struct fault *f)
{
	size_t from = *at;
	const uint8_t *end = from < all->n ? memchr(all->p + from, '\n', all->n - from) : NULL;
	size_t n = (end ? (size_t)(end - all->p) : all->n) - from;
	if (from >= all->n || n == 0 || n > PIN_MAX)
		return fault_raise(f, ERR_CONFIG, "prompt_program", w->word,
				   "the prompt program gave no line for \"%s\", or one of over %d bytes", w->word,
				   PIN_MAX);
	secret_alloc(w->to, n);
	memcpy(w->to->p, all->p + from, n);
	*at = from + n + 1;
	return OK;
}

static enum err by_program(const struct agent *a, const struct agent_question *q, struct agent_answer *ret,
			   struct fault *f)
{
	static const char yes[] = "yes\n";
	struct wanted w[ANSWERS];
	const char *words[ANSWERS + 2] = {q->what};
	size_t n = 1, at = strlen(yes);
	_cleanup_secret_ struct secret all = {0};
	_cleanup_(freep) char *text = xasprintf("%s\n%s\n", q->text, q->asks);
	wanted_of(q, ret, w);
	for (size_t i = 0; i < ANSWERS; i++)
		if (w[i].is)
			words[n++] = w[i].word;
	TRY(agent_run(a->program, words, text, ANSWER_MAX, &all, f));
	if (all.n < strlen(yes) || memcmp(all.p, yes, strlen(yes)) != 0)
		return refused(q, f);
	for (size_t i = 0; i < ANSWERS; i++)
		if (w[i].is)
			TRY(next_line(&all, &at, &w[i], f));
	return OK;
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
