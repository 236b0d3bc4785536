/*
 * `hufu init`: one tree for one person on one machine, or for two Unix users when root lays it out. Every key is born
 * in its place; the CA keys by `hufu-ca ceremony`, from the ceremony files that are copied into the tree. Next file to
 * read: setup_notes.c.
 */
#include "tools/hufu/setup.h"
#include "tools/hufu/escrow.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/policy/policy.h"
#include "tools/hufu/process.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

const char *const setup_officers[] = {"alice", "bob", "carol", NULL};
#define OPERATOR "operator"
#define RA_NAME "ra-1"

char *setup_policies_dir(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	const char *dir = dirname(self);
	char *installed = xasprintf("%s/../share/hufu/policies", dir);
	if (access(installed, R_OK) == 0)
		return installed;
	free(installed);
	return xasprintf("%s/../../policies", dir);
}

char *setup_person_path(const char *dir, const char *name)
{
	return xasprintf("%s/home/%s/%s.key", dir, name, name);
}

bool setup_folder_is_empty(const char *path)
{
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT;
	size_t n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n <= 2;
}

struct folder {
	const char *path;
	unsigned mode;
};
static const struct folder folders[] = {
	{".", 0755},
	{"etc/hufu", 0755},
	{"etc/hufu/policies", 0755},
	{"etc/hufu/ceremonies", 0755},
	{"var/lib", 0755},
	{"var/log", 0755},
	{"var/lib/hufu-ca", 0700},
	{"var/lib/hufu-ra", 0700},
	{"var/lib/hufu-notify", 0700},
	{"var/lib/hufu-gate", 0700},
	{"run/hufu", 0755},
	{"home", 0700},
	{"run/hufu/ca", 02750},
	{"run/hufu/operator", 02750},
	{"run/hufu/ra", 02755},
};

enum err setup_folders(const struct setup *s, struct fault *f)
{
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		_cleanup_(freep) char *path = path_join(s->dir, folders[i].path);
		TRY(dir_make(path, folders[i].mode & 0777, f));
		if (chmod(path, folders[i].mode) != 0)
			return fault_raise(f, ERR_IO, "chmod", "setup", "%s: %s", path, strerror(errno));
	}
	return OK;
}

static enum err make_person(const struct setup *s, const char *name, const char *path, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_(freep) char *copy = xstrdup(path);
	(void)s;
	TRY(dir_make(dirname(copy), 0700, f));
	TRY(person_key_generate(name, &k, f));
	return person_key_save(&k, path, NULL, f);
}

static enum err make_people(const struct setup *s, struct fault *f)
{
	for (const char *const *name = setup_officers; *name; name++) {
		_cleanup_(freep) char *path = setup_person_path(s->dir, *name);
		TRY(make_person(s, *name, path, f));
	}
	_cleanup_(freep) char *op = setup_person_path(s->dir, OPERATOR);
	TRY(make_person(s, OPERATOR, op, f));
	_cleanup_(freep) char *ra = path_join(s->dir, "var/lib/hufu-ra/ra.key");
	return make_person(s, RA_NAME, ra, f);
}

/* The bundle's files, and the old issuers to pin. */
static enum err copy_policies(const struct setup *s, struct fault *f)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	enum err e = OK;
	TRY(policy_read_dir(s->policies, &files, &n, f));
	for (size_t i = 0; i < n && e == OK; i++) {
		_cleanup_(freep) char *to = xasprintf("%s/etc/hufu/policies/%s", s->dir, files[i].path),
				      *dir = xstrdup(to);
		e = dir_make(dirname(dir), 0755, f);
		if (e == OK)
			e = file_write_new(to, buf_slice(&files[i].bytes), 0644, f);
	}
	policy_sources_done(files, n);
	for (size_t i = 0; i < s->issuers.n && e == OK; i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_(freep) char *dir = path_join(s->dir, "etc/hufu/policies/issuers"),
				      *to = xasprintf("%s/old-%zu.crt", dir, i + 1);
		TRY(dir_make(dir, 0755, f));
		TRY(file_read(s->issuers.v[i], 65536, &b, f));
		e = file_write_new(to, buf_slice(&b), 0644, f);
	}
	return e;
}

