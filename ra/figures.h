/*
 * desk.figures and desk.outlook: what officers and operators look at once a day.
 */
#ifndef HUFU_RA_FIGURES_H
#define HUFU_RA_FIGURES_H

#include "ra/desk.h"

enum err desk_figures(struct ctx *c, json_t **ret, struct fault *f);
enum err desk_outlook(struct ctx *c, json_t **ret, struct fault *f);

#endif
