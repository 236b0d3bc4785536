/*
 * Materials and uploads. Each material belongs to an owner, a kind ("request", …) and an id; its bytes are a sealed file in state/materials, named by the row,
 * and the file's key stands in the row, wrapped (vault.h). The row outlives both: what was deleted is still named by hash, and since when.
 */
#ifndef HUFU_RA_STORE_MATERIAL_H
#define HUFU_RA_STORE_MATERIAL_H

#include "common/note/tally.h"
#include "ra/store.h"

#define MATERIAL_KIND_MAX 16
#define MATERIAL_OWNER_MAX 64
#define MATERIAL_FILE 32 /* hex digits of a file's name */
#define MATERIAL_KEY 72  /* bytes of a wrapped key */

struct material_owner {
	char kind[MATERIAL_KIND_MAX], id[MATERIAL_OWNER_MAX + 1];
	int64_t account; /* whose quota it counts for; 0: nobody's */
};
struct material {
	char name[TALLY_WORD];
	uint8_t sha256[32]; /* of the plain bytes */
	int64_t bytes;
	char type[16];
	char file[MATERIAL_FILE + 1]; /* "": in the clear under its hash, from before files were sealed; or deleted */
	uint8_t key[MATERIAL_KEY];
	bool sealed;
	int64_t deleted, damaged; /* since when; 0: not */
};
/* *ret_new false: the owner has these bytes under that name already, and the row stays as it is. */
MUST_CHECK enum err store_material_add(struct db *db, const struct material_owner *o, const struct material *m, int64_t now, bool *ret_new, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_material_get(struct db *db, const struct material_owner *o, const char *name, const uint8_t sha256[32], struct material *ret,
				       struct fault *f);
/* Sorted by name, then hash; at most max (TALLY_MAX_MATERIALS). */
MUST_CHECK enum err store_materials_of(struct db *db, const struct material_owner *o, struct material *ret, size_t max, size_t *ret_n, struct fault *f);
/* The same of a request. */
MUST_CHECK enum err store_materials(struct db *db, const char *request, struct material *ret, size_t max, size_t *ret_n, struct fault *f);
/* Gone without a trace: of drafts alone. */
MUST_CHECK enum err store_material_drop(struct db *db, const struct material_owner *o, const struct material *m, struct fault *f);
/* at 0: it is well again. */
MUST_CHECK enum err store_material_damaged(struct db *db, const struct material_owner *o, const struct material *m, int64_t at, struct fault *f);
MUST_CHECK enum err store_materials_damaged(struct db *db, int64_t *ret, struct fault *f);

/* --- retention -------------------------------------------------------------------------------------------------------------------------------- */

/* From then on the years run: certified, if a certificate came of it. For owners that are no requests; said again, the last word counts. */
MUST_CHECK enum err store_materials_closed(struct db *db, const struct material_owner *o, int64_t at, bool certified, struct fault *f);
/* The same for every request that has become final: from the end of its certificate, else from its last step. */
MUST_CHECK enum err store_materials_close_requests(struct db *db, struct fault *f);
struct material_due {
	struct material_owner owner;
	struct material material;
};
/* Closed at or before those times, and not deleted; at most max. */
MUST_CHECK enum err store_materials_due(struct db *db, int64_t certified, int64_t others, struct material_due *ret, size_t max, size_t *ret_n,
					struct fault *f);
/* Key and file's name go, the rest stays. */
MUST_CHECK enum err store_material_deleted(struct db *db, const struct material_due *due, int64_t now, struct fault *f);

/* --- files -------------------------------------------------------------------------------------------------------------------------------------- */

/* Does a row name that file? Sealed ones by name, those in the clear by hash. */
MUST_CHECK enum err store_material_file(struct db *db, const char *file, bool *ret, struct fault *f);
/* Any that is in the clear still: ERR_NOT_FOUND when none. */
MUST_CHECK enum err store_material_plain(struct db *db, struct material_due *ret, struct fault *f);
MUST_CHECK enum err store_material_sealed(struct db *db, const struct material_due *m, struct fault *f);
/* Is there a key that the material key has wrapped? */
MUST_CHECK enum err store_material_keys(struct db *db, bool *ret, struct fault *f);

/* --- uploads ------------------------------------------------------------------------------------------------------------------------------------ */

struct upload {
	char id[MATERIAL_FILE + 1];
	struct material_owner owner;
	char name[TALLY_WORD];
	uint8_t sha256[32]; /* as the client says */
	int64_t bytes;
	uint8_t key[MATERIAL_KEY];
	int64_t made, dies;
};
MUST_CHECK enum err store_upload_add(struct db *db, const struct upload *u, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_upload_get(struct db *db, const char *id, struct upload *ret, struct fault *f);
/* The same bytes under the same name for the same owner: ERR_NOT_FOUND. */
MUST_CHECK enum err store_upload_find(struct db *db, const struct material_owner *o, const char *name, const uint8_t sha256[32], struct upload *ret,
				      struct fault *f);
MUST_CHECK enum err store_upload_dies(struct db *db, const char *id, int64_t dies, struct fault *f);
/* With its parts. */
MUST_CHECK enum err store_upload_drop(struct db *db, const char *id, struct fault *f);
MUST_CHECK enum err store_uploads_dead(struct db *db, int64_t now, char (*ret)[MATERIAL_FILE + 1], size_t max, size_t *ret_n, struct fault *f);
/* How many uploads the account has open, or that owner when the account is 0; *ret_bytes: of them, and of all materials of what is not closed. */
MUST_CHECK enum err store_upload_quota(struct db *db, const struct material_owner *o, int64_t *ret_open, int64_t *ret_bytes, struct fault *f);

struct upload_part {
	int64_t part; /* from 1 */
	uint8_t sha256[32];
};
/* *ret_new false: that part is there already; with another content: ERR_CONFLICT part_differs. */
MUST_CHECK enum err store_part_add(struct db *db, const char *upload, const struct upload_part *p, bool *ret_new, struct fault *f);
/* By number, at most max. */
MUST_CHECK enum err store_parts(struct db *db, const char *upload, struct upload_part *ret, size_t max, size_t *ret_n, struct fault *f);

#endif