/* What `hufu init --algorithm` takes, and how a ceremony file says it. */
static const struct {
	const char *word, *ceremony;
} algorithms[] = {
	{"p256", "p256"},
	{"p384", "p384"},
	{"ed25519", "ed25519"},
	{"sm2", "sm2"},
	{"rsa", "rsa, bits: 2048"},
	{"rsa-3072", "rsa, bits: 3072"},
	{"rsa-4096", "rsa, bits: 4096"},
};

static enum err algorithm_find(const char *word, const char **ret, struct fault *f)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (strcmp(algorithms[i].word, word) == 0) {
			*ret = algorithms[i].ceremony;
			return OK;
		}
	return fault_raise(f, ERR_CONFIG, "algorithm_unknown", "--algorithm",
			   "found \"%s\", wanted p256, p384, ed25519, sm2, rsa, rsa-3072 or rsa-4096",
			   ESC(word, strlen(word)));
}

/* What stands in the shipped file (with `len` bytes behind it) goes, and `with` comes in its place. */
static enum err replace(struct buf *text, const char *key, size_t len, const char *with, const char *from,
			struct fault *f)
{
	const char *at = strstr(buf_text(text), key);
	struct buf out = {0};
	if (!at || strlen(at) < strlen(key) + len)
		return fault_raise(f, ERR_CONFIG, "ceremony_unplaced", "ceremony",
				   "%s: found no \"%s\" to put %s in the place of", from, key, with);
	buf_add(&out, text->data, (size_t)(at - buf_text(text)));
	buf_fmt(&out, "%s%s", with, at + strlen(key) + len);
	buf_done(text);
	*text = out;
	return OK;
}

/* Dates are absolute in a ceremony file: those of the day of the init, as long as the shipped file's. */
static enum err place_dates(struct buf *text, const char *from, struct fault *f)
{
	static const char *const spans[][2] = {{"not_before: ", "not_after: "}, {"this_update: ", "next_update: "}};
	for (size_t i = 0; i < 2; i++) {
		const char *begin = strstr(buf_text(text), spans[i][0]), *end = strstr(buf_text(text), spans[i][1]);
		int64_t was, until, now = clock_now();
		if (!begin || !end || !time_parse_utc(begin + strlen(spans[i][0]), TIME_TEXT - 1, &was) ||
		    !time_parse_utc(end + strlen(spans[i][1]), TIME_TEXT - 1, &until))
			continue;
		struct civil a = time_civil(was), b = time_civil(until);
		int months = 12 * (b.year - a.year) + b.month - a.month;
		_cleanup_(freep) char *first = xasprintf("%s%s", spans[i][0], UTC(now)),
				      *last = xasprintf("%s%s", spans[i][1], UTC(time_add_months(now, months)));
		TRY(replace(text, spans[i][0], TIME_TEXT - 1, first, from, f));
		TRY(replace(text, spans[i][1], TIME_TEXT - 1, last, from, f));
	}
	return OK;
}

/* A ceremony file of the bundle's folder, with today's dates and the key algorithm chosen, copied into the tree. */
static enum err copy_ceremony(const struct setup *s, const char *name, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(freep) char *from = xasprintf("%s/ceremonies/%s.yaml", s->policies, name),
			      *to = xasprintf("%s/etc/hufu/ceremonies/%s.yaml", s->dir, name), *line = NULL;
	const char *algorithm = NULL;
	TRY(file_read(from, 65536, &b, f));
	TRY(place_dates(&b, from, f));
	if (s->algorithm) {
		TRY(algorithm_find(s->algorithm, &algorithm, f));
		line = xasprintf("algorithm: %s", algorithm);
		TRY(replace(&b, "algorithm: p256", 0, line, from, f));
	}
	return file_write_new(to, buf_slice(&b), 0644, f);
}

static enum err run_ceremony(const struct setup *s, const char *name, struct fault *f)
{
	TRY(copy_ceremony(s, name, f));
	_cleanup_(freep) char *program = process_program("hufu-ca"),
			      *file = xasprintf("%s/etc/hufu/ceremonies/%s.yaml", s->dir, name);
	_cleanup_(freep) char *key = setup_person_path(s->dir, OPERATOR);
	const char *argv[] = {program, "ceremony",	 "run", "--yes",	   file, "--dir",
			      s->dir,  "--operator-key", key,	"--passphrase-fd", "3",	 NULL};
	_cleanup_(freep) char *log = path_join(s->dir, "var/log/setup.log");
	return process_run(&(struct process_spec){.argv = argv,
						  .secret = s->passphrase,
						  .stdout_path = log,
						  .stderr_path = s->quiet ? log : NULL},
			   f);
}

