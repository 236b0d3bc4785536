#!/usr/bin/env bats
# kill -9 while messages are taken and reported by a notifier, and an account says where they go.

load kill

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

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
