#!/usr/bin/env bats
# The walls that each program that runs on puts around itself (signer, desk, gate in both roles, notifier): on the running programs, and from inside by a probe with the same walls.

load ../helpers

setup_file() {
	need_root && make_users
	for user in hufu-gate hufu-portal hufu-notify; do
		id $user >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin $user
	done
	WORK=$(new_dir)
	export WORK DIR=$WORK/hufu
	echo "a passphrase of the tests" >"$WORK/pass"
	"$hufu" init --ca-user hufu-ca --ra-user hufu-ra --notify-user hufu-notify --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	mkfifo "$WORK/ready"
	"$hufu" --config "$DIR/etc/hufu/hufu.yaml" up --logs --passphrase-fd 4 4<"$WORK/pass" >"$WORK/ready" 2>"$WORK/up.log" 3>&- &
	echo $! >"$WORK/up.pid"
	read -r line <"$WORK/ready" # "up: …": both are ready
	[[ "$line" == up:* ]] || { cat "$WORK/up.log" "$DIR"/var/log/*; return 1; }
	pgrep -u hufu-ca -f "$DIR/etc/hufu/ca.yaml" >"$WORK/ca.pid"
	pgrep -u hufu-ra -f "$DIR/etc/hufu/ra.yaml" >"$WORK/ra.pid"
	ca_log=$DIR/var/log/hufu-ca.log
	ra_log=$DIR/var/log/hufu-ra.log
	export ca_log ra_log
	edge_configs
	runs gate hufu-gate "$build/ra/gate/hufu-gate"
	runs portal hufu-portal "$build/ra/gate/hufu-gate"
	runs notifier hufu-notify "$build/ra/notify/hufu-notifier"
}

all="ca ra gate portal notifier"
user_of() { if [ "$1" = notifier ]; then echo hufu-notify; else echo "hufu-$1"; fi; }
log_of() { if [ -e "$WORK/$1.log" ]; then echo "$WORK/$1.log"; else echo "$DIR/var/log/hufu-$1.log"; fi; }

# Unix sockets to listen on, so that the walls open their folder; a key of the responder; servers of the notifier on ports where nobody listens.
edge_configs() {
	local etc=$DIR/etc/hufu d ports
	chown -R hufu-gate: "$DIR/var/lib/hufu-gate"
	for d in gate portal; do
		mkdir "$WORK/$d.run" && chown "hufu-$d:" "$WORK/$d.run"
		sed -i "s|^listen: .*|listen: $WORK/$d.run/public.sock|; s|^metrics: .*|metrics: $WORK/$d.run/metrics.sock|" "$etc/$d.yaml"
	done
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$etc/ocsp.key" 2>/dev/null
	chown hufu-gate: "$etc/ocsp.key" && chmod 600 "$etc/ocsp.key"
	echo 'responder: {keys: [etc/hufu/ocsp.key]}' >>"$etc/gate.yaml"
	ports=$(python3 -c 'import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
	cat >"$etc/notifier.yaml" <<-YAML
		desk_socket: run/hufu/ra/desk.sock
		state: var/lib/hufu-notify
		sms: {by: gateway, gateway: {url: "https://localhost:${ports% *}/send", template: '{"to": "{mobile}", "text": "{text}"}', field: code, success: ["0"]}}
		mail: {by: smtp, smtp: {host: localhost, port: ${ports#* }, from: desk@example.com}}
	YAML
}

# runs NAME USER PROGRAM: until it is ready.
runs() {
	setpriv --reuid "$2" --regid "$2" --init-groups "$3" --config "$DIR/etc/hufu/$1.yaml" 2>"$WORK/$1.log" 3>&- &
	echo $! >"$WORK/$1.pid"
	eventually 'event=ready' 1 "$WORK/$1.log"
}

teardown_file() {
	for d in up gate portal notifier; do
		[ -e "$WORK/$d.pid" ] || continue
		kill "$(cat "$WORK/$d.pid")" 2>/dev/null
		until_gone "$(cat "$WORK/$d.pid")"
	done
	rm -rf "$WORK"
}

# eventually PATTERN N FILE: until N lines match, for twenty seconds.
eventually() {
	local end=$((SECONDS + 20))
	until [ "$(grep -c -- "$1" "$3")" -ge "$2" ]; do
		[ $SECONDS -lt $end ] || { cat "$3"; return 1; }
	done
}

@test "every thread of every daemon has no new privileges and a filter of system calls" {
	for d in $all; do
		n=0
		for status in /proc/"$(cat "$WORK/$d.pid")"/task/*/status; do
			grep -qx 'NoNewPrivs:	1' "$status"
			grep -qx 'Seccomp:	2' "$status"
			n=$((n + 1))
		done
		echo "hufu-$d: $n threads"
		[ "$n" -gt 5 ] # its workers were looked at too
	done
}

@test "the walls stand before anything is opened, and the log says which" {
	for d in $all; do
		log=$(log_of $d)
		[ "$(grep -c 'event=sandbox seccomp=1 landlock_abi=[0-9]' "$log")" = 1 ]
		grep -nE 'event=(sandbox seccomp|unlocked|policy_loaded|ready)' "$log" | head -n 1 | grep -q 'event=sandbox'
		# Without Landlock it is said aloud, once; with it, not.
		without=$(grep -c 'event=sandbox_without_landlock' "$log" || true)
		if grep -q 'landlock_abi=0' "$log"; then [ "$without" = 1 ]; else [ "$without" = 0 ]; fi
	done
}

@test "the signer's secrets lie in locked memory" {
	run awk '/^VmLck/ {print $2}' "/proc/$(cat "$WORK/ca.pid")/status"
	echo "$output KiB"
	limit=$(ulimit -l)
	if [ "$limit" = unlimited ] || [ "$limit" -ge 4096 ]; then
		[ "$output" -ge 2048 ] # libcrypto's room for keys is 2 MiB
		run grep -c memory_not_locked "$ca_log"
		[ "$output" = 0 ]
	else
		grep -q memory_not_locked "$ca_log"
	fi
}

@test "no core is dumped, and not even the daemon's own Unix user reads its memory or traces it" {
	for d in $all; do
		pid=$(cat "$WORK/$d.pid") user=$(user_of $d)
		grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits"
		[ "$(stat -c %U "/proc/$pid/environ")" = root ] # proc(5): so it is when a process cannot be dumped
		own=(setpriv --reuid "$user" --regid "$user" --clear-groups)
		for file in mem environ maps; do
			run "${own[@]}" head -c 1 "/proc/$pid/$file"
			echo "$output"
			[[ "$output" == *"Permission denied"* ]]
		done
		run "${own[@]}" strace -p "$pid" -o /dev/null
		echo "$output"
		[[ "$output" == *"Operation not permitted"* ]]
		"${own[@]}" tail -f /dev/null 3>&- & # the same questions to a process that is not walled
		plain=$!
		end=$((SECONDS + 10))
		until [ "$(stat -c %U "/proc/$plain/environ")" = "$user" ] || [ $SECONDS -ge $end ]; do :; done
		"${own[@]}" head -c 1 "/proc/$plain/environ" >/dev/null
		kill $plain
	done
}

@test "no descriptor of before stays open: not the passphrase's, nobody's" {
	for d in $all; do
		run bash -c "cd /proc/$(cat "$WORK/$d.pid")/fd && for fd in *; do [ \$fd -le 2 ] || readlink \$fd; done"
		echo "$output"
		[[ "$output" == *socket:* ]]
		[[ "$output" != *pipe:* ]]
		[[ "$output" != *"$WORK/pass"* ]]
	done
}

probe() {
	mkdir -p "$WORK/foreign"
	run "$build/tests/process/sandbox_probe" "$1" "$DIR/etc/hufu/$1.yaml" "$WORK/foreign"
	grep -v '^ok' <<<"$output"
	[ "$status" = 0 ]
	[[ "$output" == *" asked, 0 wrong"* ]]
	if [[ "$output" == *"no Landlock"* ]]; then skip "no Landlock in this kernel"; fi
	[[ "$output" == *"ok read another user's secret (walled): Permission denied"* ]]
	[[ "$output" == *"ok $2"* ]]
}

@test "from inside the signer's walls: root reads, writes, traces, starts, connects to nothing that the signer does not need" { probe ca "open a TCP socket (walled): ended by Bad system call"; }

@test "from inside the desk's walls: the same" { probe ra "open a TCP socket (walled): ended by Bad system call"; }

@test "from inside the gate's walls: the same; it takes connections and makes none but to the desk" { probe gate "open a TCP socket (walled): ended by Bad system call"; }

@test "from inside the portal's walls: the same, and it has no folder to write in" {
	probe portal "open a TCP socket (walled): ended by Bad system call"
	[[ "$output" != *"in its state"* ]]
}

@test "from inside the notifier's walls: the same, and of the network the ports of its two servers alone" {
	probe notifier "connect to a foreign port (walled): Permission denied"
	[[ "$output" == *"ok connect to its mail server's port (walled): Connection refused"* ]]
}

@test "SIGHUP reads again what was replaced by a rename: configuration, roster, policies" {
	etc=$DIR/etc/hufu
	cp -p "$etc/ca.yaml" "$etc/ca.yaml.new"
	echo 'log: debug' >>"$etc/ca.yaml.new"
	mv "$etc/ca.yaml.new" "$etc/ca.yaml"
	kill -HUP "$(cat "$WORK/ca.pid")"
	eventually 'event=reloaded' 1 "$ca_log"
	for f in roster.note policies/policy.note policies/profiles/organisation.yaml; do
		cp -p "$etc/$f" "$etc/$f.new"
		mv "$etc/$f.new" "$etc/$f"
	done
	before=$(grep -c 'event=policy_loaded' "$ra_log")
	kill -HUP "$(cat "$WORK/ra.pid")"
	eventually 'event=policy_loaded' $((before + 1)) "$ra_log"
	eventually 'event=roster_loaded' $((before + 1)) "$ra_log"
	run grep -h 'reload_failed' "$ca_log" "$ra_log"
	[ "$status" = 1 ] || { echo "$output"; false; }
}

@test "what SIGHUP must read and may not is said, and the daemon lives on by what it had" {
	etc=$DIR/etc/hufu
	mkdir "$WORK/elsewhere"
	mv "$etc/roster.note" "$WORK/elsewhere/"
	ln -s "$WORK/elsewhere/roster.note" "$etc/roster.note"
	chmod 755 "$WORK/elsewhere"
	kill -HUP "$(cat "$WORK/ra.pid")"
	eventually 'event=reload_failed.*roster.note.*Permission denied' 1 "$ra_log"
	rm "$etc/roster.note"
	mv "$WORK/elsewhere/roster.note" "$etc/"
	"$hufu" --config "$etc/hufu.yaml" health
}

@test "the sample units of systemd let the programs put up their walls" {
	for d in $all; do
		unit=docs/systemd/hufu-$d.service
		for call in landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp; do
			grep -qE "^SystemCallFilter=([a-z_]+ )*$call( |\$)" "$root/$unit" || { echo "$unit: $call is missing"; return 1; }
		done
	done
}

@test "both end with exit code 0 when they are told to stop" {
	kill "$(cat "$WORK/up.pid")"
	until_gone "$(cat "$WORK/up.pid")"
	for d in ca ra; do
		user=hufu-$d
		setpriv --reuid "$user" --regid "$user" --init-groups "$build/$d/hufu-$d" --config "$DIR/etc/hufu/$d.yaml" 2>"$WORK/$d.log" 3>&- &
		pid=$!
		eventually 'event=ready' 1 "$WORK/$d.log"
		kill -TERM $pid
		status=0
		wait $pid || status=$?
		cat "$WORK/$d.log"
		[ "$status" = 0 ]
	done
}