static enum err run_genesis(const struct setup *s, struct fault *f)
{
	_cleanup_(freep) char *program = process_program("hufu-ca"), *config = path_join(s->dir, "etc/hufu/ca.yaml"),
			      *roster = path_join(s->dir, "etc/hufu/roster.note"),
			      *policies = path_join(s->dir, "etc/hufu/policies");
	const char *argv[] = {program, "genesis", "--config", config, "--roster", roster, "--policies", policies, NULL};
	_cleanup_(freep) char *log = path_join(s->dir, "var/log/setup.log");
	return process_run(
		&(struct process_spec){.argv = argv, .user = s->ca_user, .stderr_path = s->quiet ? log : NULL}, f);
}

/* The public half of the log key, which genesis has made, where everybody finds it. */
static enum err publish_log_key(const struct setup *s, struct fault *f)
{
	_cleanup_buf_ struct buf vkey = {0};
	_cleanup_(freep) char *from = path_join(s->dir, "var/lib/hufu-ca/log.vkey"),
			      *to = path_join(s->dir, "etc/hufu/log.vkey");
	TRY(file_read(from, 1024, &vkey, f));
	return file_write_new(to, buf_slice(&vkey), 0644, f);
}

static enum err uid_of(const char *user, uid_t *ret_uid, gid_t *ret_gid, struct fault *f)
{
	struct passwd pw, *found = NULL;
	char scratch[4096];
	*ret_uid = geteuid();
	*ret_gid = getegid();
	if (!user)
		return OK;
	if (getpwnam_r(user, &pw, scratch, sizeof scratch, &found) != 0 || !found)
		return fault_raise(f, ERR_CONFIG, "user_unknown", "user", "no Unix user \"%s\"", user);
	*ret_uid = pw.pw_uid;
	*ret_gid = pw.pw_gid;
	return OK;
}

static enum err write_config(const struct setup *s, const char *name, const struct buf *text, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/etc/hufu/%s", s->dir, name);
	return file_write_new(path, buf_slice(text), 0644, f);
}

/* The desk's calendar comes with the policies, beside the bundle: no signature hangs on a holiday. */
static enum err copy_calendar(const struct setup *s, bool *ret_there, struct fault *f)
{
	_cleanup_(freep) char *from = path_join(s->policies, "calendar.yaml");
	_cleanup_buf_ struct buf text = {0};
	*ret_there = file_exists(from);
	if (!*ret_there)
		return OK;
	TRY(file_read(from, 65536, &text, f));
	return write_config(s, "calendar.yaml", &text, f);
}

/* The secret half is an officer's; what is sealed to the other half, the desk keeps. */
static enum err make_token_key(const struct setup *s, struct fault *f)
{
	_cleanup_(escrow_done) struct escrow_key key = {0};
	_cleanup_(freep) char *secret = xasprintf("%s/home/%s/token.key", s->dir, setup_officers[0]),
			      *public = xasprintf("%s.pub", secret);
	_cleanup_buf_ struct buf text = {0};
	TRY(escrow_make(secret, NULL, &key, f));
	TRY(file_read(public, 1024, &text, f));
	return write_config(s, "token.pub", &text, f);
}

static const char notifier_yaml[] =
	"# Sends messages to people, when ra.yaml says notices: {by: notifier}. Relative paths start three folders "
	"above this file.\n"
	"desk_socket: run/hufu/ra/desk.sock\nstate: var/lib/hufu-notify\n"
	"# Files in state/spool/, until a gateway and a server are named: hufu-notifier(8).\n"
	"sms: {by: spool}\nmail: {by: spool}\n";

/* Who may ask the desk for messages: a user of its own, or whoever may do everything here. */
static enum err add_notifier(const struct setup *s, struct buf *ra, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	uid_t uid;
	gid_t gid;
	buf_str(&text, notifier_yaml);
	TRY(write_config(s, "notifier.yaml", &text, f));
	if (s->notify_user) {
		TRY(uid_of(s->notify_user, &uid, &gid, f));
		buf_fmt(ra, "  - uid: %u\n    roles: [notifier]\n", (unsigned)uid);
	}
	buf_str(ra, "# Uncomment it for hufu-notifier(8): else messages become files in state/spool/.\n"
		    "# notices: {by: notifier}\n");
	return OK;
}

