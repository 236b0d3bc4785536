/*
 * Log: one key=value line each to stderr with journal level prefixes ("<6>"), never a secret.
 */
#ifndef HUFU_BASE_LOG_H
#define HUFU_BASE_LOG_H

#include "common/base/err.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* program: the word that each line carries as prog=. Prefixes are left out when stderr is a terminal. */
void log_init(const char *program, enum log_level max_level);
/* The level alone; other threads may be logging. */
void log_set_level(enum log_level max_level);

/* event is one word; fmt yields further key=value pairs, values from outside through log_quote(). */
void log_event(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same at notice level with audit=1: who did what to what. */
void log_audit(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A fault as one line: event, err=, rule=, where=, text=. */
void log_fault(enum log_level level, const char *event, const struct fault *f);
/* "value" in double quotes with ", \ and control bytes escaped. Returns ret. */
const char *log_quote(const char *value, char *ret, size_t size);
#define LQ(s) log_quote((s), (char[256]){0}, 256)

#endif
