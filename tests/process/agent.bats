#!/usr/bin/env bats
# `hufu agent`, with curl as the page, SoftHSM as the USB key, and a program that answers in a person's place. What it does for the page is handed in at a real desk.

load ../live
load ../agent

module=/usr/lib/softhsm/libsofthsm2.so
pin=135790
portal=https://ca.example.cn

# --- the stage

code() { sed -n 's/.*pairing code: //p' "$WORK/asked.pair"; }
# shown WORD COMMAND…: the command's answer, and then what the agent shows without waiting for anybody.
shown() {
	rm -f "$WORK/asked.$1"
	"${@:2}" && eventually grep -q . "$WORK/asked.$1"
}

# up_for NAME OPTIONS…: an agent that knows the portal.
up_for() { agent_up "$1" --origin $portal --origin http://localhost:18080 "${@:2}"; }

# raw OPTIONS…: curl, as a page of the portal; prints the status behind the answer.
raw() { curl -s --noproxy '*' -m 60 -w '\n%{http_code}\n' -H "Origin: ${origin:-$portal}" -H "Content-Type: ${type:-application/json}" "$@" "http://127.0.0.1:$(cat "$WORK/port")${path:-/}"; }
# call METHOD [NAME=VALUE | NAME=@FILE]…: prints the result, or "text [reason]" and is 2.
call() {
	python3 - "$@" >"$WORK/call.json" <<-'PY'
		import json, os, sys
		work, params = os.environ["WORK"], {}
		if os.path.exists(work + "/session") and sys.argv[1].split(".")[0] in ("token", "unlock", "officer"):
		    params["session"] = open(work + "/session").read().strip()
		for word in sys.argv[2:]:
		    name, value = word.split("=", 1)
		    params[name] = open(value[1:]).read() if value.startswith("@") else value
		print(json.dumps({"jsonrpc": "2.0", "id": 1, "method": sys.argv[1], "params": params}))
	PY
	raw --data-binary "@$WORK/call.json" >"$WORK/reply" || return 1
	[ "$(tail -n1 "$WORK/reply")" = 200 ] || { cat "$WORK/reply"; return 1; }
	head -n -1 "$WORK/reply" | python3 -c '
import json, sys
r = json.load(sys.stdin)
if "error" in r:
    d = r["error"]["data"]
    sys.exit(print(d["text"], d["zh"], "[" + d["reason"] + "]") or 2)
print(json.dumps(r["result"], ensure_ascii=False))'
}
# pair: as the person does it.
pair() {
	shown pair call pair.begin >/dev/null && call pair.finish "code=$(code)" | field session >"$WORK/session"
}
keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

serial_of() { pkcs11-tool --module $module -L | grep -A6 "token label *: $1\$" | sed -n 's/.*serial num *: //p'; }
folder_of() { grep -rlaF "$1" "$WORK/tokens" | head -n1 | xargs dirname; }

setup_file() {
	live_begin
	export SOFTHSM2_CONF=$WORK/softhsm2.conf PORTAL=$portal
	mkdir "$WORK/tokens" "$WORK/away"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	make_person
	old_authority
	csv_begin
	softhsm2-util --init-token --free --label ORG1 --so-pin 24680246 --pin $pin >/dev/null
	pkcs11-tool --module $module --token-label ORG1 --login --pin $pin --keypairgen --key-type rsa:2048 --id 01 --label signing >/dev/null
	keep one "$(serial_of ORG1)"
	old_cert org 74C2008800000A51 杭州令牌示例有限公司 91330100MAHUFU0179
	GNUTLS_PIN=$pin p11tool --provider $module --login --export-pubkey --outfile "$WORK/old/org.spki" "pkcs11:token=ORG1;id=%01;type=public" 2>/dev/null
	openssl x509 -req -in org.csr -force_pubkey org.spki -CA zjca-oca2.pem -CAkey zjca-oca2.key -set_serial 0x74C2008800000A51 -days 60 -sha256 \
		-extfile ca.conf -extensions ee -out org.pem 2>/dev/null
	csv_row 91330100MAHUFU0179 杭州令牌示例有限公司 20851 "+200 days" 杭州令牌示例有限公司 74C2008800000A51 org
	old_crl
	init >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 91330100MAHUFU0179 >/dev/null
	softhsm2-util --init-token --free --label ORG2 --so-pin 24680246 --pin $pin >/dev/null
	keep two "$(serial_of ORG2)"
	keep request "$(prepared org --kind extend --way same-key --months 12 --order "$(paid_order org 20851)" 74C2008800000A51)"
	as org hufu --json request show "$(kept request)" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["tally"])' >"$WORK/tally"
	up_for org --token-key "$DIR/etc/hufu/token.pub"
}

