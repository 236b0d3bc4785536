/*
 * The desk in-process: no process and no socket of its own, but the very handler that the socket has. Only the signer
 * is played, over a real socket, because the two rooms are never linked together. Next: ra_fixture_signer.c.
 */
#include "ra_fixture_private.h"

#include <dirent.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

/* --- people and keys --- */

struct person {
	const char *name;
	enum role role;
	const char *projects;
};
static const struct person people[] = {{"alice", ROLE_OFFICER, "*"},
				       {"bob", ROLE_OFFICER, "*"},
				       {"carol", ROLE_OFFICER, "*"},
				       {"dave", ROLE_OFFICER, "other"},
				       {"ra-1", ROLE_RA, "*"}};
#define N_PEOPLE (sizeof(people) / sizeof(people[0]))

void fx_seeded(const char *name, uint8_t public_key[32], uint8_t secret[64])
{
	uint8_t seed[32];
	sha256(name, strlen(name), seed);
	crypto_sign_seed_keypair(public_key, secret, seed);
}

void fx_sign_as(struct buf *note, const char *name)
{
	uint8_t public_key[32], secret[64];
	struct fault f = {0};
	fx_seeded(name, public_key, secret);
	must("sign", note_sign_ed25519(note, name, secret, &f), &f);
}

void fx_make_key(EVP_PKEY **ret, struct pubkey *public_key)
{
	struct fault f = {0};
	must("key", privkey_generate(KEY_P256, 0, ret, &f), &f);
	if (public_key)
		must("key", privkey_public(*ret, public_key, &f), &f);
}

char *fx_path(const struct fx *x, const char *name)
{
	return path_join(x->dir, name);
}

void fx_write(struct fx *x, const char *name, const char *text)
{
	_cleanup_(freep) char *path = fx_path(x, name);
	struct fault f = {0};
	must(name, file_write(path, slice_str(text), 0600, &f), &f);
}

/* --- laying out --- */

static void write_roster(struct fx *x)
{
	struct fault f = {0};
	struct roster r = {.version = 1, .quorum = 2, .made = NOW - DAY};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	r.members = xcalloc(N_PEOPLE, sizeof(*r.members));
	memcpy(r.ca, x->signer.public_key.key_id, 20);
	for (size_t i = 0; i < N_PEOPLE; i++) {
		struct member *m = &r.members[r.n_members++];
		uint8_t secret[64];
		m->role = people[i].role;
		snprintf(m->name, sizeof(m->name), "%s", people[i].name);
		fx_seeded(people[i].name, m->key, secret);
		m->projects = xstrdup(people[i].projects);
		m->all_kinds = true;
	}
	roster_put(&r, &text);
	sha256(text.data, text.len, x->signer.roster);
	note_begin(buf_slice(&text), &note);
	fx_sign_as(&note, "alice");
	fx_sign_as(&note, "bob");
	_cleanup_(freep) char *path = fx_path(x, "roster.note");
	must("roster", file_write(path, buf_slice(&note), 0600, &f), &f);
	roster_done(&r);
}

static void set_proof(struct buf *yaml, const char *word)
{
	static const char key[] = "\nfirst_login_proof: ";
	_cleanup_buf_ struct buf b = {0};
	const char *at = strstr(buf_text(yaml), key);
	assert_non_null(at);
	const char *rest = strchr(at + 1, '\n');
	buf_fmt(&b, "%.*s%s%s%s", (int)(at - buf_text(yaml)), buf_text(yaml), key, word, rest);
	buf_clear(yaml);
	buf_add_slice(yaml, buf_slice(&b));
}

/* Project hangzhou, out of jinhua's file. */
static void put_second(const struct buf *yaml, const char *contact, struct buf *ret)
{
	static const char name[] = "\nname: jinhua\n", telephone[] = "\n  telephone: ";
	const char *at = strstr(buf_text(yaml), name), *end = strstr(buf_text(yaml), telephone);
	assert_true(at && end && end > at);
	at += strlen(name);
	buf_fmt(ret, "name: hangzhou\n%.*s\n%s", (int)(end - at), at, contact);
}

static void add_second(struct policy_source **files, size_t *n, const char *contact)
{
	struct policy_source *v = xcalloc(*n + 1, sizeof(*v));
	size_t k = 0;
	for (size_t i = 0; i < *n; i++) {
		if (strcmp((*files)[i].path, "projects/jinhua.yaml") == 0) {
			snprintf(v[k].path, sizeof(v[k].path), "projects/hangzhou.yaml");
			put_second(&(*files)[i].bytes, contact, &v[k++].bytes);
		}
		v[k++] = (*files)[i];
	}
	assert_int_equal(k, *n + 1);
	free(*files);
	*files = v;
	*n = k;
}

