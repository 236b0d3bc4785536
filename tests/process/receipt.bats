#!/usr/bin/env bats
# Receipts with the real programs: the desk gives one, `hufu verify` checks it with nothing running, and a second reading of RFC 9162 in Python agrees.

load ../live

setup_file() {
	live_begin
	receipt_scene
}

teardown_file() { live_end; }

# One extension by the real programs; its certificate and receipt are $WORK/new.pem and $WORK/receipt.
receipt_scene() {
	hufu demo --dir "$WORK/demo" --ca-user hufu-ca --ra-user hufu-ra >"$WORK/demo.log" 2>&1 || { cat "$WORK/demo.log"; return 1; }
}

out() { echo "$WORK/demo/out/$1"; }
trust() { echo --log-key "$WORK/demo/etc/hufu/log.vkey" --roster "$WORK/demo/out/roster.note"; }
verify() { hufu verify $(trust) "$@"; }

@test "every certificate of the demo has a receipt that holds offline, with what was asked in words" {
	for name in extended changed; do
		did verify "$(out $name.pem)" "$(out $name.receipt)"
		said "good: the receipt holds" "roster version 1"
	done
	said "alice" "审核员"
	did verify --issuer "$(out issuing.pem)" --root "$(out root.pem)" "$(out extended.pem)" "$(out extended.receipt)"
	fails 4 "go together" verify --root "$(out root.pem)" "$(out extended.pem)" "$(out extended.receipt)"
}

@test "after a roster change a receipt wants the roster that was in force" {
	refused receipt_roster hufu verify --log-key "$(out log.vkey)" --roster "$(out roster-2.note)" "$(out extended.pem)" "$(out extended.receipt)"
	said "bring that one"
	same "$(cat "$(out roster-2.note)")" "$(cat "$WORK/demo/etc/hufu/roster.note")"
	did hufu note verify --roster "$(out roster.note)" "$(out roster-2.note)"
	said "member: responder ocsp-1" "2 signed, its quorum is 2"
}

@test "the demo went through every kind, and the attacker got nothing by any" {
	local kind
	for kind in 延期 变更 撤回 挂起 补办 新办 解除挂起 吊销; do
		grep -q "^ *[0-9]*\.  .*$kind" "$WORK/demo.log"
	done
	grep -q "a withdrawn tally is brought by the RA  *refused: tally_withdrawn" "$WORK/demo.log"
	grep -q "another key asks to be a responder  *refused: responder_unknown" "$WORK/demo.log"
	did openssl verify -x509_strict -CAfile "$(out root.pem)" -untrusted "$(out issuing.pem)" "$(out responder.pem)" "$(out rekeyed.pem)"
	same "$(openssl x509 -in "$(out responder.pem)" -noout -ext extendedKeyUsage | tail -n1 | tr -d ' ')" OCSPSigning
	same "$(cut -d, -f1 "$(out ended.csv)" | paste -sd' ')" "serial 74C2008800000B01 74C2008800000B02"
}

@test "another certificate, another key, another roster, a changed receipt: each refused with the reason" {
	refused receipt_mismatch verify "$(out changed.pem)" "$(out extended.receipt)"
	sed 's/^outcome: \([0-9]*\) AY/outcome: \1 AZ/' "$(out extended.receipt)" >"$WORK/bad"
	! cmp -s "$WORK/bad" "$(out extended.receipt)" || sed -i 's/^outcome: \([0-9]*\) ./outcome: \1 B/' "$WORK/bad"
	refused receipt_inclusion verify "$(out extended.pem)" "$WORK/bad"
	head -c 500 "$(out extended.receipt)" >"$WORK/cut"
	fails 1 "[receipt_form]" verify "$(out extended.pem)" "$WORK/cut"
	(cd "$WORK" && hufu officer key --plain thief >/dev/null)
	origin=$(sed 's/+.*//' "$WORK/demo/etc/hufu/log.vkey")
	python3 - "$WORK/thief.key" "$origin" >"$WORK/thief.vkey" <<'PY'
import base64, hashlib, re, sys
key = base64.b64decode(re.search(r"^public: (\S+)$", open(sys.argv[1]).read(), re.M)[1])
name = sys.argv[2]
print(name + "+" + hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4].hex() + "+" + base64.b64encode(b"\x01" + key).decode())
PY
	refused log_signature hufu verify --log-key "$WORK/thief.vkey" --roster "$WORK/demo/out/roster.note" "$(out extended.pem)" "$(out extended.receipt)"
}

