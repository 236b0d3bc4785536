#!/usr/bin/env bats
# What disks, clocks and people do to a ledger: each ends in a clear state, loses nothing that was answered, and signs nothing that is not recorded. The
# real signer on a real file system; it issues by its operator's socket, and every receipt of an answered certificate is verified at the end of each.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	WORK=$(new_dir)
	export WORK DIR=$WORK/hufu
	export HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml STATE=$DIR/var/lib/hufu-ca
	echo 'a passphrase of the tests' >"$WORK/pass"
	"$hufu" init --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	mkdir "$WORK/answered"
	start
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WORK/ocsp.key"
	openssl pkey -in "$WORK/ocsp.key" -pubout -out "$WORK/ocsp.pub"
	hufu roster note --add responder:ocsp-1="$WORK/ocsp.pub" "$WORK/roster-2.note"
	for who in alice bob; do hufu roster sign --yes --key "$DIR/home/$who/$who.key" "$WORK/roster-2.note"; done
	hufu roster submit "$WORK/roster-2.note"
	cp "$WORK/roster-2.note" "$DIR/etc/hufu/roster.note"
	stop
}

teardown_file() {
	desk_down
	stop
	! mountpoint -q "$STATE" || umount "$STATE"
	rm -rf "$WORK"
}

setup() { [ -e "$WORK/pid" ] || start; }

# start [NAME=VALUE…]: the signer, unlocked, until it says that it is ready; with these in its environment.
start() {
	exec 5<"$WORK/pass"
	/usr/bin/python3 - "$WORK/notify" "$build/ca/hufu-ca" "$DIR/etc/hufu/ca.yaml" "$WORK" "$@" <<'P'
import os, socket, subprocess, sys
path, program, config, work = sys.argv[1:5]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(60)
env = dict(os.environ, NOTIFY_SOCKET=path, **dict(a.split("=", 1) for a in sys.argv[5:]))
p = subprocess.Popen([program, "--config", config, "--passphrase-fd", "5"], env=env, stderr=open(work + "/ca.log", "a"), stdout=subprocess.DEVNULL,
	pass_fds=(5,), start_new_session=True)
open(work + "/pid", "w").write(str(p.pid))
while b"READY=1" not in s.recv(4096): pass
P
	exec 5<&-
	rm -f "$WORK/notify"
}

# gone: the signer has ended, by itself.
gone() {
	until_gone "$(cat "$WORK/pid")"
	rm -f "$WORK/pid"
}

stop() {
	[ -e "$WORK/pid" ] || return 0
	kill "$(cat "$WORK/pid")" 2>/dev/null || :
	gone
}

# renew: one certificate; answered ones are kept with the id of their tally, which only the log tells.
renew() {
	hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/new.crt" || return
	cp "$WORK/new.crt" "$WORK/answered/$(grep -o 'event=issued .*kind=responder tally=[0-9a-f]*' "$WORK/ca.log" | tail -n1 | sed 's/.*tally=//').crt"
}

issued_entries() { hufu ledger check | sed -n 's/^\([0-9]*\) certificates issued.*/\1/p'; }