teardown_file() {
	agent_down
	live_end
}

# --- who may ask

@test "it listens on this machine alone, and starts only for named portals and where it can ask" {
	fails 4 "--origin URL is missing" hufu agent --prompt /bin/true
	for bad in '*' null http://ca.example.cn https://ca.example.cn/ https://CA.example.cn https://a@b https://ca.example.cn:443 https://ca.example.cn:0 https:// ftp://localhost; do
		fails 4 "wanted https://HOST" hufu agent --prompt /bin/true --origin "$bad"
	done
	fails 4 "wanted 1024 to 65535" hufu agent --prompt /bin/true --origin $portal --port 80
	fails 4 "whole path" hufu agent --prompt person --origin $portal
	fails 4 "no terminal to ask you on" hufu agent --origin $portal </dev/null
	fails 2 "another agent runs" hufu agent --prompt /bin/true --origin $portal --port "$(cat "$WORK/port")"
	did hufu --dry-run agent --prompt /bin/true --origin $portal
	run curl -s -m 5 "http://$(hostname -I | cut -d' ' -f1):$(cat "$WORK/port")/"
	[ "$status" = 7 ]
}

@test "only a page of a named portal is heard: Origin, Host, what a browser asks first" {
	status_of() { raw "$@" | tail -n1; }
	same "$(origin=https://evil.example status_of -d '{}')" 403
	same "$(origin=null status_of -d '{}')" 403
	same "$(origin=$portal.evil.example status_of -d '{}')" 403
	same "$(curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{}' "http://127.0.0.1:$(cat "$WORK/port")/")" 403 # a program, or a form that was sent by a person who was fooled
	same "$(status_of -H 'Host: ca.example.cn' -d '{}')" 421 # a name that resolves to this machine
	same "$(status_of -H "Host: rebound.example:$(cat "$WORK/port")" -d '{}')" 421
	same "$(status_of -H "Host: 127.0.0.1:1" -d '{}')" 421
	same "$(status_of -H "Host: localhost:$(cat "$WORK/port")" -d '{}')" 200
	same "$(type=text/plain status_of -d '{}')" 415 # what a browser sends without asking first
	same "$(type=application/jsonx status_of -d '{}')" 415
	same "$(path=/other status_of -d '{}')" 404
	same "$(status_of -X GET)" 405
	head -c 200000 /dev/zero | tr '\0' ' ' >"$WORK/huge"
	same "$(status_of --data-binary "@$WORK/huge")" 413
	same "$(status_of -H 'Transfer-Encoding: chunked' --data-binary "@$WORK/huge")" 413
	run raw -i -X OPTIONS -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Private-Network: true'
	said "Access-Control-Allow-Origin: $portal" "Access-Control-Allow-Private-Network: true" "Access-Control-Allow-Headers: content-type"
	origin=https://evil.example run raw -i -X OPTIONS -H 'Access-Control-Request-Private-Network: true'
	[[ "$output" != *Access-Control* ]]
	run raw -i -d '{}'
	said "Cache-Control: no-store" "Access-Control-Allow-Origin: $portal" "rpc_invalid"
	[[ "$output" != *'Origin: *'* ]]
	same "$(raw -d 'x' | grep -c json_syntax)" 1
}

@test "a page is paired by the code that the agent shows, and a pairing is its origin's alone" {
	did call agent.hello
	said '"agent": "hufu"'
	refused agent_unpaired call token.list session=nobody
	refused pair_code call pair.finish code=123456
	shown pair call pair.begin
	asked pair
	[[ "$(asked pair)" == "$portal"* && "$(code)" =~ ^[0-9]{6}$ ]]
	origin=http://localhost:18080 refused pair_code call pair.finish "code=$(code)" # shown for another page
	did pair
	origin=http://localhost:18080 refused agent_unpaired call token.list "session=$(cat "$WORK/session")"
	refused pair_code call pair.finish "code=$(code)" # it was good once
	did call token.list
	run stat -c %a "$WORK/people/org/hufu/agent-paired"
	same "$output" 600
	run grep -rl "$(cat "$WORK/session")" "$WORK/people/org"
	[ "$status" = 1 ]
}

