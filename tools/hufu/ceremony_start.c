/*
 * hufu-ca does what a ceremony does, and this program becomes it: screen, questions and exit code are its own. With --json
 * it is a child that tells what it did as lines, which become one object here; its screen is standard error then.
 */
#include "common/base/file.h"
#include "tools/hufu/ceremony.h"
#include "tools/hufu/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_MAX 65536u

/* The words of `hufu-ca ceremony WORD …`, with room for two more. Gives: free() of the array. */
static const char **words_of(const char *program, const char *word, int argc, char **argv, size_t *ret_n)
{
	const char **words = xcalloc((size_t)argc + 7, sizeof(*words));
	size_t n = 0;
	words[n++] = program;
	words[n++] = "ceremony";
	words[n++] = word;
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	*ret_n = n;
	return words;
}

/* --- with --json --- */

/* "key ab12… path" */
static json_t *output_of(char *line)
{
	char *save = NULL, *what = strtok_r(line, " ", &save), *hash = strtok_r(NULL, " ", &save);
	return json_pack("{s:s?,s:s?,s:s?}", "what", what, "sha256", hash, "path", save);
}

static void take_line(json_t *o, char *line)
{
	char *value = strstr(line, ": ");
	if (!value)
		return;
	*value = '\0';
	value += 2;
	if (strcmp(line, "output") == 0)
		json_array_append_new(json_object_get(o, "outputs"), output_of(value));
	else if (strcmp(line, "written") == 0)
		json_object_set_new(o, line, json_boolean(strcmp(value, "true") == 0));
	else
		json_object_set_new(o, line, json_string(value));
}

/* A failure's object is like every command's. */
static json_t *object_of(char *report, int code)
{
	json_t *o = json_pack("{s:[]}", "outputs");
	char *save = NULL;
	for (char *line = strtok_r(report, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(o, line);
	if (json_array_size(json_object_get(o, "outputs")) == 0)
		json_object_del(o, "outputs");
	if (code == EXIT_DONE)
		return o;
	json_object_set(o, "kind", json_object_get(o, "error"));
	json_object_del(o, "error");
	json_t *error = json_pack("{s:o}", "error", o);
	return error;
}

static int tell(int from, pid_t child)
{
	_cleanup_buf_ struct buf report = {0};
	int status = 0;
	char room[4096];
	for (ssize_t n; (n = read(from, room, sizeof(room))) != 0;) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && report.len + (size_t)n <= REPORT_MAX)
			buf_add(&report, room, (size_t)n);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_ERROR;
	_cleanup_(freep) char *text = xstrdup(buf_text(&report));
	json_t *o = object_of(text, code);
	cli_print_json(o);
	json_decref(o);
	return code;
}

static int start(struct cli *c, const char **words, size_t n)
{
	struct fault f = {0};
	int ends[2];
	if (pipe(ends) != 0) {
		fault_raise(&f, ERR_IO, "pipe", "process", "pipe: %s", strerror(errno));
		return cli_fail(c, &f);
	}
	_cleanup_(freep) char *number = xasprintf("%d", ends[1]);
	words[n++] = "--report-fd";
	words[n++] = number;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(words[0], (char *const *)(uintptr_t)words);
		_exit(EXIT_CONFIG);
	}
	close(ends[1]);
	int code = child > 0 ? tell(ends[0], child) : EXIT_ERROR;
	close(ends[0]);
	return code;
}

/* --- either --- */

static int become(struct cli *c, const char *word, int argc, char **argv)
{
	_cleanup_(freep) char *program = process_program("hufu-ca");
	size_t n;
	_cleanup_(freep) const char **words = words_of(program, word, argc, argv, &n);
	struct fault f = {0};
	if (c->dry_run)
		words[n++] = "--dry-run";
	if (c->json)
		return start(c, words, n);
	fflush(NULL);
	execv(program, (char *const *)(uintptr_t)words);
	fault_raise(&f, ERR_CONFIG, "program_missing", "process", "%s: %s", program, strerror(errno));
	return cli_fail(c, &f);
}

int ceremony_check_command(struct cli *c, int argc, char **argv)
{
	return become(c, "check", argc, argv);
}

int ceremony_rehearse_command(struct cli *c, int argc, char **argv)
{
	return become(c, "rehearse", argc, argv);
}

int ceremony_run_command(struct cli *c, int argc, char **argv)
{
	return become(c, "run", argc, argv);
}

int ceremony_note_command(struct cli *c, int argc, char **argv)
{
	return become(c, "note", argc, argv);
}
