/*
 * `hufu ledger resume` (cmd_resume.c), which stands in the table of cmd_ledger.c.
 */
#ifndef HUFU_TOOLS_RESUME_H
#define HUFU_TOOLS_RESUME_H

#include "tools/hufu/cli.h"

int run_resume(struct cli *c, int argc, char **argv);

#endif
