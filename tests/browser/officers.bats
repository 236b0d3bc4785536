#!/usr/bin/env bats
# An officer's day in a real browser: the queue, papers beside the data, a correction, a rejection. desk.mjs has what the browser does; screenshots are left below build/browser.

bats_require_minimum_version 1.5.0
load ../portal

setup_file() {
	export SHOTS=$build/browser
	officers_begin
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
