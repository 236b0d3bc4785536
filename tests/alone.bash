# A signer that runs alone, without a desk, for stories of its operator: $WORK is the story's folder, $DIR the tree, $WORK/pass the passphrase.

source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# start [passphrase]: the signer, until it says that it is ready.
start() {
	exec 5<"$WORK/pass"
	/usr/bin/python3 - "$WORK/notify" "$build/ca/hufu-ca" "$DIR/etc/hufu/ca.yaml" "$WORK" "${1:-}" <<'P'
import os, socket, subprocess, sys
path, program, config, work, passphrase = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(60)
args = [program, "--config", config] + (["--passphrase-fd", "5"] if passphrase else [])
p = subprocess.Popen(args, env=dict(os.environ, NOTIFY_SOCKET=path), stderr=open(work + "/ca.log", "a"), stdout=subprocess.DEVNULL,
	pass_fds=(5,) if passphrase else (), start_new_session=True)
open(work + "/pid", "w").write(str(p.pid))
while b"READY=1" not in s.recv(4096): pass
P
	exec 5<&-
	rm -f "$WORK/notify"
}

stop() {
	local pid
	pid=$(cat "$WORK/pid")
	kill "$pid"
	tail --pid="$pid" -f /dev/null
	rm -f "$WORK/pid"
}

restart() {
	stop
	start "$@"
}
