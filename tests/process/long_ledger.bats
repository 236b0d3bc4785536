#!/usr/bin/env bats
# The length of a ledger is nothing to its start: the right edge of the tree, the tail and the last checkpoint are read, and no entry before. 10 million
# entries with tools/test --long, 200,000 else.

load ../helpers

setup() {
	WORK=$(new_dir)
	printf 'a passphrase of the tests\n' >"$WORK/pass"
	"$hufu" init --passphrase-fd 4 "$WORK/hufu" 4<"$WORK/pass" >/dev/null 2>&1
}
teardown() { rm -rf "$WORK"; }

# started: microseconds from exec to READY, without opening the CA key (that is Argon2id's, whatever the ledger); best of three.
started() {
	/usr/bin/python3 - "$WORK/notify" "$build/ca/hufu-ca" "$WORK/hufu/etc/hufu/ca.yaml" "$WORK/ca.log" <<'P'
import os, socket, subprocess, sys, time
path, program, config, log = sys.argv[1:]
best = None
for _ in range(3):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(60)
    begun = time.monotonic()
    p = subprocess.Popen([program, "--config", config], env=dict(os.environ, NOTIFY_SOCKET=path), stderr=open(log, "a"))
    while b"READY=1" not in s.recv(4096): pass
    took = time.monotonic() - begun
    rss = int(next(l for l in open("/proc/%d/status" % p.pid) if l.startswith("VmHWM")).split()[1])
    p.terminate()
    p.wait()
    s.close()
    os.unlink(path)
    best = min(best, took) if best else took
print(int(best * 1e6), rss)
P
}

@test "a long ledger starts in less than a second, with little memory" {
	local n=200000 us rss
	[ "${HUFU_LONG:-0}" != 1 ] || n=10000000
	"$build/tests/process/long_ledger" "$WORK/hufu/var/lib/hufu-ca" $n
	read -r us rss <<<"$(started)"
	echo "$n entries: ready after $us us, peak $rss KiB"
	[ "$us" -lt 1000000 ]
	[ "$rss" -lt 65536 ]
	grep -q "event=ledger_opened ledger_size=$n" "$WORK/ca.log" || grep -q "event=ledger_opened ledger_size=$((n + 1))" "$WORK/ca.log"
}

# The benchmark's long ledger: what it measures is one that the signer would have made.
@test "a ledger that was filled is whole, and has the indices of any other" {
	local state="$WORK/hufu/var/lib/hufu-ca"
	indices() { python3 -c 'import sqlite3, sys; print(*sorted(n for n, in sqlite3.connect(sys.argv[1]).execute("SELECT name FROM sqlite_schema WHERE type = \"index\"")))' "$state/ledger.db"; }
	indices >"$WORK/before"
	"$build/tests/process/long_ledger" "$state" 5000 certificates
	indices >"$WORK/after"
	grep -q certificate_line "$WORK/before"
	cmp "$WORK/before" "$WORK/after"
	run "$build/ca/hufu-ca" ledger check --config "$WORK/hufu/etc/hufu/ca.yaml"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"5000 entries"*"2499 certificates issued, 0 intents open"*"good: every entry"* ]]
}
