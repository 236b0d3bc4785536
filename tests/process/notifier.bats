#!/usr/bin/env bats
# hufu-notifier with the real programs: a desk, an SMTP server (aiosmtpd, STARTTLS and log-in), and an HTTPS gateway that does what gateways do on bad days.
# One story: each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../live

SMTP_PORT=20587
GATEWAY_PORT=20443
python=/usr/bin/python3 # Debian's, which has aiosmtpd

setup_file() {
	live_begin
	id hufu-notify >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin hufu-notify
	hufu init --ca-user hufu-ca --ra-user hufu-ra --notify-user hufu-notify --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >/dev/null
	mkdir -p "$WORK/peer" "$WORK/mails" "$WORK/gateway"
	mkfifo "$WORK/asked"
	cd "$WORK/peer"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj "/CN=CA of the tests" 2>/dev/null
	for name in localhost other.example; do
		openssl req -new -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj "/CN=$name" 2>/dev/null
		openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -set_serial $RANDOM -days 30 -out $name.pem \
			-extfile <(echo "subjectAltName=DNS:$name") 2>/dev/null
	done
	cp ca.pem "$DIR/etc/hufu/peers.pem"
	(umask 077 && echo "the password of the tests" >"$DIR/etc/hufu/smtp.password" && echo "the-token-of-the-tests" >"$DIR/etc/hufu/sms.token")
	chown hufu-notify: "$DIR/etc/hufu/smtp.password" "$DIR/etc/hufu/sms.token"
	configure
	sed -i 's/^# notices:/notices:/' "$DIR/etc/hufu/ra.yaml"
	echo 'sms: {resend_seconds: 1, per_address_hour: 10000}' >>"$DIR/etc/hufu/ra.yaml"
	ra_up
}

teardown_file() {
	local name
	for name in notify ra smtp gateway; do
		ended $name
	done
	[ -n "${HUFU_KEEP:-}" ] || rm -rf "$WORK"
}

configure() {
	cat >"$DIR/etc/hufu/notifier.yaml" <<-YAML
		desk_socket: run/hufu/ra/desk.sock
		state: var/lib/hufu-notify
		sms:
		  by: gateway
		  gateway:
		    url: https://localhost:$GATEWAY_PORT/send
		    ca: etc/hufu/peers.pem
		    template: '{"to": "{mobile}", "text": "【{sender}】{text}", "ref": "{id}"}'
		    headers: ["Authorization: Bearer {token}"]
		    token: etc/hufu/sms.token
		    sender: 虎符
		    field: code
		    success: ["0"]
		    refused: ["30001"]
		    timeout_seconds: ${1:-2}
		mail:
		  by: smtp
		  smtp:
		    host: localhost
		    port: $SMTP_PORT
		    ca: etc/hufu/peers.pem
		    user: desk
		    password: etc/hufu/smtp.password
		    from: desk@example.com
		    name: 虎符
		    timeout_seconds: ${1:-2}
	YAML
}

# A part that fails in its middle leaves no notifier behind that takes the next one's messages.
teardown() { [ -n "${BATS_TEST_COMPLETED:-}" ] || ended notify; }