# whole: the full scan finds nothing, and every certificate that was answered has a receipt that holds.
whole() {
	local cert n=0
	did hufu ledger check
	said "good: every entry"
	for cert in "$WORK"/answered/*.crt; do
		hufu receipt --operator --out "$WORK/receipt" "$(basename "$cert" .crt)" >/dev/null
		hufu verify --log-key "$DIR/etc/hufu/log.vkey" --roster "$WORK/roster-2.note" "$cert" "$WORK/receipt" >"$WORK/verified" || { cat "$WORK/verified"; return 1; }
		n=$((n + 1))
	done
	echo "$n answered"
	[ $n -ge 1 ]
}

@test "two signers on one ledger: the second ends before it reads a byte of it, and the first goes on" {
	renew
	run "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml"
	echo "$output"
	[ "$status" = 4 ]
	said "rule=ledger_locked" "another signer runs on this ledger"
	renew
	whole
}

@test "the disk is full: refused, and asked again it goes on as soon as there is room" {
	stop
	cp -a "$STATE" "$WORK/state"
	mount -t tmpfs -o size=6m,mode=700 tmpfs "$STATE"
	cp -a "$WORK/state/." "$STATE"
	start
	renew
	dd if=/dev/zero of="$STATE/filler" bs=4096 2>/dev/null || : # to the last block
	local n=0 full=
	while [ $n -lt 400 ] && [ -z "$full" ]; do
		renew >"$WORK/said" 2>&1 || full=1
		n=$((n + 1))
	done
	cat "$WORK/said"
	grep -q "disk_full" "$WORK/said"
	run renew
	[ "$status" = 3 ]
	said "[disk_full]"
	did hufu health --signer
	said "state: open"
	rm "$STATE/filler"
	renew
	whole
	said "0 intents open"
	stop
	cp -a "$STATE/." "$WORK/state"
	umount "$STATE"
	cp -a "$WORK/state/." "$STATE"
	start
	whole
}

fails_at() { # WORD: what the disk does at the next write
	stop
	start LD_PRELOAD="$build/tests/process/disk_fault.so" HUFU_TEST_FAULT="$STATE/fault"
	renew
	echo "$1" >"$STATE/fault"
	run renew
	[ "$status" != 0 ]
	gone
	rm "$STATE/fault"
}

@test "a flush fails, a write fails: nobody is answered, the signer ends, and the next start knows what the disk holds" {
	local word
	for word in sync write; do
		fails_at $word
		grep -q 'event=ledger_broken' "$WORK/ca.log"
		tail -n1 "$WORK/ca.log" | grep -q 'rule=ledger_broken'
		start
		whole
		renew
		whole
		stop
	done
}

@test "a torn write: what was half written is as if it had not been" {
	fails_at torn
	start
	whole
	renew
	whole
}

@test "the clock goes back: nothing is signed while it is in doubt, and nothing is lost" {
	renew
	stop
	local before
	before=$(issued_entries)
	start LD_PRELOAD="$build/tests/process/clock_shift.so" HUFU_TEST_CLOCK_AHEAD=-7200
	run renew
	echo "$output"
	[ "$status" = 3 ]
	said "[clock_jump]"
	run hufu health --signer
	[ "$status" = 5 ]
	said "clock in doubt"
	stop
	same "$(issued_entries)" "$before"
	start
	renew
	whole
}

@test "an older file in its place while it runs: nobody is answered, what it holds is written down, and it goes on from there" {
	hufu ledger backup "$WORK/older.db"
	sqlite3_unmark "$WORK/older.db"
	renew
	renew
	mv "$WORK/older.db" "$STATE/ledger.db"
	rm "$STATE/ledger.db-wal" "$STATE/ledger.db-shm" # else SQLite would find all of it there again
	run renew
	echo "$output"
	[ "$status" != 0 ]
	gone
	grep -q 'event=ledger_rescued' "$WORK/ca.log"
	grep -q 'rule=ledger_swapped' "$WORK/ca.log"
	# What was put there is behind what the signer wrote down.
	start
	run renew
	echo "$output"
	[ "$status" = 3 ]
	said "[ledger_waits]"
	stop
	rm -f "$STATE"/ledger.db-wal "$STATE"/ledger.db-shm
	mv "$STATE"/ledger-rescued-*.db "$STATE/ledger.db"
	start
	run renew
	said "[ledger_waits]"
	hufu ledger head >"$WORK/head.note"
	did hufu ledger resume --checkpoint "$WORK/head.note" --word "somebody put an older file there; the rescued one is whole"
	said "0 entries are lost"
	eventually renew
	whole
}

# A copy as `cp` makes it: without the mark of a backup.
sqlite3_unmark() { python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM waiting"); db.commit()' "$1"; }

@test "an older file in its place at the start: it waits, and says how much is missing" {
	hufu ledger backup "$WORK/older.db"
	sqlite3_unmark "$WORK/older.db"
	renew
	stop
	start # writes down where it stands
	eventually noted
	stop
	cp "$STATE/ledger.db" "$WORK/newer.db"
	[ ! -s "$STATE/ledger.db-wal" ]
	cp "$WORK/older.db" "$STATE/ledger.db"
	start
	run renew
	said "[ledger_waits]"
	run hufu health --signer
	[ "$status" = 5 ]
	told "ledger_waits: true" "newest_checkpoint: [0-9]+"
	refused restore_lost hufu ledger resume --word "as it is"
	stop
	cp "$WORK/newer.db" "$STATE/ledger.db"
	start
	# It was made to wait in the other file, not in this one.
	renew
	whole
}

noted() { [ "$(sed -n 2p "$STATE/head.note")" -ge "$(hufu --json health --signer | field signer.ledger_size)" ]; }

# --- a ledger that is another ---

# desk_up, desk_down: the desk beside the signer.
desk_up() {
	"$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml" 2>>"$WORK/ra.log" 3>&- &
	echo $! >"$WORK/ra.pid"
	eventually desk_says desk.queue 0
}
desk_down() {
	[ -e "$WORK/ra.pid" ] || return 0
	kill "$(cat "$WORK/ra.pid")" 2>/dev/null || :
	until_gone "$(cat "$WORK/ra.pid")"
	rm -f "$WORK/ra.pid"
}
desk_says() { [ "$(hufu --json health --desk | field "$1")" = "$2" ]; }
followed_all() { desk_says desk.lag 0; }
worried() { hufu --json health --desk | grep -q '"ledger_fork"'; }
size() { hufu --json health --signer | field signer.ledger_size; }
import() { hufu rpc --call-id import.accounts '{"rows": [{"line": 1}], "dry_run": false}'; }

@test "another history in its place, longer than the first: the desk that followed the first says so and takes no work" {
	local first second
	stop
	cp -a "$STATE" "$WORK/before"
	start
	renew
	renew
	desk_up
	eventually followed_all
	first=$(size)
	desk_down
	stop
	mv "$STATE" "$WORK/first"
	cp -a "$WORK/before" "$STATE"
	start
	for i in 1 2 3 4; do hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/other-$i.crt"; done
	second=$(size)
	[ "$second" -gt "$first" ]
	desk_up
	eventually worried
	grep -q 'event=ledger_fork audit=1' "$WORK/ra.log"
	run import
	echo "$output"
	[ "$status" = 3 ]
	said "ledger_fork"
	# The signer has been shown what the desk holds: it signs nothing in this history any more.
	eventually waits_for_word
	desk_down
	stop
	rm -rf "$STATE"
	mv "$WORK/first" "$STATE"
	start
	: >"$WORK/ra.log"
	desk_up
	eventually followed_all
	! worried || false
	desk_down
	whole
}

waits_for_word() {
	run hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/none.crt"
	[[ "$output" == *"[ledger_waits]"* ]]
}
