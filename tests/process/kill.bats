#!/usr/bin/env bats
# Every method that changes something is killed in its write path by a row in some kill_*.bats.

load ../helpers

# Without a row, and why: one a line, as `method  reason`.
exceptions() {
	cat <<-'END'
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
	[ "$status" = 0 ] && [ -z "$output" ]
}

@test "no row and no reason stands for a method that is none, or for one twice" {
	run comm -13 <(changing) <(sort -u <(with_row) <(excepted))
	echo "no changing method: $output"
	[ "$status" = 0 ] && [ -z "$output" ]
	run comm -12 <(with_row) <(excepted)
	echo "a row and a reason: $output"
	[ "$status" = 0 ] && [ -z "$output" ]
}

@test "each row is killed before its change and at its flush, and before its answer" {
	run awk '
		/^@test / { rows = points = rounds = 0; name = $0 }
		/^[[:space:]]*once / { rows++ }
		/"\$\{points\[@\]\}"/ { points++ }
		/for round in commit answer; do/ { rounds++ }
		/^}/ && rows > 0 { n += rows; if (rows != points || rounds != 1) print name; rows = 0 }
		END { print n " rows" }' "$root"/tests/process/kill_*.bats
	echo "$output"
	[ "${#lines[@]}" = 1 ] && [ "${output% rows}" -ge "$(changing | wc -l)" ]
}

@test "messages: taken, reported, tried again; and where they go" {
	local round id n=0 lease
	sed -i 's/roles: \[subscriber, officer, admin, portal\]/roles: [subscriber, officer, admin, portal, notifier]/' "$DIR/etc/hufu/ra.yaml"
	echo 'notices: {by: notifier}' >>"$DIR/etc/hufu/ra.yaml"
	kill "$(cat "$WORK/ra.pid")"
	tail --pid="$(cat "$WORK/ra.pid")" -f /dev/null
	ra_up
	did as org hufu account contact --language zh # the log of a database begins with a flush of its own
	take() { hufu --json rpc notice.take "{\"channel\": \"mail\", \"lease\": \"$1\"}" | field notice.id; }
	for round in commit answer; do
		local -n points=$round
		n=$((n + 1))
		once 1 contact_set org account.contact "{\"mail\": \"org$n@example.com\", \"language\": \"en\"}" "${points[@]}"
		same "$(rows "SELECT mail FROM account_contacts")" "org$n@example.com"
		same "$(rows "SELECT count(*) FROM outbox WHERE channel = 'mail' AND recipient = 'org$n@example.com' AND template = 'mail'")" 1
		# Killed between the lease and its answer: the same lease gives the same message, and nobody else has it.
		for point in "${points[@]}"; do
			lease=lease-of-the-tests-$n
			killed "$point" 1 - notice.take "{\"channel\": \"mail\", \"lease\": \"$lease\"}"
			same "$(rows "SELECT count(*) FROM outbox WHERE lease = '$lease'")" "$([ "$point" = pwrite64 ] && echo 0 || echo 1)"
		done
		id=$(take "$lease")
		[ -n "$id" ]
		same "$(take "$lease")" "$id"
		[ "$(take lease-of-somebody-else)" != "$id" ]
		once 1 notice_failed - notice.done "{\"notice\": \"$id\", \"result\": \"refused\", \"error\": \"550 no\"}" "${points[@]}"
		same "$(rows "SELECT state FROM outbox WHERE id = '$id'")" failed
		once 1 notice_retried - notice.retry "{\"notice\": \"$id\"}" "${points[@]}"
		same "$(rows "SELECT state FROM outbox WHERE id = '$id'")" waiting
		once 1 notice_sent - notice.done "{\"notice\": \"$id\", \"result\": \"sent\"}" "${points[@]}"
		same "$(rows "SELECT state, sealed IS NULL FROM outbox WHERE id = '$id'")" "sent 1"
	done
}