# started NAME COMMAND…: in the background, in the place of one that runs, and its line that says it is ready has come.
started() {
	local log=$WORK/$1.log
	ended "$1"
	: >"$log"
	"${@:2}" >"$log" 2>&1 3>&- &
	echo $! >"$WORK/$1.pid"
	timeout 30 grep -q -m1 -E 'event=ready|^ready' <(tail --pid=$! -n +1 -f "$log") || { cat "$log"; return 1; }
}
ended() {
	[ -e "$WORK/$1.pid" ] || return 0
	kill "-${2:-TERM}" "$(cat "$WORK/$1.pid")" 2>/dev/null || :
	timeout 60 tail -s 0.05 --pid="$(cat "$WORK/$1.pid")" -f /dev/null
	rm "$WORK/$1.pid"
}
# gone NAME: it was killed by somebody else.
gone() {
	timeout 30 tail -s 0.05 --pid="$(cat "$WORK/$1.pid")" -f /dev/null
	rm "$WORK/$1.pid"
}
# as_user USER SECONDS: the words that run a command as that user, by a clock that is so much ahead; each replaces the one before.
as_user() { with=(setpriv --reuid "$1" --regid "$1" --init-groups env LD_PRELOAD="$build/tests/process/clock_shift.so" HUFU_TEST_CLOCK_AHEAD="$2"); }
ra_up() {
	as_user hufu-ra "${1:-0}"
	started ra "${with[@]}" "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml"
}
notify_up() {
	as_user hufu-notify 0
	started notify "${with[@]}" "$build/ra/notify/hufu-notifier" --config "$DIR/etc/hufu/notifier.yaml"
}
smtp_up() { started smtp $python "$root/tests/process/notifier_peers.py" smtp $SMTP_PORT "$WORK/peer/${1:-localhost}.pem" "$WORK/peer/${1:-localhost}.key" "$WORK/mails"; }
gateway_up() { started gateway $python "$root/tests/process/notifier_peers.py" gateway $GATEWAY_PORT "$WORK/peer/${1:-localhost}.pem" "$WORK/peer/${1:-localhost}.key" "$WORK/gateway"; }
gateway_does() { echo "$1" >"$WORK/gateway/mode"; }
smtp_does() { echo "$1" >"$WORK/mails/mode"; }
# once [AHEAD]: everything that is due is tried.
once() {
	as_user hufu-notify "${1:-0}"
	timeout 60 "${with[@]}" "$build/ra/notify/hufu-notifier" --config "$DIR/etc/hufu/notifier.yaml" --once >>"$WORK/once.log" 2>&1
}

