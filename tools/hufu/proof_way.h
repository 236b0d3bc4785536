/*
 * How a subscriber's signature comes about when no key lies in a file: a token makes it, or another tool has made it. Both are held
 * against the public key before they go to the desk.
 */
#ifndef HUFU_TOOLS_PROOF_WAY_H
#define HUFU_TOOLS_PROOF_WAY_H

#include "tools/hufu/proof.h"
#include "common/token/token.h"

struct proof_way {
	struct token_choice choice;
	const char *pin_fd;
	struct option_list signatures;
	bool raw_ecdsa;
	struct secret pin; /* outlives the token's session */
	struct token *token;
};
void proof_way_done(struct proof_way *w); /* accepts the zero state */
/* The options of both, as entries of a table of option rules. */
#define PROOF_WAY_RULES(w)                                                                                             \
	{.name = "--token", .value = &(w)->choice.label}, {.name = "--token-uri", .value = &(w)->choice.uri},          \
		{.name = "--module", .value = &(w)->choice.module}, {.name = "--pin-fd", .value = &(w)->pin_fd},       \
		{.name = "--signature", .many = &(w)->signatures}, {.name = "--raw-ecdsa", .flag = &(w)->raw_ecdsa}
/* EXIT_DONE, or a usage error was printed: the words do not fit together. */
int proof_way_words(const struct command *cmd, const struct proof_way *w);
bool proof_way_on_token(const struct proof_way *w);
/* Finds and opens the token, where one is named; before the holder is asked whether to sign. token_open()'s errors. */
MUST_CHECK enum err proof_way_open(struct proof_way *w, struct fault *f);
/* Signs by each of the set's keys that the token holds, and adds the lines. ERR_RULE proof_unwanted: the set has no key. ERR_NOT_FOUND
 * key_not_on_token: it holds none. */
MUST_CHECK enum err proof_way_sign(const struct cli *c, struct proof_way *w, struct proof_set *proof, struct fault *f);
/* The same by a token whose holder is logged in already. */
MUST_CHECK enum err proof_sign(const struct cli *c, struct token *t, struct proof_set *proof, struct fault *f);
/* Adds the lines of the signature files, each under the key where it holds. ERR_PARSE signature_form; ERR_CRYPTO signature_wrong. */
MUST_CHECK enum err proof_way_take(const struct proof_way *w, struct proof_set *proof, struct fault *f);

#endif
