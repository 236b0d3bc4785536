#!/usr/bin/env bats
# kill -9 while officers claim, reject, open a revocation, decide, and carry a recovery on.

load kill

serial=74C2008800000F01

setup_file() {
	kill_begin
	organisation org $serial 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

@test "a revocation is opened, claimed, handed back, rejected" {
	local round id
	for round in commit answer; do
		local -n points=$round
		once 1 revocation_opened - review.prepare "{\"kind\": \"revoke\", \"serial\": \"$serial\", \"reason\": \"superseded\", \"officer\": \"alice\"}" "${points[@]}"
		id=$(field request <<<"$output")
		same "$(state_of "$id")" awaiting_officers
		once 1 request_claimed - review.claim "{\"request\": \"$id\", \"officer\": \"bob\"}" "${points[@]}"
		once 1 request_handed_back - review.release_claim "{\"request\": \"$id\", \"officer\": \"bob\"}" "${points[@]}"
		once 1 request_rejected - review.reject "{\"request\": \"$id\", \"reason\": \"误报\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" refused
	done
	same "$(rows "SELECT count(*) FROM requests WHERE kind = 'revoke'")" 2
}

# case_of: a recovery case, opened.
case_of() { as org hufu --json recover $serial | field request; }

@test "a recovery: opened, sent to the key centre, and each of its ends" {
	local round id
	for round in commit answer; do
		local -n points=$round
		once 1 recovery_opened org recover.open "{\"serial\": \"$serial\"}" "${points[@]}"
		id=$(field request <<<"$output")
		once 1 recovery_moved - review.recover "{\"request\": \"$id\", \"step\": \"sent\", \"note\": \"KMC 1\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" at_key_centre
		once 1 recovery_moved - review.recover "{\"request\": \"$id\", \"step\": \"no_copy\", \"note\": \"KMC 2\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" no_copy
		id=$(case_of)
		as officer hufu officer recover --as bob --step sent --note "KMC 3" "$id"
		once 1 recovery_moved - review.recover "{\"request\": \"$id\", \"step\": \"delivered\", \"note\": \"KMC 4\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" delivered
		id=$(case_of)
		as org hufu request material add "$id" recovery-waiver="$(material recovery-waiver)"
		once 1 recovery_moved - review.recover "{\"request\": \"$id\", \"step\": \"waived\", \"note\": \"书面放弃\", \"officer\": \"bob\"}" "${points[@]}"
		same "$(state_of "$id")" waived
	done
}

@test "a change of the record is decided" {
	local round id
	for round in commit answer; do
		local -n points=$round
		id=$(prepare org --json --kind change --way legal-representative --subject "legalRepresentative=李$round" \
			--material change-proof="$(material change-proof)" $serial | field request)
		as org hufu request submit "$id" >/dev/null
		once 1 record_changed - review.decide "{\"request\": \"$id\", \"officer\": \"alice\"}" "${points[@]}"
		same "$(state_of "$id")" done
	done
}
