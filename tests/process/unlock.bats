#!/usr/bin/env bats
# Where the passphrase of the CA key comes from: a descriptor, a credentials folder, or the operator; never an argument or the environment.

load ../helpers

setup_file() {
	WORK=$(new_dir)
	export WORK DIR=$WORK/hufu
	export HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml
	mkdir -m 700 "$WORK/credentials"
	printf 'a passphrase of the tests\n' >"$WORK/credentials/ca-passphrase"
	printf 'another passphrase\n' >"$WORK/wrong"
	chmod 600 "$WORK/credentials/ca-passphrase"
	"$hufu" init --passphrase-fd 4 "$DIR" 4<"$WORK/credentials/ca-passphrase" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
}

teardown_file() { rm -rf "$WORK"; }

teardown() { if [ -n "${pid:-}" ]; then kill "$pid"; until_gone "$pid"; fi; }

# start [ENV=VALUE]: the signer, until it says on its notification socket that it is ready.
start() {
	/usr/bin/python3 - "$WORK/notify" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
while b"READY=1" not in s.recv(4096): pass
P
	local waiter=$!
	until [ -S "$WORK/notify" ]; do :; done
	env "$@" NOTIFY_SOCKET="$WORK/notify" "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml" 2>"$WORK/ca.log" 3>&- &
	pid=$!
	wait $waiter
	rm -f "$WORK/notify"
}

@test "without a passphrase it starts locked, refuses with a clear word, and the operator opens it" {
	start A=b
	grep -q 'event=ready.*locked=1' "$WORK/ca.log"
	run "$hufu" cert revoke --reason superseded --operator --key "$DIR/home/alice/alice.key" --yes 0102
	echo "$output"
	[ "$status" = 3 ]
	[[ "$output" == *locked* ]]
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/wrong"
	echo "$output"
	[ "$status" = 2 ]
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/credentials/ca-passphrase"
	echo "$output"
	[ "$status" = 0 ]
	run "$hufu" cert revoke --reason superseded --operator --key "$DIR/home/alice/alice.key" --yes 0102
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *predecessor_unknown* ]]
}

@test "a credentials folder opens it at the start" {
	start CREDENTIALS_DIRECTORY="$WORK/credentials"
	grep -q 'event=ready.*locked=0' "$WORK/ca.log"
}

@test "a second signer on the same ledger refuses to start" {
	start CREDENTIALS_DIRECTORY="$WORK/credentials"
	run "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml"
	echo "$output"
	[ "$status" != 0 ]
	kill -0 "$pid"
}

@test "a wrong passphrase from a descriptor ends the start with a message" {
	run "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml" --passphrase-fd 4 4<"$WORK/wrong"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" == *passphrase* ]]
	[[ "$output" != *"another passphrase"* ]]
}

@test "a sealed key that was altered is refused" {
	cp "$DIR/var/lib/hufu-ca/issuing.key" "$WORK/issuing.key"
	alter "$DIR/var/lib/hufu-ca/issuing.key" 200
	run "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml" --passphrase-fd 4 4<"$WORK/credentials/ca-passphrase"
	cp "$WORK/issuing.key" "$DIR/var/lib/hufu-ca/issuing.key"
	echo "$output"
	[ "$status" != 0 ]
}