static const char gate_yaml[] =
	"# The gate: OCSP, CRLs and status over HTTP, hufu-gate(8). Relative paths start three folders above this "
	"file.\n"
	"role: status\ndesk_socket: run/hufu/ra/desk.sock\nstate: var/lib/hufu-gate\n"
	"log_key: etc/hufu/log.vkey\nissuer: etc/hufu/issuing.crt\nroot_certificate: etc/hufu/root.crt\n"
	"listen: 127.0.0.1:8080\nmetrics: 127.0.0.1:8081\n"
	"# Without a key that the roster lists, OCSP says tryLater.\n"
	"# responder: {keys: [etc/hufu/ocsp.key]}\n"
	"# The root's CRL, when a ceremony has made one: it is served, and a CA on it takes its certificates along.\n"
	"# root_crl: etc/hufu/root.crl\n";

static const char portal_yaml[] =
	"# The gate again, as the portal: pages for subscribers. hufu-gate(8). It holds no key.\n"
	"role: portal\ndesk_socket: run/hufu/ra/desk.sock\nlisten: 127.0.0.1:8082\nmetrics: 127.0.0.1:8083\n"
	"# As the browser's address bar has it. Behind a proxy: https://portal.example.cn, and whose word counts for where\n"
	"# a person is.\n"
	"origins: [\"http://127.0.0.1:8082\"]\n"
	"# portal: {address_header: X-Real-IP}\n";

static enum err add_gate(const struct setup *s, struct fault *f)
{
	_cleanup_buf_ struct buf gate = {0}, portal = {0};
	buf_str(&gate, gate_yaml);
	buf_str(&portal, portal_yaml);
	TRY(write_config(s, "gate.yaml", &gate, f));
	return write_config(s, "portal.yaml", &portal, f);
}

static enum err write_configs(const struct setup *s, struct fault *f)
{
	_cleanup_buf_ struct buf ca = {0}, ra = {0}, hufu = {0};
	uid_t ra_uid;
	gid_t ra_gid;
	bool calendar = false;
	TRY(uid_of(s->ra_user, &ra_uid, &ra_gid, f));
	TRY(copy_calendar(s, &calendar, f));
	TRY(make_token_key(s, f));
	buf_fmt(&ca,
		"# The isolated signer. Relative paths start three folders above this file.\n"
		"state: var/lib/hufu-ca\nra_socket: run/hufu/ca/ra.sock\noperator_socket: run/hufu/operator/ca.sock\n"
		"ra_uids: [%u]\noperator_uids: [%u]\nissuer: etc/hufu/issuing.crt\nroot: etc/hufu/root.crt\nkey: "
		"var/lib/hufu-ca/issuing.key\n",
		(unsigned)ra_uid, (unsigned)geteuid());
	buf_fmt(&ra,
		"# The desk. Relative paths start three folders above this file.\n"
		"state: var/lib/hufu-ra\nsocket: run/hufu/ra/desk.sock\nsigner_socket: run/hufu/ca/ra.sock\n"
		"policies: etc/hufu/policies\nroster: etc/hufu/roster.note\nra_key: "
		"var/lib/hufu-ra/ra.key\nra_name: " RA_NAME
		"\nlog_key: etc/hufu/log.vkey\ntokens: {key: etc/hufu/token.pub}\n"
		"login:\n  # Published: it opens nothing but setting one's own.\n  initial_password: "
		"\"" SETUP_INITIAL_PASSWORD "\"\n"
		"bank:\n  name: Hufu Example\n  bank: Example Bank\n  account: \"0000 0000 0000 0000\"\n"
		"root_certificate: etc/hufu/root.crt\n"
		"# The root's CRL, when a ceremony has made one: a CA on it takes its certificates along.\n"
		"# root_crl: etc/hufu/root.crl\n"
		"callers:\n  - uid: %u\n    roles: [subscriber, officer, admin, portal, gate%s]\n",
		(unsigned)geteuid(), s->notify_user ? "" : ", notifier");
	TRY(add_notifier(s, &ra, f));
	TRY(add_gate(s, f));
	if (calendar)
		buf_str(&ra, "calendar: etc/hufu/calendar.yaml\n");
	buf_str(&hufu, "# Where the tools find this tree. Relative paths start three folders above this file.\n"
		       "desk_socket: run/hufu/ra/desk.sock\noperator_socket: run/hufu/operator/ca.sock\npolicies: "
		       "etc/hufu/policies\n"
		       "roster: etc/hufu/roster.note\nroot_certificate: etc/hufu/root.crt\nissuing_certificate: "
		       "etc/hufu/issuing.crt\nlog_key: etc/hufu/log.vkey\ntoken_key: etc/hufu/token.pub\n");
	if (s->ca_user)
		buf_fmt(&hufu, "users:\n  ca: %s\n  ra: %s\n", s->ca_user, s->ra_user);
	TRY(write_config(s, "ca.yaml", &ca, f));
	TRY(write_config(s, "ra.yaml", &ra, f));
	return write_config(s, "hufu.yaml", &hufu, f);
}