@test "five wrong codes close the pairing, also for the right one; who is paired stays so" {
	local n
	shown pair call pair.begin
	for n in 1 2 3; do refused pair_code call pair.finish code=00000x; done # one was typed above
	refused pair_closed call pair.finish code=00000x
	refused pair_closed call pair.finish "code=$(code)"
	refused pair_closed call pair.begin
	said "十分钟"
	did call token.list
}

# --- what it does, and does not

@test "the list shows what is plugged in and which certificates stand on it; no PIN is asked" {
	pkcs11-tool --module $module --token-label ORG1 --login --pin $pin --write-object <(openssl x509 -in "$WORK/old/org.pem" -outform DER) --type cert --id 01 >/dev/null
	rm -f "$WORK/words"
	did call token.list
	same "$(python3 -c 'import json, sys; print(*[(t["label"], t["pin"], [(c["serial"], c["name"]) for c in t["certificates"]]) for t in sorted(json.load(sys.stdin)["tokens"], key=lambda t: t["label"])])' <<<"$output")" \
		"('ORG1', 'set', [('74C2008800000A51', '杭州令牌示例有限公司')]) ('ORG2', 'set', [])"
	[ ! -e "$WORK/words" ]
}

@test "it signs tallies, and nothing else; not by a key that the tally does not name; nothing without a yes" {
	local id
	id=$(kept request)
	answers sign yes $pin
	printf 'I owe you a million\n' >"$WORK/text"
	refused text_kind call token.sign "text=@$WORK/text" "expect=$(kept one)"
	{ cat "$WORK/tally" && printf 'more: lines\n'; } >"$WORK/text"
	run call token.sign "text=@$WORK/text" "expect=$(kept one)"
	[ "$status" = 2 ]
	sed 's/^project: jinhua/project: jin\xe2\x80\xaehua/' "$WORK/tally" >"$WORK/text" # a character that turns what is read
	run call token.sign "text=@$WORK/text" "expect=$(kept one)"
	[ "$status" = 2 ]
	[ ! -e "$WORK/asked.sign" ] # none of these came before the person
	refused token_other call token.sign "text=@$WORK/tally" expect=ffffffffffffffff
	said "$(kept one)"
	[ ! -e "$WORK/asked.sign" ]
	refused token_ambiguous call token.sign "text=@$WORK/tally"
	refused key_not_on_token call token.sign "text=@$WORK/tally" "expect=$(kept two)"
	said "certificates none" "74C2008800000A51"
	answers sign no $pin
	refused not_confirmed call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	answers sign yes 999999
	refused pin_wrong call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	answers sign yes
	refused prompt_program call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	as org hufu --json request show "$id" | grep -q '"state": "drafted"'
}

