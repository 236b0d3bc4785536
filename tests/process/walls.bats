#!/usr/bin/env bats
# Two real processes under two Unix users: what the RA's user can't do to the signer.

load ../helpers

setup_file() {
	need_root && make_users
	WORK=$(new_dir)
	export WORK DIR=$WORK/hufu
	echo "a passphrase of the tests" >"$WORK/pass"
	"$hufu" init --ca-user hufu-ca --ra-user hufu-ra --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	mkfifo "$WORK/ready"
	"$hufu" --config "$DIR/etc/hufu/hufu.yaml" up --logs --passphrase-fd 4 4<"$WORK/pass" >"$WORK/ready" 2>"$WORK/up.log" 3>&- &
	echo $! >"$WORK/up.pid"
	read -r line <"$WORK/ready" # "up: …": both are ready
	[[ "$line" == up:* ]] || { cat "$WORK/up.log" "$DIR"/var/log/*; return 1; }
	pgrep -u hufu-ca -f "$DIR/etc/hufu/ca.yaml" >"$WORK/ca.pid"
}

teardown_file() {
	kill "$(cat "$WORK/up.pid")" 2>/dev/null
	until_gone "$(cat "$WORK/up.pid")"
	rm -rf "$WORK"
}

as_ra() { setpriv --reuid hufu-ra --regid hufu-ra --init-groups "$@"; }

@test "the signer and the desk run as two users" {
	[ "$(ps -o user= -p "$(cat "$WORK/ca.pid")")" = hufu-ca ]
	run pgrep -u hufu-ra -f "$DIR/etc/hufu/ra.yaml"
	[ "$status" = 0 ]
}

@test "the RA's user can't read the signer's folder" {
	run as_ra ls "$DIR/var/lib/hufu-ca"
	[ "$status" != 0 ]
	[[ "$output" == *"Permission denied"* ]]
	for f in ledger.db issuing.key; do
		[ -e "$DIR/var/lib/hufu-ca/$f" ]
		run as_ra cat "$DIR/var/lib/hufu-ca/$f"
		[ "$status" != 0 ]
		[[ "$output" == *"Permission denied"* ]]
	done
}

@test "the RA's user can't trace the signer or read its memory" {
	pid=$(cat "$WORK/ca.pid")
	run as_ra strace -p "$pid" -o /dev/null
	[ "$status" != 0 ]
	[[ "$output" == *"Operation not permitted"* ]]
	run as_ra cat "/proc/$pid/mem"
	[ "$status" != 0 ]
	run as_ra cat "/proc/$pid/environ"
	[ "$status" != 0 ]
	run as_ra kill -TERM "$pid"
	[ "$status" != 0 ]
}

@test "the RA's user reaches the RA's socket and no other of the signer" {
	connect='import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1]); print(len(s.recv(8)))'
	run as_ra /usr/bin/python3 -c "$connect" "$DIR/run/hufu/ca/ra.sock"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = 8 ] # the greeting
	run as_ra /usr/bin/python3 -c "$connect" "$DIR/run/hufu/operator/ca.sock"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" == *"PermissionError"* ]]
}

@test "the signer listens on nothing but its two Unix sockets" {
	pid=$(cat "$WORK/ca.pid")
	inodes=$(readlink /proc/"$pid"/fd/* | sed -n 's/socket:\[\(.*\)\]/\1/p')
	for i in $inodes; do
		run grep -w "$i" /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
		[ "$status" = 1 ]
	done
	[ "$(for i in $inodes; do grep -w "$i" /proc/net/unix; done | grep -c "$DIR/run")" -ge 2 ]
}

@test "even with the folder opened wide, the signer's socket refuses another user" {
	chmod 755 "$DIR/run/hufu/operator"
	chmod 666 "$DIR/run/hufu/operator/ca.sock"
	run as_ra /usr/bin/python3 -c 'import socket,sys
s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
s.sendall(b"\0SP\0\0\x30\0\0"); print(len(s.recv(64)) and len(s.recv(64)))' "$DIR/run/hufu/operator/ca.sock"
	echo "$output"
	chmod 660 "$DIR/run/hufu/operator/ca.sock"
	chmod 2750 "$DIR/run/hufu/operator"
	[ "$output" = 0 ] || [[ "$output" == *ConnectionReset* ]] || [[ "$output" == *BrokenPipe* ]]
}

@test "files are 0600, folders 0700, sockets 0660" {
	[ "$(stat -c %a "$DIR/var/lib/hufu-ca")" = 700 ]
	[ "$(stat -c %a "$DIR/var/lib/hufu-ra")" = 700 ]
	run find "$DIR/var/lib" -type f -perm /077
	[ -z "$output" ]
	for s in ca/ra.sock operator/ca.sock ra/desk.sock; do
		[ "$(stat -c %a "$DIR/run/hufu/$s")" = 660 ]
	done
}

@test "idle, both programs stay below 20 MiB" {
	for p in hufu-ca:ca.yaml hufu-ra:ra.yaml; do
		pid=$(pgrep -u "${p%%:*}" -f "$DIR/etc/hufu/${p##*:}")
		rss=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
		echo "$p: $rss KiB"
		[ "$rss" -lt 20480 ]
	done
}

@test "no secret is in an argument list or the environment" {
	secret=$(cat "$WORK/pass")
	for pid in $(pgrep -f "$DIR/etc/hufu"); do
		run grep -aF "$secret" "/proc/$pid/cmdline" "/proc/$pid/environ"
		[ "$status" = 1 ]
	done
	run grep -rF "$secret" "$DIR/var/log"
	[ "$status" = 1 ]
}
