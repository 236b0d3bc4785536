#!/usr/bin/env python3
"""How SQLite finds the rows of every statement of ra/store_*.c: none may walk a table that grows with the desk, none may sort one.

usage: plan.py SCHEMA_DIR STORE_DIR CC...

The statements are the string literals of the files after the preprocessor (they are whole constants there), planned against a
database of all migrations without rows: without statistics, as a desk's database has none.
"""
import glob, os, re, sqlite3, subprocess, sys

# Tables that have a row for each account, certificate, request or event.
BIG = """accounts account_cases account_contacts account_names account_records audit bindings calls cert_bodies cert_prints certs claims courses
corrections grants handover history intents invoices lines materials nonces orders outbox parcels payments reminders request_texts requests services sessions
sms_codes sms_sends token_history tokens upload_parts uploads waiting works""".split()
# What may walk or sort all the same: the beginning of the statement, and why.
CERT = ("SELECT c.id, c.issuer, c.serial, c.state, c.reason, c.changed, c.not_before, c.not_after, c.successor, c.predecessor,"
        " c.account, coalesce(c.state_entry, -1)")
SERVICE = ("SELECT s.id, s.account, s.project, s.service, s.title, coalesce(b.name, s.certificate_name), coalesce(c.serial, s.serial),"
           " coalesce(b.issuer_name, s.issuer_name), s.cert, s.begins, s.ends FROM services s LEFT JOIN certs c ON c.id = s.cert"
           " LEFT JOIN cert_bodies b ON b.id = s.cert")
ALLOWED = {
    "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1": "the last row by primary key",
    "SELECT id, at, who, uid, address, what, object, detail, hash FROM audit WHERE hash IS NULL": "its index holds such rows only",
    "SELECT count(*) FROM handover WHERE state <> 'done'": "its index holds what is under way now",
    "UPDATE handover SET next_at = 0 WHERE state <> 'done'": "its index holds what is under way now",
    "SELECT name, sha256, bytes, type, file, key, deleted, damaged, kind, owner, account FROM materials"
    " WHERE key IS NULL AND deleted IS NULL AND damaged IS NULL LIMIT 1": "its index holds what is not sealed yet",
    "SELECT 1 FROM materials WHERE file <> '' AND key IS NOT NULL": "what has a file is sealed: the first row ends it",
    "DELETE FROM sms_codes WHERE dies <= ?1": "codes live for minutes",
    "DELETE FROM grants WHERE dies <= ?1": "officers' codes live for days, and are few",
    "SELECT s.id, s.address, s.proof, s.uid, s.created, s.used, s.expires, s.must_reset, s.must_choose FROM sessions s"
    " WHERE s.account = ?1": "of one account",
    SERVICE + " WHERE s.account = ?1 AND s.project": "of one account",
    "SELECT k.number, r.state FROM requests r JOIN courses k ON k.request = r.id WHERE r.cert = ?1": "of one certificate",
    "SELECT due, request FROM waiting INDEXED BY waiting_claims": "claims last for an hour, and are as many as officers at work",
    "SELECT due, request, kind, way, project, state, issuer, serial, officers, officers_have, made, dies, organisation, number, replaces,"
    " submitted, claimant, claim_ends FROM waiting INDEXED BY waiting_claims": "the same",
    "SELECT line FROM lines WHERE request = ?1": "of one request, sixteen at most",
    "SELECT h.at, h.event, h.before, h.after, h.who, h.detail FROM courses c": "of one request's number",
    CERT + " FROM cert_bodies b JOIN certs c ON c.id = b.id WHERE b.identifier = ?2": "of one subject",
    "SELECT id, kind, state, coalesce(account, 0), coalesce(binding, 0), organisation, agent, mobile, text, file_type, address, made,"
    " coalesce(decided, 0), who, answer FROM account_cases WHERE file_type <> '' LIMIT 1": "its index holds what is not moved yet",
    "SELECT p.at, p.id FROM payments p INDEXED BY payments_order": "of one order",
    "SELECT 4000000000000 - packed, request FROM parcels INDEXED BY parcels_account": "of one account",
    "SELECT h.at, k.number, r.kind, r.project, coalesce(r.refusal_rule, ''), coalesce(r.refusal_text, '') FROM history h INDEXED BY"
    " history_refused": "its index holds the signer's refusals only, the newest first",
    "SELECT c.id, c.issuer, c.serial, c.state, c.not_after, b.name FROM cert_bodies b INDEXED BY cert_bodies_responders":
        "its index holds responders only, one a week",
    "INSERT OR IGNORE INTO lost (restored, entry, what, cert)": "once, by the operator's word that a restored ledger goes on",
    "SELECT l.restored, l.entry, l.what = 'issued', c.serial": "what one restored ledger had lost",
    "SELECT dies, id FROM requests INDEXED BY requests_open WHERE pending = 1 AND dies > 0 AND dies <= ?1": "what is due now is taken out every"
    " few seconds",
}


