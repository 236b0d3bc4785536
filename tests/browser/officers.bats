#!/usr/bin/env bats
# An officer's day in a real browser: the queue, papers beside the data, a correction, a rejection. desk.mjs has what the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../agent

setup_file() {
	export hufu SHOTS=$build/browser AGENT_PORT
	AGENT_PORT=$(free_port)
	officers_begin "http://127.0.0.1:$AGENT_PORT"
}
teardown_file() { portal_end; }

desk() {
	run timeout 300 node "$root/tests/browser/desk.mjs" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "the queue: who acts is said once, filters stand in the address, the first due first" { desk queue; }

@test "a request: difference, papers, a claim, and a correction that its owner reads" {
	desk request
	did as org hufu request show "$(cat "$WORK/number")"
	said "印章看不清"
}

@test "a whole review by the keyboard alone, at a telephone's width: an empty reason is said at its field, then the rejection" {
	desk keyboard
	did as other hufu request history "$(cat "$WORK/second")"
	said "another organisation's"
}

@test "the service desk: an account found, a forgotten identifier, a transfer confirmed, a USB key moved; what is wrong is said at its field" {
	did hufu account licence --organisation 杭州田谷 --agent 王五 --mobile 13700000008 "$(scan)"
	did as officer hufu rpc --call-id token.add '{"token": "8ca811af663709db", "label": "HUFU-1", "model": "Example"}'
	as org hufu --json order renew 20353 | field order >"$WORK/order"
	did as org hufu order pay "$(cat "$WORK/order")"
	desk service
}

@test "figures of the day as charts with their numbers, the audit page by page, the operator's view" { desk figures; }

@test "an approval: pressed on the page, read and said at the agent's own terminal, once for each tally; a page that lies is seen through" {
	local five id
	mapfile -t five < <(five_materials)
	id=$(prepared other --kind change --way name-or-code --files no --accept-notice --subject O=杭州又一家示例有限公司 --subject CN=杭州又一家示例有限公司 "${five[@]}" 74C2008800000B01)
	proved other "$WORK/old/other.key" "$id" >/dev/null
	as other hufu --json request show "$id" | field number >"$WORK/third"
	ALICE=$(key_of alice) BOB=$(key_of bob) run timeout 110 node "$root/tests/browser/approval.mjs" both
	echo "$output"
	[ "$status" = 0 ]
	did issued_to other "$id" third
	verified "$WORK/third.pem"
	[[ "$(subject "$WORK/third.pem")" == *O=杭州又一家示例有限公司* ]]
}

@test "each page in both languages, at a telephone's width and a desk's: nothing serious by axe, nothing wider than the window" { desk all; }
