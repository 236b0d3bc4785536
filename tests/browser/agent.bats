#!/usr/bin/env bats
# A USB key in the browser: two organisations extend a certificate at the portal, one in Chinese and one in English, with SoftHSM2 behind `hufu agent`. agent.mjs has what
# the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../agent

module=/usr/lib/softhsm/libsofthsm2.so
pin=135790

# organisation NAME N CODE: token ORG<N> with an RSA key, and its certificate of the old authority.
organisation() {
	local o=杭州令牌$2示例有限公司
	softhsm2-util --init-token --free --label "ORG$2" --so-pin 24680246 --pin $pin >/dev/null
	pkcs11-tool --module $module --token-label "ORG$2" --login --pin $pin --keypairgen --key-type rsa:2048 --id 01 --label signing >/dev/null
	old_cert "$1" "74C2008800000B5$2" $o "$3"
	GNUTLS_PIN=$pin p11tool --provider $module --login --export-pubkey "pkcs11:token=ORG$2;id=%01;type=public" >"$WORK/old/$1.spki" 2>/dev/null
	openssl x509 -req -in "$1.csr" -force_pubkey "$1.spki" -CA zjca-oca2.pem -CAkey zjca-oca2.key -set_serial "0x74C2008800000B5$2" -days 60 -sha256 \
		-extfile ca.conf -extensions ee -out "$1.pem" 2>/dev/null
	pkcs11-tool --module $module --token-label "ORG$2" --login --pin $pin --write-object <(openssl x509 -in "$1.pem" -outform DER) --type cert --id 01 >/dev/null
	csv_row "$3" $o "2095$2" "+200 days" $o "74C2008800000B5$2" "$1"
}
folder_of() { dirname "$(grep -rlaF "$1" "$WORK/tokens" "$WORK/away" | head -n1)"; }

setup_file() {
	live_begin
	take_ports
	export SHOTS=$build/browser SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir -p "$WORK/tokens" "$WORK/away" "$SHOTS"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	make_person
	old_authority
	csv_begin
	organisation one 1 91330100MAHUFU0179
	organisation two 2 91330100MAHUFU0254
	old_crl
	init >/dev/null
	portal_admitted
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	free_port >"$WORK/port"
	portal_up "portal: {agent: \"http://127.0.0.1:$(cat "$WORK/port")\"}"
	local who
	for who in one two; do
		at_home $who "$(grep -o '91330100MAHUFU[0-9A-Z]*' <<<"$(grep "/*$who.pem" "$WORK/old/accounts.csv")" | head -n1)" >/dev/null
	done
	paid_order one 20951 >"$WORK/order.one"
	paid_order two 20952 >"$WORK/order.two"
	mv "$(folder_of ORG1)" "$WORK/away/one"
	mv "$(folder_of ORG2)" "$WORK/away/two"
}
teardown_file() {
	agent_down
	portal_end
}

plug() { mv "$WORK/away/$1" "$WORK/tokens/"; }
pull() { mv "$WORK"/tokens/* "$WORK/away/$1"; }
walk() { # STEP LANGUAGE NAME
	run timeout 110 env STEP_LANGUAGE="$2" MOBILE="$(mobile_of "$3")" PASSWORD="the password of $3" node "$root/tests/browser/agent.mjs" "$1"
	echo "$output"
	[ "$status" = 0 ]
}
# on_token N STEM: the certificate beside the key on token ORG<N> is the new one, and openssl verifies it.
on_token() {
	pkcs11-tool --module $module --token-label "ORG$1" --read-object --type cert --id 01 2>/dev/null | openssl x509 -inform DER -out "$WORK/$2.pem"
	verified "$WORK/$2.pem"
	same "$(public_key "$WORK/$2.pem")" "$(public_key "$WORK/old/$2.pem")"
	[ "$(ends "$WORK/$2.pem")" -gt "$(ends "$WORK/old/$2.pem")" ]
}

@test "延期: no agent, no pairing, another key in the slot are told; the agent signs, and the new certificate stands on the key" {
	walk missing zh one
	agent_up one --origin "http://$HTTP"
	answers sign yes $pin
	answers install yes $pin
	plug two
	walk mismatch zh one
	pull two
	plug one
	walk extend zh one
	on_token 1 one
	grep -q "kind: extend" "$WORK/asked.sign"
	agent_down
	pull one
}

@test "the same in English; a wrong PIN and a key that is pulled out while it signs are said, and the next try is whole" {
	agent_up two --origin "http://$HTTP"
	answers sign yes 999999
	answers install yes $pin
	plug two
	walk wrong_pin en two
	answers sign yes $pin
	echo "mv $WORK/tokens/* $WORK/away/two" >"$WORK/then.sign"
	walk pulled en two
	rm "$WORK/then.sign"
	plug two
	walk extend en two
	on_token 2 two
}
