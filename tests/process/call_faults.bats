#!/usr/bin/env bats
# Each call of libcrypto, SQLite and nng, and of SQLite to the kernel, that the issue of one certificate makes: one of them fails, and
# tests/fuzz/fuzz_faults.c says what must hold. Each of them with tools/test --long, every 24th else. Then the calls of the real programs (tests/crash/faults.c).

load ../helpers

setup() { WORK=$(new_dir); }
teardown() { rm -rf "$WORK"; }

@test "any one call fails: no certificate without its row, the ledger holds, and asked again there is one certificate" {
	local step=24 n calls
	[ "${HUFU_LONG:-0}" != 1 ] || step=1
	mkdir "$WORK/none" "$WORK/one"
	: >"$WORK/none/none"
	calls=$("$build/tests/fuzz/fuzz_faults" "$WORK/none" x 2>"$WORK/log" | sed -n 's/ calls that may fail$//p')
	[ "$calls" -gt 100 ]
	# So many calls after the first: two octets, little-endian.
	for ((n = 0; n < calls; n += step)); do printf "\\x$(printf %02x $((n % 256)))\\x$(printf %02x $((n / 256)))" >"$WORK/one/$n"; done
	run "$build/tests/fuzz/fuzz_faults" "$WORK/one" x
	[ "$status" = 0 ] || { tail -n 5 <<<"$output"; false; }
	[[ "$output" == *"$(find "$WORK/one" -type f | wc -l) inputs of"* ]]
}

# Every 13th of 120 cases, so that each program and each second call is among them; all of them with tools/test --long.
@test "signer, desk, gate and notifier: each call by which they write, take a connection or get memory fails, or they stand still" {
	local step=13
	[ "${HUFU_LONG:-0}" != 1 ] || step=1
	run "$build/tests/crash/faults" "$build" "$root/policies" "$WORK/hufu" $step
	echo "$output"
	[ "$status" = 0 ] || { tail -n 20 "$WORK"/hufu/var/log/*.log; return 1; }
	[[ "$output" == *"each with a receipt that holds"* ]]
	[[ "$output" == *"mails, each handed over"* ]]
	[[ "$output" == *"good: every entry, hash and outcome is where it should be"* ]]
}
