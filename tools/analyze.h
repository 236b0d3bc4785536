/*
 * For tools/analyze alone, before each file: what its analyzers cannot see from one file. fault_raise() returns the kind
 * that it is given, so what is returned by it is never OK.
 */
#include "common/base/err.h"

#define fault_raise(f, kind, ...) ((void)(fault_raise)(f, kind, __VA_ARGS__), (enum err)(kind))