def literals(path, cc):
    """Each string constant of the file, adjacent literals joined."""
    text = subprocess.run(cc + ["-E", "-P", path], check=True, capture_output=True, text=True).stdout
    for m in re.finditer(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', text):
        yield "".join(p.encode().decode("unicode_escape") for p in re.findall(r'"((?:[^"\\]|\\.)*)"', m.group(0)))


def statements(store, cc):
    for path in sorted(glob.glob(os.path.join(store, "store_*.c"))):
        if os.path.basename(path) == "store_schema.c":
            continue
        found = 0
        for text in literals(path, cc):
            if re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH) ", text):
                found += 1
                yield os.path.basename(path), text
        if not found and os.path.basename(path) not in ("store_keys.c", "store_view.c"):
            sys.exit(f"{path}: no statement found: the test reads nothing")


def worries(db, sql):
    n = max([int(x) for x in re.findall(r"\?(\d+)", sql)] or [0])
    aliases = {}
    for table, alias in re.findall(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?", sql):
        aliases[table] = table
        if alias and alias.upper() not in ("WHERE", "ON", "ORDER", "SET", "LEFT", "JOIN", "INDEXED", "LIMIT", "GROUP", "VALUES"):
            aliases[alias] = table
    for row in db.execute("EXPLAIN QUERY PLAN " + sql, [""] * n):
        step = row[3]
        m = re.match(r"SCAN (\w+)(?: |$)(.*)", step)
        if m and aliases.get(m.group(1), m.group(1)) in BIG and "VIRTUAL TABLE INDEX" not in m.group(2):
            # In the order of an index, and ended by a LIMIT, with nothing to skip: a page.
            if not ("USING" in m.group(2) and "LIMIT" in sql and "WHERE" not in sql):
                yield step
        if "TEMP B-TREE" in step:
            yield step


def main():
    schema, store, cc = sys.argv[1], sys.argv[2], sys.argv[3:]
    db = sqlite3.connect(":memory:")
    for path in sorted(glob.glob(os.path.join(schema, "*.sql"))):
        db.executescript(open(path).read())
    missing = [t for t in BIG if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (t,)).fetchone()]
    if missing:
        sys.exit(f"no such tables: {' '.join(missing)}")
    used, bad, n = set(), 0, 0
    for name, sql in statements(store, cc):
        n += 1
        found = list(worries(db, sql))
        reason = [k for k in ALLOWED if sql.startswith(k)]
        used.update(reason if found else [])
        if found and not reason:
            bad += 1
            print(f"{name}: {sql}")
            for step in found:
                print(f"    {step}")
    for k in ALLOWED:
        if k not in used:
            bad += 1
            print(f"allowed, and no statement needs it: {k}")
    print(f"{n} statements, {bad} of them wrong")
    sys.exit(1 if bad or n < 200 else 0)


main()
