# A signer that runs alone, without a desk, for stories of its operator: $WORK is the story's folder, $DIR the tree, $WORK/pass the passphrase.

source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# launch NAME COMMAND…: a program, until it says that it is ready; NAME.pid, NAME.log. It gets descriptor 5, where that is open.
launch() {
	/usr/bin/python3 - "$WORK/$1" "${@:2}" <<'P'
import os, socket, subprocess, sys
stem, command = sys.argv[1], sys.argv[2:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(stem + ".notify")
s.settimeout(60)
p = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=stem + ".notify"), stderr=open(stem + ".log", "a"), stdout=subprocess.DEVNULL,
	pass_fds=(5,) if os.path.exists("/proc/self/fd/5") else (), start_new_session=True)
open(stem + ".pid", "w").write(str(p.pid))
while b"READY=1" not in s.recv(4096): pass
os.unlink(stem + ".notify")
P
}

# ended NAME: what was launched is told to end, and has.
ended() {
	local pid
	[ -e "$WORK/$1.pid" ] || return 0
	pid=$(cat "$WORK/$1.pid")
	kill "$pid"
	until_gone "$pid"
	rm -f "$WORK/$1.pid"
}

# start [passphrase]: the signer.
start() {
	local command=("$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml")
	if [ -z "${1:-}" ]; then
		launch ca "${command[@]}" 5<&-
	else
		launch ca "${command[@]}" --passphrase-fd 5 5<"$WORK/pass"
	fi
}

stop() { ended ca; }

restart() {
	stop
	start "$@"
}
