/*
 * A view is split at its commas, which no project's name has.
 */
#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <string.h>

enum err view_each(const char *view, view_fn *fn, void *arg, struct fault *f)
{
	_cleanup_(freep) char *names = xstrdup(view);
	char *rest = NULL;
	for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		TRY(fn(arg, name, f));
	return fn(arg, VIEW_EVERYBODYS, f);
}
