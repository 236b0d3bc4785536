/*
 * The schema, as migrations that are only ever appended: ra/schema/NNN-topic.sql, in the order of their numbers.
 */
#include "ra/store_schema.h"

static const char m001[] =
#include "ra/schema/001-desk.inc"
	;
static const char m002[] =
#include "ra/schema/002-identifier.inc"
	;
static const char m003[] =
#include "ra/schema/003-kinds.inc"
	;
static const char m004[] =
#include "ra/schema/004-account.inc"
	;
static const char m005[] =
#include "ra/schema/005-order.inc"
	;
static const char m006[] =
#include "ra/schema/006-material.inc"
	;
static const char m007[] =
#include "ra/schema/007-review.inc"
	;
static const char m008[] =
#include "ra/schema/008-status.inc"
	;
static const char m017[] =
#include "ra/schema/017-record.inc"
	;
static const char m020[] =
#include "ra/schema/020-token.inc"
	;
static const char m021[] =
#include "ra/schema/021-work.inc"
	;
static const char m022[] =
#include "ra/schema/022-parcel.inc"
	;
static const char m023[] =
#include "ra/schema/023-notice.inc"
	;
static const char m024[] =
#include "ra/schema/024-scale.inc"
	;
static const char m025[] =
#include "ra/schema/025-unlock.inc"
	;
static const char m026[] =
#include "ra/schema/026-pages.inc"
	;
static const char m070[] =
#include "ra/schema/070-lost.inc"
	;
static const char m071[] =
#include "ra/schema/071-queue.inc"
	;
static const char m072[] =
#include "ra/schema/072-rows.inc"
	;
static const char m073[] =
#include "ra/schema/073-parcels.inc"
	;
static const char m100[] =
#include "ra/schema/100-moves.inc"
	;
static const char m101[] =
#include "ra/schema/101-overdue.inc"
	;
static const char m102[] =
#include "ra/schema/102-view.inc"
	;
static const char m120[] =
#include "ra/schema/120-figures.inc"
	;
static const char m140[] =
#include "ra/schema/140-projects.inc"
	;
static const char m150[] =
#include "ra/schema/150-narrow.inc"
	;
static const char m151[] =
#include "ra/schema/151-calls.inc"
	;
static const char m170[] =
#include "ra/schema/170-steps.inc"
	;
static const char m171[] =
#include "ra/schema/171-services.inc"
	;
static const char m172[] =
#include "ra/schema/172-pending.inc"
	;

const char *const store_migrations[] = {m001, m002, m003, m004, m005, m006, m007, m008, m017, m020,
					m021, m022, m023, m024, m025, m026, m070, m071, m072, m073,
					m100, m101, m102, m120, m140, m150, m151, m170, m171, m172};
const size_t store_n_migrations = sizeof(store_migrations) / sizeof(store_migrations[0]);