@test "a token that is pulled out while it is asked for signs nothing, and the next try is whole" {
	answers sign yes $pin
	echo "mv $WORK/tokens/* $WORK/away/" >"$WORK/then.sign"
	refused token_pulled call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	rm "$WORK/then.sign"
	refused token_absent call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	did call token.list
	same "$output" '{"tokens": []}'
	mv "$WORK"/away/* "$WORK/tokens/"
	did call token.sign "text=@$WORK/tally" "expect=$(kept one)"
}

@test "the person sees the text that is signed, byte for byte, and who asks; the desk takes the signature, and the certificate goes on the token" {
	local id
	id=$(kept request)
	answers sign yes $pin
	answers install yes $pin
	did call token.sign "text=@$WORK/tally" "expect=$(kept one)"
	python3 -c 'import json, sys; json.dump({"request": sys.argv[1], "lines": json.loads(sys.argv[2])["lines"]}, sys.stdout)' "$id" "$output" >"$WORK/prove.json"
	python3 -c 'import os; w = os.environ["WORK"]; a = open(w + "/asked.sign").read(); assert open(w + "/tally").read() in a and a.startswith(os.environ["PORTAL"])'
	grep -qx "sign pin" "$WORK/words"
	did as org hufu rpc --session --call-id request.prove "$(cat "$WORK/prove.json")"
	did as org hufu request submit "$id"
	issued_to org "$id" new >"$WORK/serial"
	did call token.install "certificate=@$WORK/new.pem" "expect=$(kept one)"
	said "$(cat "$WORK/serial")" '"there": false' '"deciphers": true'
	asked install | grep -q "$(cat "$WORK/serial")"
	pkcs11-tool --module $module --token-label ORG1 --read-object --type cert --id 01 2>/dev/null | openssl x509 -inform DER -out "$WORK/on.pem"
	diff "$WORK/on.pem" <(openssl x509 -in "$WORK/new.pem")
	did verified "$WORK/on.pem"
	did call token.install "certificate=@$WORK/new.pem" "expect=$(kept one)"
	said '"there": true'
	did call token.list
	said "$(cat "$WORK/serial")"
	[[ "$output" != *74C2008800000A51* ]] # it made room
	refused key_not_on_token call token.install "certificate=@$WORK/new.pem" "expect=$(kept two)"
}

@test "a key is made on the token that is meant, its request verifies, and it works; the PIN is changed at the agent alone" {
	answers keygen yes $pin
	answers test yes $pin
	answers pin yes $pin 24680246
	refused token_other call token.keygen algorithm=p256 expect=ffff
	refused param_word call token.keygen algorithm=dsa "expect=$(kept two)"
	did call token.keygen algorithm=p256 "expect=$(kept two)"
	field csr <<<"$output" >"$WORK/two.csr"
	eventually grep -q "$(field characters <<<"$output")" "$WORK/asked.characters"
	openssl req -in "$WORK/two.csr" -noout -verify
	did call token.test "expect=$(kept two)"
	same "$(field keys.0.deciphers <<<"$output")" false
	did call token.pin "expect=$(kept two)"
	refused pin_wrong call token.test "expect=$(kept two)"
	answers test yes 24680246
	did call token.test "expect=$(kept two)"
	run grep -c -e $pin -e 24680246 "$WORK/reply" "$WORK/call.json"
	[ "$status" = 1 ]
}

@test "a forgotten PIN: the page carries sealed boxes between the agent and the desk, the person hears the code and types the new PIN" {
	local id key n three
	did hufu token init --module $module --blank --label HUFU-3 --pin-out "$WORK/start" --as alice
	three=$(serial_of HUFU-3)
	did hufu token keygen --module $module --serial "$three" --pin-fd 4 4<"$WORK/start"
	did hufu token move --to prepared --holder 91330100MAHUFU0179 --why x --as alice "$three"
	did hufu token move --to in_use --certificate 74C2008800000A51 --why x --as alice "$three"
	refused unlock_elsewhere call unlock.set "expect=$three"
	shown code did call unlock.ask "expect=$three"
	key=$(field key <<<"$output")
	did call unlock.ask "expect=$three" # asked twice, it is the same key
	same "$(field key <<<"$output")" "$key"
	keep call_id "$(field call_id <<<"$output")"
	did as org hufu --json rpc --session --call-id unlock.open "{\"token\": \"$three\", \"key\": \"$key\"}"
	id=$(field request <<<"$output")
	refused unlock_order call unlock.set "expect=$three"
	[[ "$(cat "$WORK/call.json" "$WORK/reply")" != *"$(sed -n 's/^.*code: //p' "$WORK/asked.code")"* ]] # the code goes past every page
	did hufu officer unlock --escrow "$(dirname "$(key_of alice)")/token.key" --as alice "$id" < <(sed -n 's/^.*code: //p' "$WORK/asked.code")
	did as org hufu --json rpc --session unlock.take "{\"request\": \"$id\", \"call_id\": \"$(kept call_id)\"}"
	keep box "$(field puk <<<"$output")"
	refused puk_open call unlock.next "puk=$(base64 -w0 <<<"another box, sealed to nobody whom we know")" "expect=$three"
	for n in 1 2; do # cut off in between, it goes on
		did call unlock.next "puk=$(kept box)" "expect=$three"
		did as org hufu --json rpc --session --call-id unlock.renew "{\"request\": \"$id\", \"puk\": \"$(field puk <<<"$output")\"}"
		answers unlock yes 246801
		did call unlock.set "expect=$three"
		same "$(field keys_work <<<"$output")" true
	done
	did as org hufu --json rpc --session --call-id unlock.report "{\"request\": \"$id\", \"result\": \"done\", \"puk\": \"next\"}"
	did call unlock.forget "expect=$three"
	answers test yes 246801
	did call token.test "expect=$three"
	answers test yes "$(cat "$WORK/start")"
	refused pin_wrong call token.test "expect=$three"
	run find "$WORK/people/org" -name 'unlock-*'
	same "$output" ""
}

@test "while a question is open, other calls are told to wait" {
	mkfifo "$WORK/hold"
	echo "echo open >$WORK/opened; read -r _ <$WORK/hold" >"$WORK/then.test"
	raw --data-binary "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"token.test\",\"params\":{\"session\":\"$(cat "$WORK/session")\",\"expect\":\"$(kept two)\"}}" >"$WORK/first" 3>&- &
	eventually test -s "$WORK/opened"
	answers test yes 24680246
	refused agent_busy call token.list
	did call agent.hello
	echo go >"$WORK/hold"
	wait
	rm "$WORK/then.test"
	grep -q '"keys"' "$WORK/first"
}

@test "on a terminal: the text, a typed yes, the PIN without an echo; anything else but yes does nothing; Ctrl-C ends it" {
	agent_down
	run python3 - "$hufu" "$module" "$(cat "$WORK/port")" "$(cat "$WORK/session")" "$(kept two)" 24680246 <<-'PY'
		import json, os, pty, sys, threading, urllib.request
		hufu, module, port, session, token, pin = sys.argv[1:]
		os.environ["XDG_STATE_HOME"] = os.environ["WORK"] + "/people/org"
		pid, tty = pty.fork()
		if pid == 0:
		    os.execv(hufu, [hufu, "agent", "--origin", os.environ["PORTAL"], "--port", port, "--module", module])
		seen = ""
		def until(text):
		    global seen
		    at = len(seen)
		    while text not in seen[at:]:
		        seen += os.read(tty, 4096).decode(errors="replace")
		def ask(answers, replies):
		    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "token.test", "params": {"session": session, "expect": token}}).encode()
		    call = urllib.request.Request(f"http://127.0.0.1:{port}/", body, {"Content-Type": "application/json", "Origin": os.environ["PORTAL"]})
		    got = threading.Thread(target=lambda: replies.append(json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call))))
		    got.start()
		    for wait, answer in answers:
		        until(wait)
		        os.write(tty, answer.encode() + b"\n")
		    got.join()
		until("Ctrl-C ends it")
		replies = []
		ask([("Type yes: ", "yes"), ("PIN: ", pin)], replies)
		ask([("Type yes: ", "y")], replies)
		assert replies[0]["result"]["keys"][0]["algorithm"] == "p256", replies
		assert replies[1]["error"]["data"]["reason"] == "not_confirmed", replies
		assert os.environ["PORTAL"] in seen and token in seen and pin not in seen, seen
		os.write(tty, b"\x03")
		_, status = os.waitpid(pid, 0)
		assert os.waitstatus_to_exitcode(status) == 0, status
		print("done")
	PY
	echo "$output"
	same "$output" "done"
	up_for org --token-key "$DIR/etc/hufu/token.pub"
}

@test "a pairing outlives the agent; a file of pairings that was altered is an error" {
	agent_down
	up_for org --token-key "$DIR/etc/hufu/token.pub"
	did call token.list
	echo nonsense >>"$WORK/people/org/hufu/agent-paired"
	fails 1 "pairing_file" env XDG_STATE_HOME="$WORK/people/org" "$hufu" agent --prompt /bin/true --origin $portal
	sed -i '$d' "$WORK/people/org/hufu/agent-paired"
}

# --- the officer

characters_of() { openssl req -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base32 | cut -c 1-10; }

# reissue HOW: for the key that the agent made on the second token; its token signs, and it is handed in. Prints the id.
reissue() {
	local m papers=() id
	for m in registration-form agent-id-card business-licence risk-notice; do papers+=("--material=$m=$(material "$m")"); done
	id=$(as org hufu --json request reissue --way damaged --project jinhua --csr "$WORK/two.csr" --files no --accept-notice --key-seen "$1" "${papers[@]}" \
		"$(cat "$WORK/serial")" | field request)
	as org hufu --json request show "$id" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["tally"])' >"$WORK/text"
	answers sign yes 24680246
	call token.sign "text=@$WORK/text" "expect=$(kept two)" >"$WORK/lines" || { cat "$WORK/lines"; return 1; }
	python3 -c 'import json, sys; json.dump({"request": sys.argv[1], "lines": json.load(open(sys.argv[2]))["lines"]}, sys.stdout)' "$id" "$WORK/lines" >"$WORK/prove.json"
	as org hufu rpc --session --call-id request.prove "$(cat "$WORK/prove.json")" >/dev/null
	as org hufu request submit "$id" >/dev/null
	echo "$id"
}

@test "only an agent with an officer's key says yes for one" {
	keep call "$(reissue call)"
	asked sign | grep -q "ten characters: $(characters_of "$WORK/two.csr" | sed 's/.....$/-&/')"
	refused agent_officer call officer.approve "request=$(kept call)"
	refused agent_officer call officer.unlock "request=$(kept call)"
	refused agent_officer call officer.make "request=$(kept call)" algorithm=rsa
	agent_down
	mv "$WORK/session" "$WORK/session.org"
	up_for officer --officer "$(key_of alice)" --materials "$WORK/looked"
	pair
}

@test "the page names a request; the agent fetches text and materials itself, shows them, asks once, and types nothing for the officer" {
	local id right
	id=$(kept call)
	right=$(characters_of "$WORK/two.csr")
	refused request_unknown call officer.approve request=20261126-AAAAAAAAAAAA
	refused request_unknown call officer.make request=20261126-AAAAAAAAAAAA algorithm=rsa
	refused work_state call officer.make "request=$id" algorithm=rsa # its owner has made the key
	refused param_word call officer.make "request=$id" algorithm=dsa
	refused agent_escrow call officer.unlock "request=$id"
	answers approve no "$right"
	refused not_confirmed call officer.approve "request=$id"
	answers approve yes AAAAA-AAAAA
	refused fingerprint_wrong call officer.approve "request=$id"
	run asked approve
	said "hufu/tally/v1" "kind: reissue" "material business-licence" "SHA-256 as in the tally" "Approve exactly this tally?" "read out to you in your call" "(not shown"
	[[ "$output" != *"${right:0:5}"* && "$output" != *"$(openssl req -in "$WORK/two.csr" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -c 1-10)"* ]]
	cmp "$WORK"/looked/business-licence-* "$WORK/business-licence.pdf"
	answers approve yes "${right,,}"
	did call officer.approve "request=$id"
	same "$(field state <<<"$output")" awaiting_officers
	grep -qx "approve characters" "$WORK/words"
	refused officer_twice call officer.approve "request=$id"
	did as officer hufu officer approve --yes --key "$(key_of bob)" --key-seen call "$id" <<<"$right"
	did as officer hufu officer approve --yes --key "$(key_of carol)" --key-seen call "$id" <<<"$right"
	issued_to org "$id" second >"$WORK/serial"
	verified "$WORK/second.pem"
}

@test "the certificate of the reissue stands on the token that made its key; a key that is on a token here is shown by that token" {
	local id
	agent_down
	mv "$WORK/session" "$WORK/session.officer"
	mv "$WORK/session.org" "$WORK/session"
	up_for org
	answers install yes 24680246
	did call token.install "certificate=@$WORK/second.pem" "expect=$(kept two)"
	answers keygen yes 24680246
	did call token.keygen algorithm=rsa "expect=$(kept two)"
	field csr <<<"$output" >"$WORK/two.csr"
	id=$(reissue token)
	agent_down
	mv "$WORK/session" "$WORK/session.org"
	mv "$WORK/session.officer" "$WORK/session"
	up_for officer --officer "$(key_of alice)"
	answers approve yes $pin
	refused key_not_on_token call officer.approve "request=$id" "expect=$(kept one)"
	answers approve yes
	refused key_seen call officer.approve "request=$id"
	answers approve yes 000000
	refused pin_wrong call officer.approve "request=$id" "expect=$(kept two)"
	answers approve yes 24680246
	did call officer.approve "request=$id" "expect=$(kept two)"
	same "$(field state <<<"$output")" awaiting_officers
}

@test "an officer's key behind a passphrase is opened for one yes" {
	local id
	id=$(as officer hufu --json officer queue | python3 -c 'import json, sys; r = json.load(sys.stdin); r = r if isinstance(r, list) else r["requests"]; print(r[0]["request"])')
	agent_down
	hufu officer key --out "$WORK/dora.key" --passphrase-fd 4 dora 4<<<"a passphrase" >/dev/null
	up_for officer --officer "$WORK/dora.key" --escrow "$(dirname "$(key_of alice)")/token.key"
	refused unlock_kind call officer.unlock "request=$id"
	answers approve yes 24680246 "another passphrase"
	refused sealed_open call officer.approve "request=$id" "expect=$(kept two)"
	answers approve yes 24680246 "a passphrase"
	run call officer.approve "request=$id" "expect=$(kept two)"
	[ "$status" = 2 ]
	said officer # opened; but she is in no roster
	grep -qx "approve pin passphrase" "$WORK/words"
}