static void write_policies(struct fx *x)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	struct fault f = {0};
	struct policy_note head = {.version = 1, .made = NOW - DAY};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	static const char *const folders[] = {"policies/profiles", "policies/projects", "policies/notices",
					      "policies/forms"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		_cleanup_(freep) char *dir = fx_path(x, folders[i]);
		must("dir", dir_make(dir, 0700, &f), &f);
	}
	must("policies", policy_read_dir(POLICIES_DIR, &files, &n, &f), &f);
	if (x->second_project)
		add_second(&files, &n, x->second_project);
	for (size_t i = 0; i < n; i++) {
		if (x->first_login_proof && strcmp(files[i].path, "projects/jinhua.yaml") == 0)
			set_proof(&files[i].bytes, x->first_login_proof);
		_cleanup_(freep) char *name = xasprintf("policies/%s", files[i].path), *path = fx_path(x, name);
		must(name, file_write(path, buf_slice(&files[i].bytes), 0600, &f), &f);
	}
	memcpy(head.ca, x->signer.public_key.key_id, 20);
	policy_note_make(files, n, &head, &text);
	policy_sources_done(files, n);
	sha256(text.data, text.len, x->signer.policy);
	note_begin(buf_slice(&text), &note);
	fx_sign_as(&note, "alice");
	fx_sign_as(&note, "bob");
	fx_write(x, "policies/policy.note", buf_text(&note));
}

static void write_key(struct fx *x)
{
	struct person_key k = {.name = "ra-1"};
	struct fault f = {0};
	_cleanup_(freep) char *path = fx_path(x, "ra.key");
	secret_alloc(&k.secret, 64);
	fx_seeded("ra-1", k.public_key, k.secret.p);
	must("key", person_key_save(&k, path, NULL, &f), &f);
	person_key_done(&k);
}

static void write_log_key(struct fx *x)
{
	_cleanup_buf_ struct buf vkey = {0};
	uint8_t key[32], secret[64];
	char origin[CHECKPOINT_ORIGIN_SIZE];
	fx_seeded("log", key, secret);
	log_origin(x->signer.public_key.key_id, origin);
	note_vkey_put(origin, key, &vkey);
	fx_write(x, "log.vkey", buf_text(&vkey));
}

static void write_config(struct fx *x)
{
	_cleanup_buf_ struct buf b = {0}, calendar = {0};
	struct fault f = {0};
	must("calendar", file_read(POLICIES_DIR "/calendar.yaml", 65536, &calendar, &f), &f);
	fx_write(x, "calendar.yaml", buf_text(&calendar));
	buf_fmt(&b,
		"root: %s\nstate: state\nsocket: desk.sock\nsigner_socket: signer.sock\npolicies: policies\nroster: "
		"roster.note\ncalendar: calendar.yaml\nra_key: ra.key\nlog_key: log.vkey\nra_name: ra-1\nsenders: "
		"2\nlogin: {initial_password: "
		"\"" INITIAL "\", picture_code: %s}\n"
		"bank: {name: Hufu, bank: Example Bank, account: \"0000\"}\n"
		"provider: {url: 'https://pay.example.test/p?o={order}&fen={amount}&yuan={yuan}&back={return}', "
		"return_url: 'https://desk.example.test/orders/{order}', secret: provider.key}\ncallers:\n"
		"  - {uid: %d, roles: [subscriber]}\n  - {uid: %d, roles: [officer]}\n  - {uid: %d, roles: [admin]}\n"
		"  - {uid: %d, roles: [portal]}\n  - {uid: %d, roles: [subscriber]}\n  - {uid: %d, roles: [officer], "
		"officer: bob}\n  - {uid: %d, roles: [notifier]}\n  - {uid: %d, roles: [officer], projects: "
		"[hangzhou]}\n  - {uid: %d, roles: [gate]}\nportals:\n"
		"  - {name: portal, projects: [jinhua], token_sha256: "
		"c62a0f83384803565149f5dcad3372bb1e6846d6817f32d6dbe965356f2eedfa}\n%s",
		x->dir, x->picture_code ? x->picture_code : "never", UID_SUBSCRIBER, UID_OFFICER, UID_ADMIN, UID_PORTAL,
		UID_OTHER, UID_BOB, UID_NOTIFIER, UID_NARROW, UID_GATE, x->yaml ? x->yaml : "");
	fx_write(x, "provider.key", PROVIDER_SECRET "\n");
	fx_write(x, "ra.yaml", buf_text(&b));
}

