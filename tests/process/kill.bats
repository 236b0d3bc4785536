#!/usr/bin/env bats
# Every method that changes something is killed in its write path by a row in some kill_*.bats.

load ../helpers

# Without a row, and why: one a line, as `method  reason`.
exceptions() {
	cat <<-'END'
	desk.resume     wants a ledger that was restored behind what the desk followed: restore.bats does it; one transaction, and the word stays in the signer's ledger
	edge.responder  the desk keeps a line of audit alone; the signer gives the same certificate for the same tally
	END
}

changing() {
	python3 -c 'import json, sys; print(*(m["name"] for m in json.load(sys.stdin)["methods"] if m["x-changes"]), sep="\n")' <"$root/docs/openrpc.json" | sort
}
with_row() { cat "$root"/tests/process/kill_*.bats | sed -nE 's/^[[:space:]]*once [0-9]+ ("[^"]*"|[a-z_]+) [^ ]+ ([a-z]+\.[a-z_]+) .*/\2/p' | sort -u; }
excepted() { exceptions | sed 's/ .*//' | sort; }

@test "each changing method has a row, or a reason" {
	[ "$(changing | wc -l)" -gt 40 ]
	run comm -23 <(changing) <(sort -u <(with_row) <(excepted))
	echo "without a row: $output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "no row and no reason stands for a method that is none, or for one twice" {
	run comm -13 <(changing) <(sort -u <(with_row) <(excepted))
	echo "no changing method: $output"
	[ "$status" = 0 ]
	[ -z "$output" ]
	run comm -12 <(with_row) <(excepted)
	echo "a row and a reason: $output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "each row is killed before its change and at its flush, and before its answer" {
	run awk '
		/^@test / { rows = points = rounds = 0; name = $0 }
		/^[[:space:]]*once / { rows++ }
		/"\$\{points\[@\]\}"/ { points++ }
		/for round in commit answer; do/ { rounds++ }
		/^}/ && rows > 0 { n += rows; if (rows > points || rounds != 1) print name; rows = 0 }
		END { print n " rows" }' "$root"/tests/process/kill_*.bats
	echo "$output"
	[ "${#lines[@]}" = 1 ] && [ "${output% rows}" -ge "$(changing | wc -l)" ]
}
