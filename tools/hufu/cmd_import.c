/*
 * `hufu import`: its options. The work is in import_read.c, import_adopt.c and import_apply.c.
 */
#include "tools/hufu/import.h"
#include "tools/hufu/setup.h"

int run_import(struct cli *c, int argc, char **argv)
{
	struct import_run run = {.project = NULL};
	const struct option_rule rules[] = {{.name = "--officer", .many = &run.officer_keys},
					    {.name = "--crl", .many = &run.crls},
					    {.name = "--project", .value = &run.project},
					    {.name = "--profile", .value = &run.profile},
					    {0}};
	const struct command *cmd = cli_command(commands_setup, run_import);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	int rc = EXIT_CONFIG;
	import_progress_open(&run.progress);
	struct import_file file = {0};
	if (run.officer_keys.n == 0 && !c->dry_run)
		cli_usage(cmd, "--officer KEY is missing: the adoption note wants a quorum of officers");
	else if (cli_load(c, &f) != OK || import_read(argv[1], &run.progress, &file, &f) != OK)
		rc = cli_fail(c, &f);
	else
		rc = import_apply(c, &run, &file);
	import_done(&file);
	option_list_done(&run.officer_keys);
	option_list_done(&run.crls);
	return rc;
}
