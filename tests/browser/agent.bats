#!/usr/bin/env bats
# A USB key in the browser: two organisations extend a certificate at the portal, one in Chinese and one in English, with SoftHSM2 behind `hufu agent`. agent.mjs has what
# the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../agent

module=/usr/lib/softhsm/libsofthsm2.so
pin=135790

# organisation NAME N CODE [ENDS]: token ORG<N> with an RSA key, its certificate of the old authority, and a service to ENDS.
organisation() {
	local o=杭州令牌$2示例有限公司
	softhsm2-util --init-token --free --label "ORG$2" --so-pin 24680246 --pin $pin >/dev/null
	pkcs11-tool --module $module --token-label "ORG$2" --login --pin $pin --keypairgen --key-type rsa:2048 --id 01 --label signing >/dev/null
	old_cert "$1" "74C2008800000B5$2" $o "$3"
	GNUTLS_PIN=$pin p11tool --provider $module --login --export-pubkey --outfile "$WORK/old/$1.spki" "pkcs11:token=ORG$2;id=%01;type=public" 2>/dev/null
	openssl x509 -req -in "$1.csr" -force_pubkey "$1.spki" -CA zjca-oca2.pem -CAkey zjca-oca2.key -set_serial "0x74C2008800000B5$2" -days 60 -sha256 \
		-extfile ca.conf -extensions ee -out "$1.pem" 2>/dev/null
	pkcs11-tool --module $module --token-label "ORG$2" --login --pin $pin --write-object <(openssl x509 -in "$1.pem" -outform DER) --type cert --id 01 >/dev/null
	csv_row "$3" $o "2095$2" "${4:-+200 days}" $o "74C2008800000B5$2" "$1"
}
folder_of() { dirname "$(grep -rlaF "$1" "$WORK/tokens" "$WORK/away" | head -n1)"; }

setup_file() {
	live_begin
	take_ports
	export hufu SHOTS=$build/browser SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir -p "$WORK/tokens" "$WORK/away" "$SHOTS"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	make_person
	old_authority
	csv_begin
	organisation one 1 91330100MAHUFU0179
	organisation two 2 91330100MAHUFU0254
	organisation three 3 91330100MAHUFU033Y "-1 month"
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
	mv "$(folder_of ORG3)" "$WORK/away/three"
}
teardown_file() {
	agent_down
	portal_end
}
# What goes on where another part has failed only waits for what can't come.
setup() { [ ! -e "$WORK/broken" ] || { echo "an earlier part of this story has failed"; return 1; }; }
teardown() { [ -n "${BATS_TEST_COMPLETED:-}" ] || touch "$WORK/broken"; }

plug() { mv "$WORK/away/$1" "$WORK/tokens/"; }
pull() { mv "$WORK"/tokens/* "$WORK/away/$1"; }
walk() { # STEP LANGUAGE NAME [NAME=VALUE…]
	run timeout 110 env STEP_LANGUAGE="$2" KEPT="browser.$3" MOBILE="$(mobile_of "$3")" PASSWORD="the password of $3" SERIAL="$(serial_of "$3")" "${@:4}" node "$root/tests/browser/agent.mjs" "$1"
	echo "$output"
	[ "$status" = 0 ]
}
serial_of() { [ ! -e "$WORK/$1.pem" ] || openssl x509 -in "$WORK/$1.pem" -noout -serial | cut -d= -f2; }
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
	agent_down
	pull two
}

# opens LABEL STEM PIN: that certificate stands beside its key on the token, and the key opens what openssl encrypts to it.
opens() {
	local on=(pkcs11-tool --module $module --token-label "$1" --login --pin "$3") id
	id=$("${on[@]}" --list-objects --type pubkey 2>/dev/null | sed -n 's/^ *ID: *//p')
	cmp <("${on[@]}" --read-object --type cert --id "$id" 2>/dev/null | openssl x509 -inform DER) <(openssl x509 -in "$WORK/$2.pem")
	head -c 32 /dev/urandom >"$WORK/clear"
	openssl pkeyutl -encrypt -certin -inkey "$WORK/$2.pem" -in "$WORK/clear" -out "$WORK/sealed"
	"${on[@]}" --decrypt --mechanism RSA-PKCS --id "$id" --input-file "$WORK/sealed" --output-file "$WORK/opened" 2>/dev/null
	cmp "$WORK/clear" "$WORK/opened"
}

@test "补办: the agent makes the new key on another USB key, three officers hear its characters, and the certificate stands beside it and opens what is encrypted to it" {
	softhsm2-util --init-token --free --label ORG1-NEW --so-pin 24680246 --pin $pin >/dev/null
	agent_up one --origin "http://$HTTP"
	answers keygen yes $pin
	answers sign yes $pin
	answers install yes $pin
	answers test yes $pin
	walk reissue zh one
	characters=$(sed -n 's/.*ten characters: //p' "$WORK/asked.sign")
	for officer in alice bob carol; do did as officer hufu officer approve --yes --key "$(key_of $officer)" --key-seen call "$(cat "$WORK/number")" <<<"$characters"; done
	did issued_to one "$(cat "$WORK/number")" reissued
	walk reissued zh one
	verified "$WORK/reissued.pem"
	[ "$(public_key "$WORK/reissued.pem")" != "$(public_key "$WORK/one.pem")" ]
	opens ORG1-NEW reissued $pin
	agent_down
	pull one
}

@test "the guide by the keyboard alone, in English: the first log-in by the key on the token, back-fill, renewal and order, extension, and the certificate on the key" {
	agent_up three --origin "http://$HTTP"
	answers sign yes $pin
	answers install yes $pin
	echo "cp $WORK/asked.sign $WORK/signed.\$(wc -l <$WORK/words)" >"$WORK/then.sign"
	plug three
	walk keyboard en three MOBILE=91330100MAHUFU033Y PASSWORD=88888888 OWN="$(mobile_of three)"
	rm "$WORK/then.sign"
	run cat "$WORK"/signed.*
	said "hufu/account/v1" "91330100MAHUFU033Y" "kind: extend"
	on_token 3 three
	agent_down
	pull three
}
