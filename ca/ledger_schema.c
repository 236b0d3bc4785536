/*
 * The ledger's tables, as numbered migrations that are only ever appended to.
 *
 * `entries` is the ledger itself: triggers refuse to change or take away a row. All other tables are derived from it
 * and are there for speed: narrow, and apart where they are hot. A status row exists only for a certificate that is not
 * plainly good. Tables with random keys hold nothing else that is large, so that few pages get dirty.
 */
#include "ca/ledger_private.h"

const char *const ledger_migrations[] = {
	"CREATE TABLE entries ("
	"  idx INTEGER PRIMARY KEY,"
	"  type INTEGER NOT NULL,"
	"  at INTEGER NOT NULL,"
	"  leaf BLOB NOT NULL CHECK (length(leaf) = 32),"
	"  body BLOB NOT NULL CHECK (length(body) <= 65535)"
	") STRICT;"
	"CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended'); END;"
	"CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended'); END;"

	"CREATE TABLE type_count (type INTEGER PRIMARY KEY, n INTEGER NOT NULL, last_at INTEGER NOT NULL) STRICT;"

	"CREATE TABLE issuer (id INTEGER PRIMARY KEY, key_id BLOB NOT NULL UNIQUE) STRICT;"

	"CREATE TABLE certificate ("
	"  id INTEGER PRIMARY KEY,"
	"  issuer INTEGER NOT NULL REFERENCES issuer (id),"
	"  serial BLOB NOT NULL,"
	"  intent INTEGER,"
	"  entry INTEGER,"
	"  not_before INTEGER NOT NULL,"
	"  not_after INTEGER NOT NULL,"
	"  project TEXT NOT NULL,"
	"  profile TEXT NOT NULL,"
	"  line INTEGER NOT NULL,"
	"  key64 INTEGER NOT NULL,"
	"  key BLOB NOT NULL,"
	"  root INTEGER NOT NULL,"
	"  renewals INTEGER NOT NULL,"
	"  shard INTEGER NOT NULL,"
	"  adopted INTEGER NOT NULL,"
	"  weak INTEGER NOT NULL,"
	"  UNIQUE (issuer, serial)"
	") STRICT;"
	"CREATE INDEX certificate_line ON certificate (line);"
	"CREATE INDEX certificate_key ON certificate (key64);"

	"CREATE TABLE status ("
	"  cert INTEGER PRIMARY KEY REFERENCES certificate (id),"
	"  state INTEGER NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  at INTEGER NOT NULL,"
	"  entry INTEGER,"
	"  successor INTEGER,"
	"  due INTEGER,"
	"  due_reason INTEGER,"
	"  due_cause INTEGER,"
	"  due_tally BLOB"
	") STRICT;"
	"CREATE INDEX status_due ON status (due) WHERE due IS NOT NULL;"
	"CREATE INDEX status_successor ON status (successor) WHERE successor IS NOT NULL;"

	"CREATE TABLE revocation ("
	"  serial BLOB PRIMARY KEY,"
	"  shard INTEGER NOT NULL,"
	"  at INTEGER NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  keep_until INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX revocation_shard ON revocation (shard, serial);"

	"CREATE TABLE tally ("
	"  id BLOB PRIMARY KEY,"
	"  text BLOB NOT NULL,"
	"  intent INTEGER,"
	"  outcome INTEGER,"
	"  dead INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX tally_open ON tally (intent) WHERE outcome IS NULL;"
	"CREATE TABLE withdrawn (id BLOB PRIMARY KEY, entry INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

	"CREATE TABLE head ("
	"  which INTEGER PRIMARY KEY,"
	"  version INTEGER NOT NULL,"
	"  entry INTEGER NOT NULL,"
	"  sha256 BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE policy_file (sha256 BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
	"CREATE TABLE adoption ("
	"  id BLOB PRIMARY KEY,"
	"  entry INTEGER NOT NULL,"
	"  sha256 BLOB NOT NULL,"
	"  taken INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE crl ("
	"  scope INTEGER PRIMARY KEY,"
	"  number INTEGER NOT NULL,"
	"  this_update INTEGER NOT NULL,"
	"  next_update INTEGER NOT NULL,"
	"  upto INTEGER NOT NULL,"
	"  changed INTEGER,"
	"  sha256 BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE clock_accepted ("
	"  id INTEGER PRIMARY KEY,"
	"  last_at INTEGER NOT NULL,"
	"  accepted INTEGER NOT NULL"
	") STRICT;",

	/* Roots of whole tiles of the Merkle tree, and its size and root after the last transaction. */
	"CREATE TABLE node ("
	"  level INTEGER NOT NULL,"
	"  idx INTEGER NOT NULL,"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32),"
	"  PRIMARY KEY (level, idx)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE tree ("
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  size INTEGER NOT NULL,"
	"  root BLOB NOT NULL CHECK (length(root) = 32)"
	") STRICT;",

	/* ledger_restore.c. A row of `waiting`: nothing is appended until the operator's word; head: newest checkpoint
	 * that was shown meanwhile. `lost`: checkpoints that were shown, of a history that is not this one. */
	"CREATE TABLE waiting (id INTEGER PRIMARY KEY CHECK (id = 1), since INTEGER NOT NULL, head BLOB) STRICT;"
	"CREATE TABLE restored (entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, lost_to INTEGER NOT NULL) STRICT;"
	"CREATE TABLE lost (size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (size, root)) STRICT, WITHOUT ROWID;",
};
const size_t ledger_n_migrations = sizeof(ledger_migrations) / sizeof(ledger_migrations[0]);
