#!/usr/bin/env bats
# The guide with both sides in real browsers: a subscriber and an officer, each with `hufu agent` and a SoftHSM2 token of their own. From the log-in to the signed receipt: an
# extension that is approved, a change with its papers, a lost key whose successor comes by post, a forgotten PIN. story.mjs has what the browsers do; the officer's colleagues, whose
# signatures the kinds want besides, are played here. Screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../agent
load ../usb

pin=135790

setup_file() {
	local code=91330100MAHUFU0179 name=杭州令牌示例有限公司 on
	export hufu SHOTS=$build/browser AGENT_PORT DESK_PORT
	live_begin
	take_ports
	AGENT_PORT=$(free_port) DESK_PORT=$(free_port)
	mkdir -p "$WORK/office/people" "$SHOTS"
	make_person
	in_office make_person
	usb_place home
	usb_place office
	export SOFTHSM2_CONF=$WORK/usb/home.conf
	old_authority
	csv_begin
	old_cert org 74C2008800000B51 $name $code rsa
	csv_row $code $name 20951 "+200 days" $name 74C2008800000B51 org
	old_crl
	softhsm2-util --init-token --free --label ORG --so-pin 24680246 --pin $pin >/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$WORK/old/org.key" -out "$WORK/old/org.p8"
	softhsm2-util --import "$WORK/old/org.p8" --token ORG --label signing --id 01 --pin $pin >/dev/null
	pkcs11-tool --module $module --token-label ORG --login --pin $pin --write-object <(openssl x509 -in "$WORK/old/org.pem" -outform DER) --type cert --id 01 >/dev/null
	init >/dev/null
	portal_admitted
	officers_admitted hufu-clerk
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	clerk dan
	kill -HUP "$(cat "$WORK/ra.pid")"
	portal_up "portal: {agent: \"http://127.0.0.1:$AGENT_PORT\"}"
	desk_up hufu-clerk "http://127.0.0.1:$DESK_PORT"
	at_home org $code >/dev/null
	paid_order org 20951 >/dev/null
	echo "$AGENT_PORT" >"$WORK/port"
	echo "$DESK_PORT" >"$WORK/office/port"
	agent_up org --origin "http://$HTTP" --token-key "$DIR/etc/hufu/token.pub"
	answers keygen yes $pin
	answers sign yes $pin
	answers install yes $pin
	in_office answers approve yes
	officer_up alice
}
teardown_file() {
	agent_down
	in_office agent_down
	portal_end
}
# What goes on where another part has failed only waits for what can't come.
setup() { [ ! -e "$WORK/broken" ] || { echo "an earlier part of this story has failed"; return 1; }; }
teardown() { [ -n "${BATS_TEST_COMPLETED:-}" ] || touch "$WORK/broken"; }

# The officer's machine: an agent, a person and USB keys of its own. The slots are its own too.
in_office() { WORK=$WORK/office "$@"; }
officer_up() { at office in_office agent_up officer --origin "http://$PROXY" --officer "$(key_of "$1")" --escrow "$DIR/home/alice/token.key"; }

story() {
	run timeout 200 env "${@:2}" node "$root/tests/browser/story.mjs" "$1"
	echo "$output"
	[ "$status" = 0 ]
}
serial_of() { openssl x509 -in "$WORK/$1.pem" -noout -serial | cut -d= -f2; }
# came_of STEM: the request's certificate, in STEM.pem, which openssl verifies.
came_of() {
	did issued_to org "$(cat "$WORK/number")" "$1"
	verified "$WORK/$1.pem"
}
# opens LABEL STEM PIN: that certificate stands beside its key on the token, and the key opens what openssl encrypts to it.
opens() {
	local on=(pkcs11-tool --module $module --token-label "$1" --login --pin "$3") id
	"${on[@]}" --list-objects --type cert 2>/dev/null | sed -n 's/^ *ID: *//p' >"$WORK/ids"
	while read -r id; do cmp -s <("${on[@]}" --read-object --type cert --id "$id" 2>/dev/null | openssl x509 -inform DER) <(openssl x509 -in "$WORK/$2.pem") && break; done <"$WORK/ids"
	[ -n "$id" ]
	head -c 32 /dev/urandom >"$WORK/clear"
	openssl pkeyutl -encrypt -certin -inkey "$WORK/$2.pem" -in "$WORK/clear" -out "$WORK/sealed"
	"${on[@]}" --decrypt --mechanism RSA-PKCS --id "$id" --input-file "$WORK/sealed" --output-file "$WORK/opened" 2>/dev/null
	cmp "$WORK/clear" "$WORK/opened"
}

@test "延期: the agent makes the new key, both keys sign, an officer claims and approves, and the certificate stands on the USB key" {
	story extend MOBILE="$(mobile_of org)" PASSWORD="the password of org" SERIAL=74C2008800000B51
	came_of extended
	opens ORG extended $pin
	[ "$(public_key "$WORK/extended.pem")" != "$(public_key "$WORK/old/org.pem")" ]
	[ "$(ends "$WORK/extended.pem")" -gt "$(ends "$WORK/old/org.pem")" ]
	grep -q "kind: extend" "$WORK/office/asked.approve"
}

@test "变更: papers, notice and a new key of the organisation's own; two officers, and the new name stands on the USB key" {
	story change SERIAL="$(serial_of extended)"
	came_of changed
	opens ORG changed $pin
	[[ "$(subject "$WORK/changed.pem")" == *O=杭州新令牌示例有限公司* ]]
}

@test "补办: a lost key is held; at the desk a clerk's agent makes another on a USB key, and the start PIN passes no page" {
	local token
	rm -r "$WORK"/usb/home/*
	token=$(usb_new office HUFU-1)
	echo "$token" >"$WORK/token"
	in_office answers make yes "$(pin_of "$token")"
	officer_up dan
	story lost SERIAL="$(serial_of changed)" TOKEN="$token"
	run cat "$WORK/office/asked.sign"
	said "hufu/tally/v1" "kind: reissue" "key-seen: token"
}

@test "签收: three officers saw the key; it is packed and shipped on the page; another serial is refused; the receipt is given, the certificate installed, and its signed receipt verifies" {
	local token
	token=$(cat "$WORK/token")
	in_office answers approve yes "$(pin_of "$token")"
	officer_up alice
	story parcel TOKEN="$token" START="$(pin_of "$token")" FOLDER="$(cat "$WORK/usb/$token.folder")" MOBILE="$(mobile_of org)"
	came_of received
	opens HUFU-1 received 86421357
	did hufu verify "$WORK/received.pem" "$WORK/received.receipt"
}

@test "解锁: the forgotten PIN is asked for on the page; a wrong code opens nothing; the officer hears the right one, agrees on the page, and the new PIN is set" {
	answers unlock yes 246801
	story unlock SERIAL="$(serial_of received)"
	did pkcs11-tool --module $module --token-label HUFU-1 --login --pin 246801 --list-objects
	run pkcs11-tool --module $module --token-label HUFU-1 --login --pin 86421357 --list-objects
	[ "$status" != 0 ]
	run grep -rl "$(sed -n 's/^.*code: //p' "$WORK/asked.code")" "$WORK/portal.log"
	[ "$status" = 1 ]
}
