/*
 * The command line of `hufu-ca ceremony`.
 */
#ifndef HUFU_CA_CEREMONY_COMMAND_H
#define HUFU_CA_CEREMONY_COMMAND_H

#include "common/base/err.h"

/* argv[0] is "ceremony". */
MUST_CHECK enum err ceremony_command(int argc, char **argv, struct fault *f);

#endif
