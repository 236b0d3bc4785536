#!/usr/bin/env bats
# kill -9 while owners draft, prove, hand in, hold and take back.

load kill

serials=([0]=74C2008800000F01 [1]=74C2008800000F02)
names=([0]=first [1]=second)

setup_file() {
	kill_begin
	organisation first "${serials[0]}" 杭州断电示例有限公司 91330100MAHUFU0179 20601
	organisation second "${serials[1]}" 杭州再断示例有限公司 91330100MAHUFU0254 20602
	AT_HOME="first 91330100MAHUFU0179 second 91330100MAHUFU0254" kill_up
}

teardown_file() { kill_end; }

# change SERIAL NAME [REQUEST]: the parameters of a change to that name, or of its correction.
change() {
	printf '{"kind": "change", "way": "name-or-code", "project": "jinhua", "serial": "%s", "files": "no", "notice_accepted": true, %s "subject": [
		{"attribute": "O", "value": "%s"}, {"attribute": "CN", "value": "%s"}]}' "$1" "${3:+\"request\": \"$3\",}" "$2" "$2"
}
# papers OWNER REQUEST
papers() {
	local m five=()
	for m in registration-form agent-id-card business-licence change-proof risk-notice; do
		five+=("$m=$(material "$m")")
	done
	as "$1" hufu request material add "$2" "${five[@]}" >/dev/null
}

@test "drafted, proved, handed in, corrected, edited, withdrawn" {
	local round id owner serial n=0
	for round in commit answer; do
		local -n points=$round
		owner=${names[n]} serial=${serials[n]}
		once 1 request_drafted "$owner" request.prepare "$(change "$serial" "杭州补正$round有限公司")" "${points[@]}"
		id=$(field request <<<"$output")
		papers "$owner" "$id"
		once 1 request_proved "$owner" request.prove "{\"request\": \"$id\", \"lines\": [\"$(owner_line "$owner" "$serial" "$id")\"]}" "${points[@]}"
		once 1 request_submitted "$owner" request.submit "{\"request\": \"$id\"}" "${points[@]}"
		same "$(state_of "$id")" awaiting_officers
		once 1 correction_asked - review.correct "{\"request\": \"$id\", \"officer\": \"alice\", \"items\": [
			{\"item\": \"business-licence\", \"reason\": \"印章看不清\"}]}" "${points[@]}"
		once 1 request_edited "$owner" request.prepare "$(change "$serial" "杭州补正$round有限公司" "$id")" "${points[@]}"
		same "$(state_of "$id")" corrected
		same "$(rows "SELECT count(*) FROM courses WHERE replaces = '$id'")" 1
		id=$(field request <<<"$output")
		once 1 request_withdrawn "$owner" request.withdraw "{\"request\": \"$id\"}" "${points[@]}"
		same "$(state_of "$id")" withdrawn
		n=$((n + 1))
	done
	same "$(rows "SELECT count(*) FROM requests WHERE kind = 'change'")" 4
}

@test "approved by two: the second signature hands it over, and one certificate is made" {
	local round id owner serial n=0 before
	for round in commit answer; do
		local -n points=$round
		owner=${names[n]} serial=${serials[n]}
		before=$(issued)
		id=$(call "$owner" request.prepare "$(change "$serial" "杭州易名$round有限公司" | sed "s/^{/{\"call_id\": \"prepared-$round\", /")" | field request)
		papers "$owner" "$id"
		as "$owner" hufu request prove --key "$WORK/old/$owner.key" --yes "$id"
		as "$owner" hufu request submit "$id"
		once 1 request_approved - review.approve "{\"request\": \"$id\", \"line\": \"$(officer_line alice "$id")\"}" "${points[@]}"
		same "$(state_of "$id")" awaiting_officers
		once 1 request_approved - review.approve "{\"request\": \"$id\", \"line\": \"$(officer_line bob "$id")\"}" "${points[@]}"
		issued_to "$owner" "$id" "changed$n" >"$WORK/serial.$n"
		same "$(issued)" $((before + 1))
		same "$(rows "SELECT count(*) FROM certs c JOIN requests r ON r.id = '$id' AND r.account = c.account")" 2
		n=$((n + 1))
	done
}

@test "held by the owner at once, by kill or not" {
	local round n=0 serial
	for round in commit answer; do
		local -n points=$round
		serial=$(cat "$WORK/serial.$n")
		once 1 hold_opened "${names[n]}" request.hold "{\"serial\": \"$serial\"}" "${points[@]}"
		issued_to "${names[n]}" "$(field request <<<"$output")" held$n >/dev/null
		same "$(hufu --json status "$serial" | field answers.0.state)" held
		n=$((n + 1))
	done
}
