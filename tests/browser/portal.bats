#!/usr/bin/env bats
# The guide, walked through in a real browser: a subscriber at the portal, with the key in SoftHSM2 behind `hufu agent`; officers and the bank beside it. One story: each part goes
# on where the one before ended.
# walk.mjs has what the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../agent

module=/usr/lib/softhsm/libsofthsm2.so
pin=135790

setup_file() {
	export hufu SHOTS=$build/browser SERIAL=74C2008800000AE9 MOBILE=13858011084 AGENT_PORT
	rm -rf "$SHOTS"
	AGENT_PORT=$(free_port)
	portal_begin "sms: {resend_seconds: 5}"
	make_person
	echo "$AGENT_PORT" >"$WORK/port"
	export SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir "$WORK/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	softhsm2-util --init-token --free --label GUIDE --so-pin 24680246 --pin $pin >/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$WORK/old/org.key" -out "$WORK/old/org.p8"
	softhsm2-util --import "$WORK/old/org.p8" --token GUIDE --label signing --id 01 --pin $pin >/dev/null
	pkcs11-tool --module $module --token-label GUIDE --login --pin $pin --write-object <(openssl x509 -in "$WORK/old/org.pem" -outform DER) --type cert --id 01 >/dev/null
}
teardown_file() {
	agent_down
	portal_end
}
# What goes on where another part has failed only waits for what can't come.
setup() { [ ! -e "$WORK/broken" ] || { echo "an earlier part of this story has failed"; return 1; }; }
teardown() { [ -n "${BATS_TEST_COMPLETED:-}" ] || touch "$WORK/broken"; }

walk() {
	run timeout 300 node "$root/tests/browser/walk.mjs" "$1"
	echo "$output"
	grep '^# ' <<<"$output" >&3 || :
	[ "$status" = 0 ]
}

@test "the start page is small and asks nobody else; the guide's words find the project, and its page has what the guide shows" { walk start; }

@test "a wrong password is said in both languages and nothing typed is lost; the initial one opens the back-fill alone, and no script sees the session" { walk login; }

@test "a picture code is asked for after wrong passwords" { walk picture; }

@test "back-fill and reset: an officer's code, a number with its code and count-down, a password, each with a green tick" {
	CODE=$(as officer hufu --json account grant --reason "papers seen" 35353550-9 | field code)
	export CODE
	walk reset
}

@test "an expired service stops the extension; services are found and paged; it is renewed, ordered once and paid for" {
	walk renew
	did as officer hufu order confirm --bank-reference BANK-1 "$(cat "$WORK/order")"
}

@test "extend: the way, its effect on encrypted files, and the text to be signed; pressed twice it is one request, the way back finds it; a line of nobody's is refused" { walk extend; }

@test "signed by the key in the agent and handed in once, the certificate is issued and stands on the USB key, and openssl verifies it; another tab comes too late" {
	as org hufu login --password-fd 4 "$MOBILE" 4<<<"the password of org"
	agent_up org --origin "http://$HTTP"
	answers sign yes $pin
	answers install yes $pin
	walk issued
	agent_down
	cmp <(pkcs11-tool --module $module --token-label GUIDE --read-object --type cert --id 01 2>/dev/null | openssl x509 -inform DER) <(openssl x509 -in "$WORK/extended.pem")
	verified "$WORK/extended.pem"
	same "$(public_key "$WORK/extended.pem")" "$(public_key "$WORK/old/org.pem")"
	[ "$(ends "$WORK/extended.pem")" -gt "$(ends "$WORK/old/org.pem")" ]
}

@test "change: what was typed outlives the session, papers are uploaded one by one, the notice is read and accepted" {
	SERIAL=$(openssl x509 -in "$WORK/extended.pem" -noout -serial | cut -d= -f2) walk change
}

@test "reissue: where the new key is made, encrypted files first, withdrawn" {
	SERIAL=$(openssl x509 -in "$WORK/extended.pem" -noout -serial | cut -d= -f2) walk reissue
}

@test "each page in both languages, at a telephone's width and a desk's: nothing serious by axe, nothing wider than the window" {
	SERIAL=$(openssl x509 -in "$WORK/extended.pem" -noout -serial | cut -d= -f2) walk all
}

@test "a correction: the officer's reasons stand at paper and field; put right and handed in again, two officers approve, and the certificate has the new name" {
	local number
	number=$(cat "$WORK/number")
	did proved org "$WORK/old/org.key" "$number"
	did as officer hufu officer correct --as alice --item business-licence=印章看不清 --item O=与公示的不一致 "$number"
	walk correct
	did approved alice "$number"
	did approved bob "$number"
	did issued_to org "$number" changed
	verified "$WORK/changed.pem"
	[[ "$(subject "$WORK/changed.pem")" == *O=杭州虎符示例科技股份有限公司* ]]
}

@test "a new legal representative: corrected once, decided by one officer, and the record has it" {
	SERIAL=$(openssl x509 -in "$WORK/changed.pem" -noout -serial | cut -d= -f2) walk representative
}

@test "beside the road: a recovery asked for, a licence dropped onto the page, a new organisation that registers and applies for a service, once" {
	SERIAL=$(openssl x509 -in "$WORK/changed.pem" -noout -serial | cut -d= -f2) walk beside
}

@test "a forgotten password: a wrong code is said at its field, the right one opens" {
	rm -f "$DIR"/var/lib/hufu-ra/spool/*.json # the codes of before
	walk forgot
}
