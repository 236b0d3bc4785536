#!/usr/bin/env bats
# The guide, walked through in a real browser: a subscriber at the portal, officers and the bank beside it. One story: each part goes on where the one before ended.
# walk.mjs has what the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal

setup_file() {
	export hufu SHOTS=$build/browser SERIAL=74C2008800000AE9 MOBILE=13858011084
	rm -rf "$SHOTS"
	portal_begin "sms: {resend_seconds: 5}"
}
teardown_file() { portal_end; }

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

@test "an expired service stops the extension; it is renewed, ordered and paid for" {
	walk renew
	did as officer hufu order confirm --bank-reference BANK-1 "$(cat "$WORK/order")"
}

@test "extend: the way, its effect on encrypted files, and the text to be signed; a line of nobody's is refused" { walk extend; }

@test "signed elsewhere and handed in, the certificate is issued, and openssl verifies it" {
	as org hufu login --password-fd 4 "$MOBILE" 4<<<"the password of org"
	did as org hufu request prove --key "$WORK/old/org.key" --yes "$(cat "$WORK/number")"
	walk issued
	verified "$WORK/extended.pem"
	same "$(public_key "$WORK/extended.pem")" "$(public_key "$WORK/old/org.pem")"
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

@test "a forgotten password: a wrong code is said at its field, the right one opens" {
	rm -f "$DIR"/var/lib/hufu-ra/spool/*.json # the codes of before
	walk forgot
}
