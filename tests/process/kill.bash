# The desk dies by kill -9 in a write path. A call is killed before its change is written, at the flush of its commit, and when it is about to be
# answered; the same call with the same call_id then gives the answer, and what it does is there once. `once` is a row: a call that changes has one in
# some kill_*.bats, and kill.bats holds the files to that.

bats_require_minimum_version 1.5.0
source "$(dirname "${BASH_SOURCE[0]}")/../live.bash"

# kill_begin: an old authority; then its organisations follow (organisation …), and kill_up [LINE OF RA.YAML…].
kill_begin() {
	live_begin
	old_authority
	csv_begin
}

# organisation STEM SERIAL NAME IDENTIFIER SERVICE: with a certificate of the old authority and a service.
organisation() {
	old_cert "$1" "$2" "$3" "$4"
	csv_row "$4" "$3" "$5" "+200 days" "$3" "$2" "$1"
}

# kill_up LINE…: those lines in ra.yaml; both programs start, each by itself. AT_HOME="STEM IDENTIFIER …": they have a password. A function after_init may
# put files of its own into the tree.
kill_up() {
	local line at=(${AT_HOME:-})
	old_crl
	init >/dev/null
	! declare -F after_init >/dev/null || after_init
	for line in 'sms: {resend_seconds: 1, per_address_hour: 10000}' "$@"; do
		echo "$line" >>"$DIR/etc/hufu/ra.yaml"
	done
	up
	import >/dev/null
	for ((line = 0; line < ${#at[@]}; line += 2)); do
		at_home "${at[line]}" "${at[line + 1]}" >/dev/null
	done
	down
	ca_up
	ra_up
}

kill_end() {
	kill "$(cat "$WORK/ra.pid")" "$(cat "$WORK/ca.pid")" 2>/dev/null
	until_gone "$(cat "$WORK/ra.pid")" "$(cat "$WORK/ca.pid")"
	rm -rf "$WORK"
}

# started PROGRAM USER [FD…]: by itself, so that one can die and the other stays; returns when it says that it is ready.
started() {
	local log=$WORK/$1.log
	: >"$log"
	setpriv --reuid "hufu-$1" --regid "hufu-$1" --init-groups "$build/$1/hufu-$1" --config "$DIR/etc/hufu/$1.yaml" "${@:2}" 2>"$log" 3>&- 4<"$WORK/pass" &
	echo $! >"$WORK/$1.pid"
	timeout 30 grep -q -m1 event=ready <(tail --pid=$! -n +1 -f "$log") || { cat "$log"; return 1; }
}
ca_up() { started ca --passphrase-fd 4; }
ra_up() { started ra; }

# rows SQL: the first row's columns, read from the database by foreign eyes.
rows() {
	sqlite3 -batch -bail -readonly -list -separator ' ' -nullvalue None -cmd '.timeout 5000' "$DIR/var/lib/hufu-ra/desk.db" "$1" | head -n 1
}
# Nothing is half done: the database is sound, and the audit's chain holds.
whole() {
	same "$(rows "SELECT (SELECT group_concat(integrity_check) FROM pragma_integrity_check), (SELECT count(*) FROM pragma_foreign_key_check)")" "ok 0" || return 1
	[[ "$(hufu --json rpc audit.verify)" == *'"holds": true'* ]]
}
answered_calls() { rows "SELECT count(*) FROM calls WHERE call_id = '$1'"; }

# call WHO METHOD JSON: in the session of WHO; `-` has none.
call() {
	if [ "$1" = - ]; then
		hufu --json rpc "$2" "$3"
	else
		as "$1" hufu --json rpc --session "$2" "$3"
	fi
}

# killed POINT N CALL…: the desk dies by SIGKILL when the call makes it do that for the Nth time, and starts again. The call gets no answer.
killed() {
	local point=$1 n=$2 only=() tracer
	[ "$point" = sendmsg ] || only=(-P "$DIR/var/lib/hufu-ra/desk.db-wal")
	: >"$WORK/strace"
	strace -f -p "$(cat "$WORK/ra.pid")" "${only[@]}" -e trace="$point" -e inject="$point:signal=KILL:when=$n" -o /dev/null 2>"$WORK/strace" 3>&- &
	tracer=$!
	eventually grep -q attached "$WORK/strace" || { cat "$WORK/strace"; return 1; }
	run call "${@:3}"
	[ "$status" = 3 ] || { kill $tracer; echo "not killed at $point $n: $output"; return 1; }
	wait $tracer || true
	ra_up && whole
}

# killed_done POINT N ID CALL…: killed so that the change was written. The desk also talks with the signer and lets a session live on: a message or a
# flush of that kind is not the call's.
killed_done() {
	local tries
	for ((tries = 0; tries < 12; tries++)); do
		killed "$1" "$2" "${@:4}" || return 1
		[ "$(answered_calls "$3")" = 0 ] || return 0
	done
	echo "$3: not written at $1 $2"
	return 1
}

# counted WORD: rows of the audit with that word; or what a query says, where a word is none.
counted() {
	case $1 in
	SELECT*) rows "$1" ;;
	*) rows "SELECT count(*) FROM audit WHERE what = '$1'" ;;
	esac
}

# once COMMITS WORD WHO METHOD JSON POINT…: killed at those points, and repeated until it is answered: what is counted by WORD is one more.
# COMMITS: how many transactions the call makes; before its own a code's try is counted.
once() {
	local commits=$1 word=$2 who=$3 method=$4 id json point before first n
	id=kill-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
	json="${5%\}}, \"call_id\": \"$id\"}"
	[ "$5" != '{}' ] || json="{\"call_id\": \"$id\"}"
	before=$(counted "$word")
	[ "$who" = - ] || call "$who" account.sessions '{}' >/dev/null || : # a session that lives on says so in a write of its own
	for point in "${@:6}"; do
		n=1
		[ "$point" = fdatasync ] && n=$commits
		echo "# $method, killed at $point $n"
		if [ "$point" = pwrite64 ]; then
			killed "$point" "$n" "$who" "$method" "$json" && same "$(answered_calls "$id")" 0 || return 1
			continue
		fi
		killed_done "$point" "$n" "$id" "$who" "$method" "$json" || return 1
		same "$(counted "$word")" $((before + 1)) || return 1
	done
	run call "$who" "$method" "$json"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	first=$output
	same "$(call "$who" "$method" "$json")" "$first" || return 1
	same "$(answered_calls "$id")" 1 || return 1
	same "$(counted "$word")" $((before + 1)) || return 1
	output=$first
}

commit=(pwrite64 fdatasync)
answer=(sendmsg)

# code MOBILE PURPOSE [WHO]: has one sent, and prints it.
code() {
	call "${3:--}" account.sms "{\"purpose\": \"$2\", \"mobile\": \"$1\", \"call_id\": \"code-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')\"}" >/dev/null || return 1
	sms_code "$1"
}

# owner_line STEM SERIAL REQUEST: the signature line of the current key, made by openssl.
owner_line() {
	as "$1" hufu --json request show "$3" | field tally >"$WORK/tally"
	python3 - "sub:$(openssl x509 -in "$WORK/old/$1.pem" -noout -ext authorityKeyIdentifier | tail -n1 | tr -d ' :' | sed 's/keyid//I' | tr A-F a-f):$2" \
		"$WORK/old/$1.key" "$WORK/tally" <<-'PY'
		import base64, hashlib, subprocess, sys
		openssl = lambda *words, text=b"": subprocess.run(["openssl", *words], input=text, capture_output=True, check=True).stdout
		name, key, text = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
		kind = name.encode() + b"\n\xffhufu/ecdsa-sha256" + openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
		line = hashlib.sha256(kind).digest()[:4] + openssl("dgst", "-sha256", "-sign", key, text=text)
		print("\u2014", name, base64.b64encode(line).decode())
	PY
}
# officer_line NAME REQUEST
officer_line() {
	hufu --json rpc review.show "{\"request\": \"$2\"}" | field note >"$WORK/note"
	hufu note sign --key "$(key_of "$1")" --yes "$WORK/note" >/dev/null
	tail -n1 "$WORK/note"
}

state_of() { rows "SELECT state FROM requests WHERE id = '$1'"; }