ask_code() { hufu account sms --for register --mobile "$1" >/dev/null; }
rows() {
	sqlite3 -batch -bail -readonly -list -separator ' ' -nullvalue None -cmd '.timeout 5000' "$DIR/var/lib/hufu-ra/desk.db" "$1" | head -n 1
}
state_of() { rows "SELECT state FROM outbox WHERE recipient = '$1' ORDER BY made DESC LIMIT 1"; }
is() { [ "$(state_of "$1")" = "$2" ]; }
why() { rows "SELECT error FROM outbox WHERE recipient = '$1' ORDER BY made DESC LIMIT 1"; }
# requests MOBILE: how many came to the gateway for a number; keys MOBILE: under how many ids.
requests() { grep -c "\\\\\"to\\\\\":\\\\\"$1\\\\\"" "$WORK/gateway/requests" || :; }
# for eventually: asked MOBILE N, mailed ADDRESS N
asked() { [ "$(requests "$1")" = "$2" ]; }
mailed() { [ "$(mails_to "$1")" = "$2" ]; }
keys() { grep "\\\\\"to\\\\\":\\\\\"$1\\\\\"" "$WORK/gateway/requests" | field_of_each key | sort -u | wc -l; }
field_of_each() { python3 -c 'import json, sys; [print(json.loads(l)[sys.argv[1]]) for l in sys.stdin]' "$1"; }
gateway_code() { grep "\\\\\"to\\\\\":\\\\\"$1\\\\\"" "$WORK/gateway/requests" | tail -n1 | field body | field text | grep -o '[0-9]\{6\}' | head -n1; }
mails_to() { grep -l "\"to\": \[\"$1\"\]" "$WORK"/mails/*.json 2>/dev/null | wc -l; }
# due: what was to be tried later is due now.
due() {
	python3 -S - "$DIR/var/lib/hufu-ra/desk.db" <<-'PY'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=30)
		db.execute("UPDATE outbox SET next_at = made WHERE state = 'waiting'")
		db.commit()
	PY
}

@test "a code by the gateway, over checked TLS, with its token, and once" {
	gateway_up
	notify_up
	ask_code 13800000101
	eventually is 13800000101 sent
	same "$(requests 13800000101)" 1
	same "$(tail -n1 "$WORK/gateway/requests" | field auth)" "Bearer the-token-of-the-tests"
	same "$(tail -n1 "$WORK/gateway/requests" | field key)" "$(tail -n1 "$WORK/gateway/requests" | field body | field ref)"
	[[ "$(tail -n1 "$WORK/gateway/requests" | field body | field text)" == 【虎符】验证码* ]]
	# The walls stand, and no secret is in the log or among the arguments.
	grep -q 'event=sandbox seccomp=1' "$WORK/notify.log"
	run grep -E "the-token|the password|$(gateway_code 13800000101)" "$WORK/notify.log" "$WORK/ra.log" "/proc/$(cat "$WORK/notify.pid")/cmdline"
	[ "$status" = 1 ] || { echo "$output"; false; }
}

@test "a person: registered by that code, with a mail address, and mail in both languages over STARTTLS" {
	smtp_up
	as new hufu account register --organisation 杭州邮件示例有限公司 --agent 李四 --mobile 13800000101 --sms-code-fd 5 --password-fd 4 91330100MAHUFU0179 \
		4<<<"the password of new" 5<<<"$(gateway_code 13800000101)"
	did as new hufu login --password-fd 4 13800000101 4<<<"the password of new"
	did as new hufu account contact --mail agent@example.com
	eventually is agent@example.com sent
	python3 - "$WORK"/mails/001.json <<-'PY'
		import email, email.policy, json, sys
		got = json.load(open(sys.argv[1]))
		assert got["tls"] and got["user"], got
		assert (got["from"], got["to"]) == ("desk@example.com", ["agent@example.com"]), got
		mail = email.message_from_string(got["mail"], policy=email.policy.default)
		assert mail["From"].addresses[0].display_name == "虎符", mail["From"]
		assert mail["Subject"] == "账户通知邮箱已变更 / Where your account's notices go", mail["Subject"]
		text = mail.get_content()
		assert "agent@example.com" in text and "杭州邮件示例有限公司" in text and "Notices of the account" in text, text
		assert mail["Message-ID"].endswith("@example.com>"), mail["Message-ID"]
	PY
	did as new hufu account contact --language en --mail second@example.com
	eventually is second@example.com sent
	eventually mailed second@example.com 1
	ended notify
	grep -q event=stopping "$WORK/notify.log"
}

# tried MODE NUMBER STATE: the gateway does that once for a code to a new number.
tried() {
	gateway_does "$1"
	ask_code "$2"
	once
	is "$2" "$3" || { echo "$1: $(state_of "$2"): $(why "$2")"; return 1; }
	[ "$(requests "$2")" = 1 ] || { echo "$1: asked $(requests "$2") times"; return 1; }
}
# afterwards NUMBER: the gateway is well again: it comes, under the same id.
afterwards() {
	gateway_does ok
	due
	once
	is "$1" sent && same "$(requests "$1") $(keys "$1")" "2 1"
}

@test "a gateway that answers late, twice, wrong, not at all, too much, or sends elsewhere" {
	local n=13800000200 m
	for m in late wrong 500 401 redirect huge closes 429; do
		n=$((n + 1))
		tried $m $n waiting
		[ -n "$(why $n)" ]
		afterwards $n
	done
	run grep -c elsewhere "$WORK/gateway/requests"
	same "$output" 0
	tried twice 13800000220 sent
	tried 202 13800000221 sent
}

@test "a number that the gateway does not know, a request that it does not take: failed, shown, tried again by an officer" {
	local id
	tried unknown_number 13800000230 failed
	tried 400 13800000231 failed
	did hufu notice list --state failed
	said "138****0230" "code: 30001" "138****0231" "HTTP 400"
	id=$(hufu --json notice list --state failed | python3 -c 'import json, sys; print(*[n["notice"] for n in json.load(sys.stdin) if n["to"].endswith("0231")])')
	did hufu notice show "$id"
	[[ "$output" != *验证码* && "$output" != *"$(gateway_code 13800000231)"* ]]
	gateway_does ok
	due
	once
	is 13800000231 failed
	did hufu notice retry "$id"
	once
	is 13800000231 sent
	refused notice_state hufu notice retry "$id"
}

@test "a certificate of somebody else, one of an unknown CA: nothing is said to such a gateway" {
	ended gateway
	gateway_up other.example
	gateway_does ok
	ask_code 13800000240
	once
	is 13800000240 waiting
	same "$(requests 13800000240)" 0
	ended gateway
	gateway_up
	sed -i '0,/ca: .*/s///' "$DIR/etc/hufu/notifier.yaml"
	due
	once
	is 13800000240 waiting
	same "$(requests 13800000240)" 0
	configure
	due
	once
	is 13800000240 sent
}

mail_to() { as new hufu account contact --mail "$1" >/dev/null; }

