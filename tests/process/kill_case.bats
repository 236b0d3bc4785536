#!/usr/bin/env bats
# kill -9 while officers decide about accounts, and while an import comes in.

load kill

setup_file() {
	kill_begin
	organisation first 74C2008800000F02 杭州首登示例有限公司 91330100MAHUFU0254 20602
	organisation second 74C2008800000F03 杭州再登示例有限公司 91330100MAHUFU033Y 20603
	organisation initial 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="first 91330100MAHUFU0254 second 91330100MAHUFU033Y" kill_up
}

# A second licence from one address would want a picture's code.
after_init() { sed -i 's/^login:/login:\n  picture_sends: 1000/' "$DIR/etc/hufu/ra.yaml"; }

teardown_file() { kill_end; }

@test "another agent, whom an officer lets in" {
	local round n=0 names=([0]=first [1]=second) id mobile
	for round in commit answer; do
		local -n points=$round
		mobile=1380000030$n
		once 2 case_open "${names[n]}" account.agent "{\"agent\": \"赵六\", \"mobile\": \"$mobile\", \"way\": \"officer\", \
			\"new_code\": \"$(code $mobile new "${names[n]}")\", \"text\": \"原手机丢失\"}" "${points[@]}"
		id=$(field case <<<"$output")
		once 1 case_decide - account.decide "{\"case\": \"$id\", \"decision\": \"accept\", \"answer\": \"已核对介绍信\"}" "${points[@]}"
		same "$(rows "SELECT count(*) FROM bindings WHERE mobile = '$mobile'")" 1
		n=$((n + 1))
	done
}

@test "a forgotten identifier: the licence is there once" {
	local round content
	content=$(base64 -w0 "$(material business-licence)")
	for round in commit answer; do
		local -n points=$round
		once 1 case_open - account.licence "{\"organisation\": \"杭州忘记示例有限公司\", \"agent\": \"李四\", \"mobile\": \"13800000400\", \
			\"content\": \"$content\"}" "${points[@]}"
		id=$(field case <<<"$output")
		did hufu account case --out "$WORK/seen-$round.pdf" "$id"
		cmp "$WORK/seen-$round.pdf" "$WORK/business-licence.pdf"
	done
	same "$(rows "SELECT count(*) FROM account_cases WHERE kind = 'identifier'")" 2
	# Nothing lies there that no row names.
	same "$(find "$DIR/var/lib/hufu-ra/materials" -type f | wc -l)" 2
}

# It has no call_id, because its answer must lie in no database: asked again it gives another code, and the newest counts.
@test "an officer's code for a first log-in: asked again, the newest counts" {
	local asks="{\"identifier\": \"91330100MAHUFU0179\", \"reason\": \"papers seen\"}" point code
	for point in pwrite64 fdatasync sendmsg; do
		killed $point 1 - account.grant "$asks"
	done
	code=$(hufu --json rpc account.grant "$asks" | field code)
	same "$(rows "SELECT count(*) FROM grants")" 1
	as initial hufu login --password-fd 4 91330100MAHUFU0179 4<<<88888888 || [ $? = 5 ]
	did as initial hufu account prove --officer-code-fd 4 4<<<"$code"
}

@test "an import: each row once" {
	local round n=0 codes=([0]=913301003535355023 [1]=91330100MAHUFU041R)
	for round in commit answer; do
		local -n points=$round
		once 1 import - import.accounts "{\"rows\": [{\"line\": 2, \"account_identifier\": \"${codes[n]}\", \"organisation\": \"杭州迁入示例有限公司\"}]}" "${points[@]}"
		same "$(rows "SELECT count(*) FROM accounts WHERE identifier = '${codes[n]}'")" 1
		n=$((n + 1))
	done
}

# Killed before the write, the desk finds the file changed when it starts: the audit has it once all the same.
@test "the calendar read again: each change once in the audit" {
	local round n=0
	for round in commit answer; do
		local -n points=$round
		n=$((n + 1))
		sed -i "s/^closes: .*/closes: '19:0$n'/" "$DIR/etc/hufu/calendar.yaml"
		once 1 law_changed - desk.reload '{}' "${points[@]}"
		same "$(rows "SELECT count(*) FROM audit WHERE what = 'law_changed' AND detail LIKE '%+ calendar.hours = 09:00-19:0$n%'")" 1
	done
}
