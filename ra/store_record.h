/*
 * What the desk's record says of an organisation, and the recoveries of a certificate.
 */
#ifndef HUFU_RA_STORE_RECORD_H
#define HUFU_RA_STORE_RECORD_H

#include "ra/store_request.h"

#define REPRESENTATIVE_MAX 128
/* "" when nobody has said. */
MUST_CHECK enum err store_representative(struct db *db, int64_t account, char ret[REPRESENTATIVE_MAX + 1], struct fault *f);
MUST_CHECK enum err store_representative_set(struct db *db, int64_t account, const char *name, int64_t at, const char *request,
					     struct fault *f);
/* The newest recovery of the certificate that was not withdrawn: its number and state. ERR_NOT_FOUND. */
MUST_CHECK enum err store_recovery(struct db *db, int64_t cert, char number[COURSE_NUMBER_MAX + 1], char state[20],
				   struct fault *f);

#endif
