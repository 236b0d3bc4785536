#!/usr/bin/env bats
# kill -9 while the desk makes keys on tokens and ships them, and while their owners sign for them.

load kill

serials=([0]=74C2008800000F01 [1]=74C2008800000F02)
names=([0]=first [1]=second)

setup_file() {
	kill_begin
	organisation first "${serials[0]}" 杭州断电示例有限公司 91330100MAHUFU0179 20601
	organisation second "${serials[1]}" 杭州再断示例有限公司 91330100MAHUFU0254 20602
	AT_HOME="first 91330100MAHUFU0179 second 91330100MAHUFU0254" kill_up
	clerk dan
	kill "$(cat "$WORK/ra.pid")"
	until_gone "$(cat "$WORK/ra.pid")"
	ra_up
}

teardown_file() { kill_end; }

# reissue OWNER SERIAL: a work, handed in; prints its number.
reissue() {
	local m papers=()
	for m in registration-form agent-id-card business-licence risk-notice; do
		papers+=("--material=$m=$(material "$m")")
	done
	as "$1" hufu --json request reissue --way damaged --project jinhua --files no --accept-notice --recipient 张三 --mobile 0571-88880000 \
		--ship-to 杭州市西湖区示例路1号 "${papers[@]}" "$2" >"$WORK/answer.json" || return 1
	as "$1" hufu request submit "$(field request <"$WORK/answer.json")" >/dev/null
	field number <"$WORK/answer.json"
}
# token SERIAL: another one in stock, and the key that it will have.
token() {
	call - token.add "{\"token\": \"$1\", \"call_id\": \"token-add-$1\"}" >/dev/null
	csr "$1" p256
}
key() { # NUMBER TOKEN: parameters of work.csr
	python3 -c 'import json, sys; print(json.dumps({"request": sys.argv[1], "token": sys.argv[2], "csr": open(sys.argv[3]).read(), "start_pin": "Tiger-73", "officer": "dan"}))' \
		"$1" "$2" "$WORK/$2.csr"
}
# line NUMBER TOKEN: parameters of work.prove, signed by openssl.
line() {
	hufu --json rpc review.show "{\"request\": \"$1\"}" | field tally >"$WORK/tally"
	python3 - "$1" "$WORK/$2.key" "$WORK/tally" <<-'PY'
		import base64, hashlib, json, subprocess, sys
		openssl = lambda *words, text=b"": subprocess.run(["openssl", *words], input=text, capture_output=True, check=True).stdout
		request, key, text = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
		kind = b"new-key\n\xffhufu/ecdsa-sha256" + openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
		line = hashlib.sha256(kind).digest()[:4] + openssl("dgst", "-sha256", "-sign", key, text=text)
		print(json.dumps({"request": request, "officer": "dan", "line": "\u2014 new-key " + base64.b64encode(line).decode()}))
	PY
}
again() { call - "$1" "${2%\}}, \"call_id\": \"by-hand-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')\"}" >/dev/null; }
# made NUMBER TOKEN: the key and its line, without a kill.
made() { token "$2" && again work.csr "$(key "$1" "$2")" && again work.prove "$(line "$1" "$2")"; }
signed() { # NUMBER
	local officer
	for officer in alice bob carol; do
		again review.approve "{\"request\": \"$1\", \"line\": \"$(officer_line $officer "$1")\"}" || return 1
	done
}
number_is() { same "$(rows "SELECT r.state FROM requests r JOIN courses k ON k.request = r.id WHERE k.number = '$1' ORDER BY r.state = 'corrected', r.made DESC LIMIT 1")" "$2"; }
token_is() { same "$(rows "SELECT state FROM tokens WHERE serial = '$1'")" "$2"; }

@test "made, proved, given up; packed, shipped, returned, lost; received, and one certificate is made" {
	local round n=0 number owner pack ship
	for round in commit answer; do
		local -n points=$round
		owner=${names[n]}
		number=$(reissue "$owner" "${serials[n]}")
		token "A$n"
		once 1 work_keyed - work.csr "$(key "$number" "A$n")" "${points[@]}"
		number_is "$number" keyed
		once 1 work_proved - work.prove "$(line "$number" "A$n")" "${points[@]}"
		once 1 work_again - work.again "{\"request\": \"$number\", \"note\": \"no answer\", \"officer\": \"dan\"}" "${points[@]}"
		number_is "$number" to_make
		token_is "A$n" damaged
		made "$number" "B$n"
		signed "$number"
		pack="{\"request\": \"$number\", \"token\": \"B$n\", \"officer\": \"dan\"}"
		ship="{\"request\": \"$number\", \"carrier\": \"SF\", \"tracking\": \"SF$n\", \"officer\": \"dan\"}"
		once 1 parcel_packed - parcel.pack "$pack" "${points[@]}"
		once 1 parcel_shipped - parcel.ship "$ship" "${points[@]}"
		same "$(rows "SELECT count(*) FROM outbox WHERE template = 'start_pin'")" $((2 * n + 1))
		once 1 parcel_returned - parcel.returned "{\"request\": \"$number\", \"token\": \"B$n\", \"note\": \"closed\", \"officer\": \"dan\"}" "${points[@]}"
		token_is "B$n" returned
		again parcel.ship "$ship"
		once 1 parcel_lost - parcel.lost "{\"request\": \"$number\", \"note\": \"gone\", \"officer\": \"dan\"}" "${points[@]}"
		token_is "B$n" lost
		made "$number" "C$n"
		signed "$number"
		again parcel.pack "{\"request\": \"$number\", \"token\": \"C$n\", \"officer\": \"dan\"}"
		again parcel.ship "$ship"
		number_is "$number" in_post
		once 1 parcel_received "$owner" parcel.receive "{\"request\": \"$number\", \"token\": \"C$n\"}" "${points[@]}"
		did as "$owner" hufu request show --wait 30 "$number"
		token_is "C$n" in_use
		same "$(rows "SELECT count(*) FROM certs WHERE predecessor = (SELECT id FROM certs WHERE hex(serial) = '${serials[n]}')")" 1
		n=$((n + 1))
	done
	same "$(rows "SELECT count(*) FROM requests WHERE kind = 'reissue' AND state = 'issued'")" 2
	same "$(rows "SELECT count(*) FROM parcels WHERE state = 'received'")" 2
}