@test "SMTP: no such user is failed, try again is later, a mail that is refused shows none of it" {
	smtp_does ok
	mail_to nobody@example.com
	once
	is nobody@example.com failed
	[[ "$(why nobody@example.com)" == "SMTP: 550 5.1.1"* ]]
	mail_to later@example.com
	once
	is later@example.com waiting
	[[ "$(why later@example.com)" == "SMTP: 451"* ]]
	smtp_does kind
	due
	once
	is later@example.com sent
	same "$(mails_to later@example.com)" 1
	smtp_does refuse
	mail_to refused@example.com
	once
	is refused@example.com failed
	[[ "$(why refused@example.com)" == "SMTP: 554 5.7.1"* ]]
	smtp_does ok
}

@test "SMTP: an answer that never comes, a wrong password, another's certificate" {
	smtp_does hang
	mail_to hang@example.com
	once
	is hang@example.com waiting
	smtp_does ok
	due
	once
	is hang@example.com sent
	# The server had one mail when its answer did not come: that one is there twice, and is the same mail.
	same "$(grep -ho 'Message-ID: <[0-9a-f]*@' "$WORK"/mails/*.json | sort | uniq -c | awk '$1 > 1 {print $1}')" 2
	echo wrong >"$DIR/etc/hufu/smtp.password"
	mail_to login@example.com
	once
	is login@example.com waiting
	echo "the password of the tests" >"$DIR/etc/hufu/smtp.password"
	ended smtp
	smtp_up other.example
	due
	once
	is login@example.com waiting
	same "$(mails_to login@example.com)" 0
	ended smtp
	smtp_up
	due
	once
	is login@example.com sent
}

@test "everything away for a day: what still matters arrives, codes that are dead do not" {
	ended smtp
	ended gateway
	mail_to day@example.com
	ask_code 13800000250
	once
	is day@example.com waiting
	is 13800000250 waiting
	ended ra
	ra_up 86400
	eventually is 13800000250 expired
	is day@example.com waiting
	smtp_up
	gateway_up
	once 86400
	is day@example.com sent
	same "$(mails_to day@example.com)" 1
	same "$(requests 13800000250)" 0
	refused notice_dead hufu notice retry "$(rows "SELECT id FROM outbox WHERE recipient = '13800000250'")"
	ended ra
	ra_up
}

@test "kill -9 of the notifier while a gateway is slow: the lease runs out, and the message comes again under its id" {
	gateway_does late
	configure 100
	notify_up
	ask_code 13800000260
	eventually asked 13800000260 1
	ended notify KILL
	is 13800000260 waiting
	gateway_does ok
	once
	same "$(requests 13800000260)" 1 # its lease holds
	due
	once
	is 13800000260 sent
	same "$(requests 13800000260) $(keys 13800000260)" "2 1"
}

@test "kill -9 of the notifier while it waits for a message: the next one is leased to the living" {
	configure
	notify_up
	ask_code 13800000261
	eventually is 13800000261 sent # by one of its threads, so the others wait
	ended notify KILL
	ask_code 13800000262
	is 13800000262 waiting
	once
	is 13800000262 sent
	same "$(requests 13800000262)" 1
}

# sent_untold: a server has accepted something, the notifier knows, and the desk was gone before it could be told.
sent_untold() { grep -q event=report_waits "$WORK/notify.log"; }
# untold COMMAND…: what that sends is accepted by a server that ends the desk, after the command had its answer.
untold() {
	"$@"
	timeout 60 sh -c 'echo >"$1"' sh "$WORK/asked" || { tail -n 20 "$WORK/notify.log" "$WORK/gateway/requests"; false; }
	eventually sent_untold
}

@test "kill -9 of the desk before it hears what was sent: it is told when it is back, and nothing goes out twice" {
	configure 100
	notify_up
	gateway_does kills_desk
	untold ask_code 13800000270
	gone ra
	same "$(requests 13800000270)" 1
	is 13800000270 waiting
	ra_up
	eventually is 13800000270 sent
	same "$(requests 13800000270)" 1
	ended notify
	grep -q event=stopping "$WORK/notify.log"
}

@test "kill -9 of the notifier between sending and reporting: what was sent comes once more, as the same message" {
	configure 100
	notify_up
	gateway_does kills_desk
	untold ask_code 13800000272
	ended notify KILL
	gone ra
	ra_up
	is 13800000272 waiting
	once
	same "$(requests 13800000272)" 1 # its lease holds
	due
	once
	is 13800000272 sent
	same "$(requests 13800000272) $(keys 13800000272)" "2 1"
	did as new hufu login --password-fd 4 13800000101 4<<<"the password of new"
	notify_up
	smtp_does kills_desk
	untold mail_to untold@example.com
	ended notify KILL
	gone ra
	ra_up
	is untold@example.com waiting
	due
	once
	is untold@example.com sent
	same "$(mails_to untold@example.com)" 2
	same "$(grep -h untold@example.com "$WORK"/mails/*.json | grep -o 'Message-ID: <[0-9a-f]*@' | sort -u | wc -l)" 1
}

