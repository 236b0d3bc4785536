/*
 * project.*
 */
#ifndef HUFU_RA_PROJECT_H
#define HUFU_RA_PROJECT_H

#include "ra/desk.h"

enum err project_search(struct ctx *c, json_t **ret, struct fault *f);
enum err project_show(struct ctx *c, json_t **ret, struct fault *f);

#endif
