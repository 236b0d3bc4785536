/*
 * material.*: files that people bring, for whatever they belong to; taken in one call or in parts, kept sealed, handed out with an audit row, and deleted when
 * their time is over.
 *
 * A material belongs to an owner: a kind and an id. To let materials belong to another kind of object (a case at the desk, a waiver, a recovery):
 *   1. write its three functions below and add a row to kinds[] in material_owner.c; the row's word is the kind, and the name of the parameter that carries the
 *      object's id in material.begin, .put, .get and .remove: add that parameter to ra/api_material.c;
 *   2. read what it has by store_materials_of() (store_material.h);
 *   3. say when its matter is over by store_materials_closed(), or its materials are kept for good.
 * Uploads, quotas, checks of content, sealing, downloads and deletion need nothing more. An owner without an account (account 0) has a quota of its own.
 */
#ifndef HUFU_RA_MATERIAL_H
#define HUFU_RA_MATERIAL_H

#include "ra/desk.h"
#include "ra/vault.h"

#define MATERIAL_PART (512u * 1024u)        /* plain bytes of each part but the last */
#define MATERIAL_MAX (20u * 1024u * 1024u)
#define MATERIAL_PARTS (MATERIAL_MAX / MATERIAL_PART)
#define MATERIAL_OPEN_MAX 8                  /* uploads under way, of one account */
#define MATERIAL_ACCOUNT_MAX (1024ll << 20)  /* bytes of one account's uploads, and of its materials in matters that are not over */

enum err material_begin(struct ctx *c, json_t **ret, struct fault *f);
enum err material_part(struct ctx *c, json_t **ret, struct fault *f);
enum err material_finish(struct ctx *c, json_t **ret, struct fault *f);
enum err material_abandon(struct ctx *c, json_t **ret, struct fault *f);
enum err material_put(struct ctx *c, json_t **ret, struct fault *f);
enum err material_get(struct ctx *c, json_t **ret, struct fault *f);
enum err material_remove(struct ctx *c, json_t **ret, struct fault *f);

/* --- owners (material_owner.c) ---------------------------------------------------------------------------------------------------------------------- */

struct material_kind {
	const char *word;
	size_t max; /* materials of one owner */
	/* May this call add or remove materials of that name now? In: o->id. Out: o->id as it stands in the store, o->account. What is not the caller's is
	 * not found. */
	enum err (*may_change)(struct ctx *c, struct material_owner *o, const char *name, struct fault *f);
	/* May this call read them? */
	enum err (*may_read)(struct ctx *c, struct material_owner *o, struct fault *f);
	/* One has come or gone, in this transaction; may_change() has just said yes. */
	enum err (*changed)(struct ctx *c, const struct material_owner *o, const char *name, struct fault *f);
};
/* The owner that the parameters name: o->kind and o->id. ERR_PARSE owner_missing. */
MUST_CHECK enum err material_owner_param(const struct ctx *c, struct material_owner *ret, const struct material_kind **ret_kind, struct fault *f);
/* The kind of a stored owner; NULL for a word of a newer program. */
const struct material_kind *material_kind(const char *word);

/* --- taking (material.c): what put and finish share --------------------------------------------------------------------------------------------------- */

struct arrival {
	struct material_owner owner;
	const struct material_kind *kind;
	struct material material;
	struct buf plain;
	bool stored, kept;               /* its file is written; a row names it */
	char upload[MATERIAL_FILE + 1];  /* that it came by; "": none */
};
void arrival_done(struct arrival *a);
/* A file in base64 (the parameter content) that came in one call: plain bytes and hash. ERR_PARSE material_content, ERR_LIMIT material_size. */
MUST_CHECK enum err arrival_decode(struct arrival *a, const char *content, struct fault *f);
/* In a snapshot: may this owner take one more of that name? Also ERR_LIMIT materials. */
MUST_CHECK enum err arrival_check(struct ctx *c, struct arrival *a, struct fault *f);
/* Looks at the bytes, seals them into a file. */
MUST_CHECK enum err arrival_store(struct ctx *c, struct arrival *a, struct fault *f);
/* In the transaction: row, owner, audit; gives the answer. */
MUST_CHECK enum err arrival_keep(struct ctx *c, struct arrival *a, json_t **ret, struct fault *f);

/* Name, SHA-256, type, bytes. Gives. */
json_t *material_json(const struct material *m);

/* --- keeping (material_keep.c) -------------------------------------------------------------------------------------------------------------------------- */

/* Opens the vault; removes what no row names; seals what is in the clear from before. Once, with nobody else at the store. */
MUST_CHECK enum err material_open(struct desk *d, struct fault *f);
/* Removes uploads that nobody goes on with, and materials whose time is over. */
MUST_CHECK enum err material_sweep(struct desk *d, int64_t now, struct fault *f);
/* How many stored files were found altered or missing and not right again since. */
MUST_CHECK enum err material_worries(struct ctx *c, int64_t *ret, struct fault *f);

#endif
