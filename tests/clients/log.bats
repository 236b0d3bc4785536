#!/usr/bin/env bats
# The ledger's tree and its checkpoints by an implementation that is not ours: Go's golang.org/x/mod/sumdb, tlog and note. Trees over the public test leaves of
# RFC 6962's reference code and larger ones, proofs both ways, and a real ledger with its checkpoint.

load ../live

setup_file() {
	WORK=$(new_dir)
	export WORK
	GO111MODULE=off GOPATH=/usr/share/gocode GOPROXY=off GOCACHE=$WORK/go go build -o "$WORK/tree" "$BATS_TEST_DIRNAME/tree.go"
}
teardown_file() { rm -rf "$WORK"; }

ours() { "$build/tests/clients/tree_proofs" "$@"; }
theirs() { "$WORK/tree" "$@"; }

@test "Hufu's roots, inclusion and consistency proofs hold for tlog, and with a bit changed none does" {
	ours make >"$WORK/ours"
	did theirs check <"$WORK/ours"
	same "$output" "$(wc -l <"$WORK/ours") hold"
	[ "$(wc -l <"$WORK/ours")" -gt 4000 ]
}

@test "tlog's proofs hold for Hufu, and are the same ones" {
	theirs make >"$WORK/theirs"
	did ours check <"$WORK/theirs"
	same "$output" "$(wc -l <"$WORK/theirs") hold"
	ours make | cmp - "$WORK/theirs"
}

@test "both refuse a proof for another leaf and another tree" {
	ours make | grep -E '^(in 5 8|grown 5 8) ' >"$WORK/good"
	same "$(wc -l <"$WORK/good")" 2
	for change in 's/^in 5 8/in 4 8/' 's/^in 5 8/in 5 7/' 's/^grown 5 8/grown 6 8/' 's/^grown 5 8/grown 5 7/' 's/ [0-9a-f]*$//'; do
		sed "$change" "$WORK/good" >"$WORK/bad"
		fails 1 "fails" theirs check <"$WORK/bad"
		fails 1 "fails" ours check <"$WORK/bad"
	done
}

# ledger: what `tree ledger` reads, from the file and from `hufu ledger`.
ledger() {
	/usr/bin/python3 - "$WORK/copy.db" "$WORK/prove" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
head = None
for i, (entry,) in enumerate(db.execute("SELECT body FROM entries ORDER BY idx")):
    text = open("%s.%d" % (sys.argv[2], i)).read()
    path, note = text.split("\n\n", 1)
    if head is None: print(head := note, end="\n")
    assert note == head
    print("leaf", entry.hex() or "-", *path.split("\n")[1:])
P
}

@test "a real ledger's checkpoint opens as a note, and every entry is in its tree" {
	printf 'a passphrase of the tests\n' >"$WORK/pass"
	"$hufu" init --passphrase-fd 4 "$WORK/hufu" 4<"$WORK/pass" >/dev/null 2>&1
	"$build/tests/process/long_ledger" "$WORK/hufu/var/lib/hufu-ca" 100
	export HUFU_CONFIG=$WORK/hufu/etc/hufu/hufu.yaml
	did hufu ledger backup "$WORK/copy.db"
	for ((i = 0; i < 100; i++)); do hufu ledger prove $i >"$WORK/prove.$i"; done
	ledger >"$WORK/ledger"
	did theirs ledger "$(cat "$WORK/hufu/etc/hufu/log.vkey")" <"$WORK/ledger"
	same "$output" "100 entries hold"
	sed '0,/^leaf ../s/^leaf ../leaf ff/' "$WORK/ledger" >"$WORK/changed"
	fails 1 "invalid transparency proof" theirs ledger "$(cat "$WORK/hufu/etc/hufu/log.vkey")" <"$WORK/changed"
	sed '2s/100/101/' "$WORK/ledger" >"$WORK/changed"
	fails 1 "signature" theirs ledger "$(cat "$WORK/hufu/etc/hufu/log.vkey")" <"$WORK/changed"
}