@test "a second implementation of RFC 9162 finds the entries in the tree of the signed checkpoint" {
	did python3 - "$(out changed.receipt)" <<'PY'
import base64, hashlib, sys
fields, checkpoint = open(sys.argv[1], encoding="utf-8").read().split("\n\n", 1)
value = dict(line.split(": ", 1) for line in fields.split("\n")[1:])
size, root = int(checkpoint.split("\n")[1]), base64.b64decode(checkpoint.split("\n")[2])
h = lambda b: hashlib.sha256(b).digest()
def climb(index, size, node, path):
    # RFC 9162 2.1.3.2, written from its text.
    fn, sn = index, size - 1
    for p in path:
        assert sn > 0
        if fn & 1 or fn == sn:
            node = h(b"\x01" + p + node)
            while not fn & 1 and fn:
                fn >>= 1; sn >>= 1
        else:
            node = h(b"\x01" + node + p)
        fn >>= 1; sn >>= 1
    assert sn == 0
    return node
for name in ("intent", "outcome", "predecessor"):
    index, body = value[name].split(" ")
    path = base64.b64decode(value[name + "-path"]) if value[name + "-path"] != "none" else b""
    assert climb(int(index), size, h(b"\x00" + base64.b64decode(body)), [path[i:i + 32] for i in range(0, len(path), 32)]) == root, name
print("three entries of", size)
PY
	said "three entries of"
}

# The ledger's file, seen from outside. The demo's programs have ended; nothing here needs them.
ledger() { HUFU_CONFIG=$WORK/demo/etc/hufu/hufu.yaml hufu ledger "$@"; }

@test "hufu ledger: checked whole, its head signed, a path that the second implementation climbs, a copy that is as good" {
	did ledger check
	said "7 certificates issued, 0 intents open" "good: every entry"
	root=$(grep '^root ' <<<"$output")
	did ledger head
	said "hufu/log/"
	did ledger prove 3
	python3 -c '
import base64, hashlib, sys
path, checkpoint = sys.stdin.read().split("\n\n")[:2]
index, _, size = path.split("\n")[0].split()[1:]
index, size, root = int(index), int(size), base64.b64decode(checkpoint.split("\n")[2])
assert checkpoint.split("\n")[1] == str(size) and root.hex() == sys.argv[1].split()[1], checkpoint
assert len(path.split("\n")) - 1 >= 4, path' "$root" <<<"$output"
	did ledger export 0-1
	said "message: e_roster" "message: e_policy"
	did ledger backup "$WORK/copy.db"
	said "entries, checked"
	fails 1 "rule=db_exists" ledger backup "$WORK/copy.db"
}

@test "hufu ledger: wrong words, no such entry, and a damaged file are named" {
	fails 4 "wanted FROM-TO" ledger export all
	fails 1 "rule=entry_unknown" ledger prove 100000
	cp -r "$WORK/demo" "$WORK/damaged"
	python3 - "$WORK/damaged/var/lib/hufu-ca/ledger.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DROP TRIGGER entries_no_update")
db.execute("UPDATE entries SET body = x'0102' WHERE idx = 2")
db.commit()
PY
	HUFU_CONFIG=$WORK/damaged/etc/hufu/hufu.yaml run "$hufu" ledger check
	echo "$output"
	[ "$status" = 1 ]
	said "entry 2: its leaf hash is another entry's"
}
