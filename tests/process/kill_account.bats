#!/usr/bin/env bats
# kill -9 in each write path of accounts, orders and requests. A call is killed before its change is written, at the flush of its commit, and when
# it is about to be answered; the same call with the same call_id then gives the answer, and what it does is there once. A row is a call.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州断电示例有限公司 20601 "+200 days" 杭州断电示例有限公司 74C2008800000F01 org
	old_cert first 74C2008800000F02 杭州首登示例有限公司 91330100MAHUFU0254
	csv_row 91330100MAHUFU0254 杭州首登示例有限公司 20602 "+200 days" 杭州首登示例有限公司 74C2008800000F02 first
	old_cert second 74C2008800000F03 杭州再登示例有限公司 91330100MAHUFU033Y
	csv_row 91330100MAHUFU033Y 杭州再登示例有限公司 20603 "+200 days" 杭州再登示例有限公司 74C2008800000F03 second
	old_crl
	init >/dev/null
	echo 'sms: {resend_seconds: 1, per_address_hour: 10000}' >>"$DIR/etc/hufu/ra.yaml"
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	down
	ca_up
	ra_up
}

teardown_file() {
	kill "$(cat "$WORK/ra.pid")" "$(cat "$WORK/ca.pid")" 2>/dev/null
	tail --pid="$(cat "$WORK/ra.pid")" --pid="$(cat "$WORK/ca.pid")" -f /dev/null
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
	python3 -S - "$DIR/var/lib/hufu-ra/desk.db" "$1" <<-'PY'
		import sqlite3, sys
		print(*sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute(sys.argv[2]).fetchone())
	PY
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

# killed_done POINT N ID CALL…: killed so that the change was written. The desk also talks with the signer: a message of that kind is not the answer.
killed_done() {
	local tries
	for tries in 1 2 3 4; do
		killed "$1" "$2" "${@:4}" || return 1
		[ "$(answered_calls "$3")" = 0 ] || return 0
		[ "$1" = sendmsg ] || break
	done
	echo "$3: not written at $1 $2"
	return 1
}

# once COMMITS WORD WHO METHOD JSON POINT…: killed at those points, and repeated until it is answered: one row of the audit with that word more.
# COMMITS: how many transactions the call makes; before its own a code's try is counted.
once() {
	local commits=$1 word=$2 who=$3 method=$4 id json point before first n
	id=kill-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
	json="${5%\}}, \"call_id\": \"$id\"}"
	before=$(rows "SELECT count(*) FROM audit WHERE what = '$word'")
	for point in "${@:6}"; do
		n=1
		[ "$point" = fdatasync ] && n=$commits
		echo "# $method, killed at $point $n"
		if [ "$point" = pwrite64 ]; then
			killed "$point" "$n" "$who" "$method" "$json" && same "$(answered_calls "$id")" 0 || return 1
			continue
		fi
		killed_done "$point" "$n" "$id" "$who" "$method" "$json" || return 1
		same "$(rows "SELECT count(*) FROM audit WHERE what = '$word'")" $((before + 1)) || return 1
	done
	run call "$who" "$method" "$json"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	first=$output
	same "$(call "$who" "$method" "$json")" "$first" || return 1
	same "$(answered_calls "$id")" 1 || return 1
	same "$(rows "SELECT count(*) FROM audit WHERE what = '$word'")" $((before + 1)) || return 1
	output=$first
}

commit=(pwrite64 fdatasync)
answer=(sendmsg)

# code MOBILE PURPOSE [WHO]: has one sent; the desk dies when it is about to say so, and the code that comes is good all the same.
code() {
	local who=${3:--} id
	id=code-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
	killed_done sendmsg 1 "$id" "$who" account.sms "{\"purpose\": \"$2\", \"mobile\": \"$1\", \"call_id\": \"$id\"}" >&2 || return 1
	sms_code "$1"
}

# at_proof NAME IDENTIFIER: logged in with the initial password, and an officer has seen the papers.
at_proof() {
	as "$1" hufu login --password-fd 4 "$2" 4<<<88888888 || [ $? = 5 ]
	as "$1" hufu account prove --officer-code-fd 4 4<<<"$(as officer hufu --json account grant --reason "papers seen" "$2" | field code)"
}

notice_code() { # MOBILE: the freeze code of the newest notice to a number
	local file until=$((SECONDS + 30))
	while [ $SECONDS -lt $until ]; do
		for file in "$DIR"/var/lib/hufu-ra/spool/*.json; do
			[ -e "$file" ] && [ "$(field to <"$file")" = "$1" ] && [ "$(field template <"$file")" = bound ] || continue
			field en <"$file" | grep -oE '[A-Z0-9]{4}(-[A-Z0-9]{4}){3}'
			return 0
		done
	done
	return 1
}

@test "accounts: first log-in, another password, another agent, the freeze" {
	local mobile after round name names=([0]=first [1]=second) codes=([0]=91330100MAHUFU0254 [1]=91330100MAHUFU033Y) n=0
	for round in commit answer; do
		local -n points=$round
		name=${names[n]} mobile=1380000000$n after=1380000010$n
		at_proof "$name" "${codes[n]}"
		once 2 password_reset "$name" account.reset \
			"{\"mobile\": \"$mobile\", \"sms_code\": \"$(code $mobile bind "$name")\", \"new_password\": \"the password of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $mobile 4<<<"the password of $name"
		once 1 password_change "$name" account.password \
			"{\"password\": \"the password of $name\", \"new_password\": \"another of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $mobile 4<<<"another of $name"
		old=$(code $mobile old "$name") new=$(code $after new "$name")
		once 3 agent_change "$name" account.agent "{\"agent\": \"赵六\", \"mobile\": \"$after\", \"way\": \"sms\", \"new_code\": \"$new\", \
			\"old_code\": \"$old\", \"new_password\": \"a third of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $after 4<<<"a third of $name"
		once 1 account_freeze - account.freeze "{\"code\": \"$(notice_code $mobile)\"}" "${points[@]}"
		refused session_unknown as "$name" hufu account
		n=$((n + 1))
	done
	same "$(rows "SELECT count(*) FROM bindings WHERE mobile LIKE '1380000%'")" 4
	same "$(rows "SELECT count(*) FROM account_cases WHERE kind = 'frozen'")" 2
}

@test "register: one account, however often it is asked" {
	local mobile round n=0 codes=([0]=913301003535355023 [1]=91330100MAHUFU041R)
	for round in commit answer; do
		local -n points=$round
		mobile=1380000020$n
		once 2 register - account.register "{\"identifier\": \"${codes[n]}\", \"organisation\": \"杭州新到示例有限公司\", \"agent\": \"李四\", \
			\"mobile\": \"$mobile\", \"sms_code\": \"$(code $mobile register)\", \"new_password\": \"the password of new\"}" "${points[@]}"
		same "$(rows "SELECT count(*) FROM accounts WHERE identifier = '${codes[n]}'")" 1
		did as "new$n" hufu login --password-fd 4 $mobile 4<<<"the password of new"
		n=$((n + 1))
	done
}

@test "orders: created, cancelled, applied for" {
	local order round n=0
	for round in commit answer; do
		local -n points=$round
		once 1 order_created org order.create '{"service_id": "20601", "kind": "renew"}' "${points[@]}"
		order=$(field order <<<"$output")
		same "$(rows "SELECT count(*) FROM orders WHERE service = '20601' AND state = 'created'")" 1
		once 1 order_cancelled org order.cancel "{\"order\": \"$order\"}" "${points[@]}"
		same "$(rows "SELECT state FROM orders WHERE id = '$order'")" cancelled
		once 1 service_applied "new$n" service.apply '{"project": "jinhua", "service": "organisation-certificate"}' "${points[@]}"
		order=$(field order <<<"$output")
		same "$(rows "SELECT count(*) FROM orders WHERE id = '$order' AND state = 'created'")" 1
		n=$((n + 1))
	done
}

# owner_line REQUEST: the signature line of the current key, made by openssl.
owner_line() {
	as org hufu --json request show "$1" | field tally >"$WORK/tally"
	python3 - "sub:$(openssl x509 -in "$WORK/old/org.pem" -noout -ext authorityKeyIdentifier | tail -n1 | tr -d ' :' | sed 's/keyid//I' | tr A-F a-f):$serial" \
		"$WORK/old/org.key" "$WORK/tally" <<-'PY'
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

serial=74C2008800000F01
# change NAME [REQUEST]: the parameters of a change to that name, or of its correction.
change() {
	printf '{"kind": "change", "way": "name-or-code", "project": "jinhua", "serial": "%s", "files": "no", "notice_accepted": true, %s "subject": [
		{"attribute": "O", "value": "%s"}, {"attribute": "CN", "value": "%s"}]}' $serial "${2:+\"request\": \"$2\",}" "$1" "$1"
}
state_of() { rows "SELECT state FROM requests WHERE id = '$1'"; }

@test "requests: drafted, proved, handed in, claimed, corrected, approved, withdrawn" {
	local round id m five line
	for round in commit answer; do
		local -n points=$round
		once 1 request_drafted org request.prepare "$(change "杭州撤回$round有限公司")" "${points[@]}"
		id=$(field request <<<"$output")
		once 1 request_withdrawn org request.withdraw "{\"request\": \"$id\"}" "${points[@]}"
		same "$(state_of "$id")" withdrawn
		once 1 request_drafted org request.prepare "$(change "杭州补正$round有限公司")" "${points[@]}"
		id=$(field request <<<"$output")
		five=()
		for m in registration-form agent-id-card business-licence change-proof risk-notice; do
			five+=("$m=$(material "$m")")
		done
		as org hufu request material add "$id" "${five[@]}" >/dev/null
		once 1 request_proved org request.prove "{\"request\": \"$id\", \"lines\": [\"$(owner_line "$id")\"]}" "${points[@]}"
		once 1 request_submitted org request.submit "{\"request\": \"$id\"}" "${points[@]}"
		same "$(state_of "$id")" awaiting_officers
		once 1 request_claimed - review.claim "{\"request\": \"$id\", \"officer\": \"alice\"}" "${points[@]}"
		once 1 request_approved - review.approve "{\"request\": \"$id\", \"line\": \"$(officer_line alice "$id")\"}" "${points[@]}"
		once 1 correction_asked - review.correct "{\"request\": \"$id\", \"officer\": \"alice\", \"items\": [
			{\"item\": \"business-licence\", \"reason\": \"印章看不清\"}]}" "${points[@]}"
		once 1 request_edited org request.prepare "$(change "杭州补正$round有限公司" "$id")" "${points[@]}"
		same "$(state_of "$id")" corrected
		same "$(rows "SELECT count(*) FROM courses WHERE replaces = '$id'")" 1
		id=$(field request <<<"$output")
		as org hufu request withdraw "$id" >/dev/null
	done
	same "$(rows "SELECT count(*) FROM requests WHERE kind = 'change'")" 6
}

@test "recovery and a change of the record: opened, moved, decided" {
	local round id
	for round in commit answer; do
		local -n points=$round
		once 1 recovery_opened org recover.open "{\"serial\": \"$serial\"}" "${points[@]}"
		id=$(field request <<<"$output")
		once 1 recovery_moved - review.recover "{\"request\": \"$id\", \"step\": \"sent\", \"note\": \"KMC 1\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" at_key_centre
		hufu --json rpc --call-id review.recover "{\"request\": \"$id\", \"step\": \"no_copy\", \"note\": \"KMC 2\", \"officer\": \"bob\"}" >/dev/null
		id=$(prepare org --json --kind change --way legal-representative --subject "legalRepresentative=李$round" \
			--material change-proof="$(material change-proof)" $serial | field request)
		as org hufu request submit "$id" >/dev/null
		once 1 record_changed - review.decide "{\"request\": \"$id\", \"officer\": \"alice\"}" "${points[@]}"
		same "$(state_of "$id")" done
	done
}
