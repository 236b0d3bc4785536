#!/usr/bin/env bats
# kill -9 at random points of either process, under load: nothing answered is lost and every answer has its receipt, nothing is issued twice, the ledger's file is whole, the desk ends where the ledger is.

load ../helpers

setup() { WORK=$(new_dir); }
teardown() { rm -rf "$WORK"; }

kills() {
	local seed=${HUFU_SEED:-$RANDOM}
	echo "seed $seed"
	run "$build/tests/crash/crash" "$build" "$root/policies" "$WORK/hufu" "$1" "$seed"
	echo "$output"
	[ "$status" = 0 ] || { tail -n 20 "$WORK"/hufu/var/log/*.log; return 1; }
	[[ "$output" == *"$1 kills"*"each with a receipt that holds"* ]]
	[[ "$output" == *"good: every entry, hash and outcome is where it should be"* ]]
}

# 50 in the normal suite, 1,000 with tools/test --long.
@test "kill -9 of either process, over and over" {
	if [ "${HUFU_LONG:-0}" = 1 ]; then kills 1000; else kills 50; fi
}
