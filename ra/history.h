/*
 * The history of a request in plain words.
 */
#ifndef HUFU_RA_HISTORY_H
#define HUFU_RA_HISTORY_H

#include "ra/desk.h"

/* {at, event, from, to, who, detail, zh, en}: for programs, and a sentence for people. */
json_t *history_json(const struct history_item *item);

#endif