static void open_desk(struct fx *x)
{
	struct ra_config config = {0};
	struct fault f = {0};
	_cleanup_(freep) char *path = fx_path(x, "ra.yaml");
	must("config", ra_config_load(path, &config, &f), &f);
	must("desk", desk_open(&config, &x->desk, &f), &f);
	fx_meet_signer(x);
}

static json_t *row(const char *code, const char *name, const char *service, const char *ends, const char *serial)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "line", 2, "account_identifier", code,
			 "organisation", name, "agent", "张三", "mobile", "1300000000", "project",
			 "金华市公共资源交易中心", "service_id", service, "service", "机构证书", "service_begins",
			 "2015-08-31 11:39:36", "service_ends", ends, "certificate_name", "擎洲测试投标人6", "serial",
			 serial, "issuer", "ZJCA OCA2");
}

static void import(struct fx *x)
{
	json_decref(fx_do(x, UID_ADMIN, "import.accounts",
			  json_pack("{s:[o,o]}", "rows",
				    row(ORG_CODE, "杭州田谷", "20353", "2016-08-31 11:39:36", ORG_SERIAL),
				    row(OTHER_CODE, "别家公司", "20354", "2028-08-31 11:39:36", OTHER_SERIAL))));
}

struct fx *fx_new(void)
{
	struct fx *x = xcalloc(1, sizeof(*x));
	/* Memory where there is some: a test flushes a lot and keeps nothing. */
	snprintf(x->dir, sizeof(x->dir), "%s/hufu-ra-XXXXXX", file_exists("/dev/shm") ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(x->dir));
	clock_set(NOW);
	pthread_mutex_init(&x->signer.lock, NULL);
	fx_make_key(&x->signer.key, &x->signer.public_key);
	fx_make_key(&x->new_key, NULL);
	write_roster(x);
	write_policies(x);
	write_key(x);
	write_log_key(x);
	write_config(x);
	fx_adopt(x);
	fx_start_signer(x);
	open_desk(x);
	fx_follow(x);
	import(x);
	return x;
}

/* Removes the folder and what is in it. */
static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		_cleanup_(freep) char *name = path_join(path, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(name) != 0)
			remove_tree(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static void org_done(struct fx_org *org)
{
	EVP_PKEY_free(org->key);
	pubkey_done(&org->public_key);
}

void fx_free(struct fx *x)
{
	desk_close(x->desk);
	if (x->signer.server)
		rpc_server_stop(x->signer.server);
	for (size_t i = 0; i < x->signer.n_entries; i++)
		buf_done(&x->signer.entries[i]);
	free(x->signer.entries);
	buf_done(&x->signer.seen);
	buf_done(&x->signer.issuer_cert);
	buf_done(&x->signer.retired);
	EVP_PKEY_free(x->signer.key);
	EVP_PKEY_free(x->new_key);
	pubkey_done(&x->signer.public_key);
	pthread_mutex_destroy(&x->signer.lock);
	org_done(&x->org);
	org_done(&x->other);
	free(x->session);
	free(x->other_session);
	remove_tree(x->dir);
	clock_set(0);
	free(x);
}

void fx_restart(struct fx *x)
{
	desk_close(x->desk);
	open_desk(x);
}

void fx_configure(struct fx *x, const char *yaml)
{
	x->yaml = yaml;
	write_config(x);
	fx_restart(x);
}

void fx_picture_code(struct fx *x, const char *word)
{
	x->picture_code = word;
	fx_configure(x, x->yaml);
}

void fx_first_login_proof(struct fx *x, const char *word)
{
	x->first_login_proof = word;
	write_policies(x);
	fx_restart(x);
}

#define OTHER_ID "(SELECT id FROM accounts WHERE identifier = '" OTHER_CODE "')"

void fx_second_project(struct fx *x, const char *contact)
{
	static const char *const rows[] = {"UPDATE services SET project = 'hangzhou' WHERE account = " OTHER_ID,
					   "UPDATE cert_bodies SET project = 'hangzhou' WHERE id IN (SELECT id FROM "
					   "certs WHERE account = " OTHER_ID ")"};
	x->second_project = contact;
	write_policies(x);
	fx_restart(x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct db *db = NULL;
		struct fault f = {0};
		must("begin", store_begin(x->desk->store, &db, &f), &f);
		must(rows[i], store_end(x->desk->store, db, db_run(db, &f, rows[i], ""), &f), &f);
	}
}
