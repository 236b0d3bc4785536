#!/usr/bin/env bats
# kill -9 while messages are taken and reported by a notifier, and an account says where they go.

load kill

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

# leased POINT LEASE: killed there while a message is taken. Before its write nothing is leased; behind it one is, once it was this call's message to
# somebody and not one of the desk's to the signer.
leased() {
	local tries
	for tries in 1 2 3 4 5 6; do
		killed "$1" 1 - notice.take "{\"channel\": \"mail\", \"lease\": \"$2\"}" || return 1
		count=$(rows "SELECT count(*) FROM outbox WHERE lease = '$2'")
		[ "$1" != pwrite64 ] || break
		[ "$count" = 0 ] || break
	done
	same "$count" "$([ "$1" = pwrite64 ] && echo 0 || echo 1)"
}

@test "messages: taken, reported, tried again; and where they go" {
	local round id n=0 lease
	sed -i 's/roles: \[subscriber, officer, admin, portal\]/roles: [subscriber, officer, admin, portal, notifier]/' "$DIR/etc/hufu/ra.yaml"
	echo 'notices: {by: notifier}' >>"$DIR/etc/hufu/ra.yaml"
	kill "$(cat "$WORK/ra.pid")"
	until_gone "$(cat "$WORK/ra.pid")"
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
			leased "$point" "$lease"
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
