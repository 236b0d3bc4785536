/*
 * Materials from and to the desk, in parts: what several commands share.
 */
#ifndef HUFU_TOOLS_MATERIAL_H
#define HUFU_TOOLS_MATERIAL_H

#include "tools/hufu/cli.h"

/* owner: "request" or "case", and its id. Uploads a file as its material of that name. Run again after an interruption it goes on where it was; what the desk refuses for its content is given
 * up there. *ret: what the desk says of it. */
MUST_CHECK enum err material_upload(struct cli *c, const char *owner, const char *id, const char *name, const char *path, json_t **ret, struct fault *f);
/* "NAME=FILE", for a request. */
MUST_CHECK enum err material_upload_spec(struct cli *c, const char *request, const char *spec, json_t **ret, struct fault *f);
/* Appends the bytes, all parts; they have that SHA-256, or ERR_CRYPTO material_hash. session: as the owner, else as an officer. */
MUST_CHECK enum err material_download(struct cli *c, const char *owner, const char *id, const char *name, const uint8_t sha256[32], bool session, struct buf *ret,
				      struct fault *f);
/* NAME-xxxxxxxx in dir, 0600; gives *ret_path: free(). */
MUST_CHECK enum err material_save(const char *dir, const char *name, const uint8_t sha256[32], struct slice bytes, char **ret_path, struct fault *f);

#endif