# A project beside the first, whose desk has a telephone and a name of its own.
second_project() {
	local dir=$DIR/etc/hufu/policies officer
	sed -e 's/^name: jinhua/name: ningbo/' -e 's/0579-0000000/0574-1111111/' -e '$a\  sms_sender: 宁波服务台' "$dir/projects/jinhua.yaml" >"$dir/projects/ningbo.yaml"
	hufu policy note "$dir" >/dev/null
	for officer in alice bob; do hufu policy sign --yes --key "$(key_of $officer)" "$dir/policy.note" >/dev/null; done
}
# came MOBILE: the text of the newest message that came to the gateway for it.
came() { grep "\\\\\"to\\\\\":\\\\\"$1\\\\\"" "$WORK/gateway/requests" | tail -n1 | field body | field text; }

@test "two projects: each account's messages are signed by, and name the telephone of, the desk of its own" {
	configure
	gateway_does ok
	smtp_does ok
	ask_code 13800000301
	once
	as other hufu account register --organisation 宁波示例有限公司 --agent 王五 --mobile 13800000301 --sms-code-fd 5 --password-fd 4 91330200MAHUFU017E \
		4<<<"the password of other" 5<<<"$(gateway_code 13800000301)"
	second_project
	ended ra
	ra_up
	did as new hufu login --password-fd 4 13800000101 4<<<"the password of new"
	did as other hufu login --password-fd 4 13800000301 4<<<"the password of other"
	did as new hufu service apply --project jinhua organisation-certificate
	did as other hufu service apply --project ningbo organisation-certificate
	did as new hufu account contact --mail new@example.com
	did as other hufu account contact --mail other@example.com
	once
	[[ "$(came 13800000101)" == 【虎符】*0579-00000000* ]] || { came 13800000101; false; }
	[[ "$(came 13800000301)" == 【宁波服务台】*0574-11111110* ]] || { came 13800000301; false; }
	# What changed is in the audit.
	same "$(rows "SELECT count(*) FROM audit WHERE what = 'law_changed' AND detail LIKE '%+ project.ningbo.contact.sms_sender = 宁波服务台%'")" 1
}

@test "a desk that fills its own spool says so, and the spool of the notifier is filled when that is its road" {
	sed -i 's/^notices:/# notices:/' "$DIR/etc/hufu/ra.yaml"
	ended ra
	ra_up
	run once
	[ "$status" = 1 ]
	tail -n1 "$WORK/once.log" | grep -q rule=notices_spooled
	sed -i 's/^# notices:/notices:/' "$DIR/etc/hufu/ra.yaml"
	printf 'desk_socket: run/hufu/ra/desk.sock\nstate: var/lib/hufu-notify\n' >"$DIR/etc/hufu/notifier.yaml"
	ended ra
	ra_up
	ask_code 13800000280
	once
	is 13800000280 sent
	same "$(field to <"$(ls "$DIR"/var/lib/hufu-notify/spool/*.json)")" 13800000280
	same "$(stat -c '%a %U' "$DIR"/var/lib/hufu-notify/spool/*.json)" "600 hufu-notify"
}

@test "the example of the operator's guide is taken as it stands" {
	python3 - "$root/docs/operator.md" >"$DIR/etc/hufu/notifier.yaml" <<-'PY'
		import re, sys
		print(re.search(r"^```\n(desk_socket: .*?)^```", open(sys.argv[1]).read(), re.M | re.S).group(1))
	PY
	grep -q 'by: gateway' "$DIR/etc/hufu/notifier.yaml"
	grep -q 'by: smtp' "$DIR/etc/hufu/notifier.yaml"
	once
	tail -n1 "$WORK/once.log" | grep -q 'event=done sent=0'
	# A secret that others may read is none.
	chmod 644 "$DIR/etc/hufu/sms.token"
	run once
	[ "$status" = 4 ]
	chmod 600 "$DIR/etc/hufu/sms.token"
}
