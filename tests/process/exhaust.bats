#!/usr/bin/env bats
# What there is too little of: descriptors, room on the desk's disk, the right to write there. Each is refused while it lasts, loses nothing, and needs
# nobody's hand afterwards.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	"$hufu" init --ca-user hufu-ca --ra-user hufu-ra --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	STATE=$DIR/var/lib/hufu-ra
	export STATE
	cp -a "$STATE" "$WORK/state"
	mount -t tmpfs -o "size=6m,mode=700,uid=$(id -u hufu-ra),gid=$(id -g hufu-ra)" tmpfs "$STATE"
	cp -a "$WORK/state/." "$STATE"
	echo "materials: {free_mib: 0}" >>"$DIR/etc/hufu/ra.yaml"
	ulimit -Sn 64
	up
}

teardown_file() {
	down
	umount "$STATE"
	rm -rf "$WORK"
}

teardown() { [ ! -e "$WORK/crowd.pid" ] || leave; }

# crowd SOCKET: keeps connecting until nobody takes the next connection any more.
crowd() {
	mkfifo "$WORK/crowd"
	/usr/bin/python3 - "$1" >"$WORK/crowd" <<'P' &
import signal, socket, sys
taken = []
while True:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(1)
    taken.append(s)
    try:
        s.connect(sys.argv[1])
        if len(s.recv(8)) < 8: break
    except OSError:
        break
print(len(taken), flush=True)
signal.pause()
P
	echo $! >"$WORK/crowd.pid"
	read -r crowd <"$WORK/crowd"
	rm "$WORK/crowd"
}

leave() {
	kill "$(cat "$WORK/crowd.pid")" 2>/dev/null || :
	until_gone "$(cat "$WORK/crowd.pid")"
	rm -f "$WORK/crowd.pid"
}

# few PROGRAM SOCKET CHECK…: so many connections that it has no descriptor left; all is as before when the crowd has gone.
few() {
	crowd "$2"
	echo "$crowd connections"
	grep -q "event=accept_failed" "$DIR/var/log/hufu-$1.log"
	[ "$crowd" -gt 2 ]
	[ "$crowd" -le 64 ]
	leave
	did "${@:3}"
	both_live
}

@test "the signer has no descriptor left: the next one waits at the door, and it goes on when some have left" {
	few ca "$DIR/run/hufu/operator/ca.sock" hufu health --signer
}

@test "the desk has no descriptor left: the same" {
	few ra "$DIR/run/hufu/ra/desk.sock" hufu health
}

add() { hufu token add --as alice --model ePass3003 "$1"; }

# lies SERIAL STATE: the desk has it on record, or not.
known() { did hufu token record "$1"; }
unknown() { fails 1 not_found hufu token record "$1"; }

@test "the desk's disk is full: a change is refused as busy, reading goes on; with room again the same is done" {
	add 0000000000000001
	dd if=/dev/zero of="$STATE/filler" bs=4096 2>/dev/null || : # to the last block
	local n=2 full=
	while [ $n -lt 400 ] && [ -z "$full" ]; do
		run add "$(printf '%016x' $n)"
		[ "$status" = 0 ] && n=$((n + 1)) || full=1
	done
	echo "$n: $output"
	[ "$status" = 3 ]
	said "[disk_full]"
	known "$(printf '%016x' $((n - 1)))"
	rm "$STATE/filler"
	did add "$(printf '%016x' $n)"
	known "$(printf '%016x' $n)"
	both_live
}

@test "the desk's disk is read-only at the start: it does not start, and says why" {
	down
	mount -o remount,ro "$STATE"
	run "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml"
	mount -o remount,rw "$STATE"
	echo "$output"
	[ "$status" = 1 ]
	up
	did add 00000000000ffff1
}
