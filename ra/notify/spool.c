/*
 * The road that needs nobody: what the desk does by itself when no notifier takes its messages.
 */
#include "ra/notify/spool.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <string.h>

struct outcome spool_send(const char *folder, const struct notice *n, bool mail)
{
	_cleanup_(freep) char *name = xasprintf("%s.json", n->id), *path = path_join(folder, name);
	_cleanup_(json_freep) json_t *o =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", n->id, "channel", mail ? "mail" : "sms", "to", n->to,
			  "text", n->text, "made", UTC(n->made), "dies", UTC(n->dies));
	struct fault f = {0};
	if (mail)
		json_object_set_new(o, "subject", json_string(n->subject));
	char *text = json_dumps(o, JSON_INDENT(2));
	enum err e = file_write(path, slice_str(text), 0600, &f);
	explicit_bzero(text, strlen(text));
	free(text);
	if (e == OK)
		return outcome_make(OUTCOME_SENT, false, n, "", "");
	return outcome_make(OUTCOME_LATER, true, n, "the spool cannot be written", f.rule);
}