/* Gives path to uid:gid, and what is in it. Folders keep their set-group-id bit. */
static enum err give_tree(const char *path, uid_t uid, gid_t gid, struct fault *f)
{
	struct stat st;
	if (lchown(path, uid, gid) != 0 || lstat(path, &st) != 0)
		return fault_raise(f, ERR_IO, "chown", "setup", "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return OK;
	DIR *d = opendir(path);
	struct dirent *e;
	enum err r = d ? OK : fault_raise(f, ERR_IO, "opendir", "setup", "%s: %s", path, strerror(errno));
	while (r == OK && (e = readdir(d))) {
		_cleanup_(freep) char *sub = path_join(path, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = give_tree(sub, uid, gid, f);
	}
	if (d)
		closedir(d);
	return r;
}

static enum err give_folder(const struct setup *s, const char *name, uid_t uid, gid_t gid, unsigned mode,
			    struct fault *f)
{
	_cleanup_(freep) char *path = path_join(s->dir, name);
	TRY(give_tree(path, uid, gid, f));
	if (chmod(path, mode) != 0)
		return fault_raise(f, ERR_IO, "chmod", "setup", "%s: %s", path, strerror(errno));
	return OK;
}

enum err setup_give(const struct setup *s, struct fault *f)
{
	uid_t ca, ra, notify;
	gid_t ca_group, ra_group, notify_group;
	if (!s->ca_user)
		return OK;
	TRY(uid_of(s->ca_user, &ca, &ca_group, f));
	TRY(uid_of(s->ra_user, &ra, &ra_group, f));
	TRY(uid_of(s->notify_user, &notify, &notify_group, f));
	TRY(give_folder(s, "var/lib/hufu-ca", ca, ca_group, 0700, f));
	TRY(give_folder(s, "var/lib/hufu-ra", ra, ra_group, 0700, f));
	/* A socket takes the group of its set-group-id folder: the RA's group reaches the RA's socket, the operator's
	 * the operator's. */
	TRY(give_folder(s, "run/hufu/ca", ca, ra_group, 02750, f));
	TRY(give_folder(s, "run/hufu/operator", ca, getegid(), 02750, f));
	TRY(give_folder(s, "var/lib/hufu-notify", notify, notify_group, 0700, f));
	return give_folder(s, "run/hufu/ra", ra, s->notify_user ? notify_group : getegid(), 02755, f);
}

static void say(const struct setup *s, const char *what)
{
	if (!s->quiet) {
		printf("%s\n", what);
		fflush(stdout);
	}
}

static enum err run_all(const struct setup *s, struct fault *f)
{
	say(s, "folders, policies and people's keys");
	TRY(setup_folders(s, f));
	TRY(copy_policies(s, f));
	TRY(make_people(s, f));
	say(s, "ceremony: root");
	TRY(run_ceremony(s, "root", f));
	say(s, "ceremony: issuing CA");
	TRY(run_ceremony(s, "issuing", f));
	say(s, "roster and policy, signed by the officers");
	TRY(setup_notes(s, f));
	TRY(write_configs(s, f));
	TRY(setup_give(s, f));
	say(s, "genesis: the ledger's key and first entries");
	TRY(run_genesis(s, f));
	return publish_log_key(s, f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level > 0 ? remove(path) : 0;
}

enum err setup_run(const struct setup *s, struct fault *f)
{
	const char *algorithm;
	if (!s->into_existing && !setup_folder_is_empty(s->dir))
		return fault_raise(f, ERR_CONFLICT, "folder_not_empty", "init",
				   "%s is not an empty folder; nothing was changed", s->dir);
	if (s->algorithm)
		TRY(algorithm_find(s->algorithm, &algorithm, f));
	enum err e = run_all(s, f);
	/* Nothing half done: the folder was empty, and is again. No certificate came from these keys. */
	if (e != OK && !s->into_existing)
		nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return e;
}
