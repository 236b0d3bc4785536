/*
 * Laying out a tree and running its ceremonies: shared by `init` and `demo`.
 */
#ifndef HUFU_TOOLS_SETUP_H
#define HUFU_TOOLS_SETUP_H

#include "tools/hufu/cli.h"

struct setup {
	const char *dir;	       /* absolute */
	const char *ca_user, *ra_user; /* NULL: whoever runs this */
	const char *notify_user;       /* with them; NULL: nobody of its own */
	const char *policies;	       /* folder of the bundle to copy */
	const char *algorithm;	       /* of both CA keys: "p256", "rsa-3072" …; NULL: the ceremony files' own */
	struct option_list issuers;    /* PEM files of old issuers to pin */
	const struct secret *passphrase;
	bool quiet;
	bool into_existing; /* the folder may hold other things (the demo's own) */
};
/* The published initial password of imported accounts, as ra.yaml of a new tree says it. */
#define SETUP_INITIAL_PASSWORD "88888888"
extern const char *const setup_officers[]; /* NULL-terminated */

/* The whole of `hufu init`: folders, keys, ceremonies, roster, policy, configuration, genesis. The folder must not
 * exist or be empty. */
MUST_CHECK enum err setup_run(const struct setup *s, struct fault *f);
/* Parts of it: the tree's folders; and who owns which, when there are users. */
bool setup_folder_is_empty(const char *path); /* or not there */
MUST_CHECK enum err setup_folders(const struct setup *s, struct fault *f);
MUST_CHECK enum err setup_give(const struct setup *s, struct fault *f);
/* Default folder of the policies that come with this program. Gives: free(). */
char *setup_policies_dir(void);
/* DIR/home/<name>/<name>.key. Gives: free(). */
char *setup_person_path(const char *dir, const char *name);
/* Writes roster version 1 and the bundle's policy note, each signed by all officers. (setup_notes.c) */
MUST_CHECK enum err setup_notes(const struct setup *s, struct fault *f);

int run_init(struct cli *c, int argc, char **argv);
int run_up(struct cli *c, int argc, char **argv);
int run_demo(struct cli *c, int argc, char **argv);
int run_import(struct cli *c, int argc, char **argv);
int run_backup(struct cli *c, int argc, char **argv);
int run_restore(struct cli *c, int argc, char **argv);

#endif
