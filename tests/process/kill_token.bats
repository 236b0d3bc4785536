#!/usr/bin/env bats
# kill -9 while tokens are entered and moved, while another PUK is recorded, and on each step of an unlock.

load kill

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

# box_for [KEY]: what the desk can see of a PUK sealed to that key (its own): the key's id, and bytes.
box_for() { python3 -S -c 'import base64, hashlib, os, sys; print(base64.b64encode(hashlib.sha256(bytes.fromhex(sys.argv[1])).digest()[:8] + os.urandom(120)).decode())' "${1:-$(cat "$DIR/etc/hufu/token.pub")}"; }

@test "tokens: added, imported, moved, another PUK" {
	local round n=0
	for round in commit answer; do
		local -n points=$round
		once 1 token_added - token.add "{\"token\": \"KILL$n\", \"officer\": \"alice\"}" "${points[@]}"
		once 1 token_moved - token.move "{\"token\": \"KILL$n\", \"to\": \"damaged\", \"why\": \"fell\", \"officer\": \"alice\"}" "${points[@]}"
		once 1 tokens_imported - token.import "{\"rows\": [{\"line\": 2, \"token\": \"KILL-A$n\"}, {\"line\": 3, \"token\": \"KILL-B$n\"}]}" "${points[@]}"
		once 1 token_puk - token.puk "{\"token\": \"KILL$n\", \"step\": \"next\", \"puk\": \"$(box_for)\"}" "${points[@]}"
		once 1 token_puk - token.puk "{\"token\": \"KILL$n\", \"step\": \"set\"}" "${points[@]}"
		n=$((n + 1))
	done
	same "$(rows "SELECT count(*), sum(puk IS NOT NULL), sum(puk_next IS NOT NULL) FROM tokens WHERE serial LIKE 'KILL%'")" "6 2 0"
	same "$(rows "SELECT count(*) FROM token_history")" 10
}

@test "an unlock: asked for, agreed to, handed out once, renewed, reported" {
	local round id key=8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a # RFC 7748 6.1
	hufu --json rpc --call-id token.add "{\"token\": \"UNLOCK\", \"state\": \"in_use\", \"identifier\": \"91330100MAHUFU0179\", \
		\"certificate\": \"74C2008800000F01\", \"puk\": \"$(box_for)\"}" >/dev/null
	for round in commit answer; do
		local -n points=$round
		once 1 unlock_opened org unlock.open "{\"token\": \"UNLOCK\", \"key\": \"$key\"}" "${points[@]}"
		id=$(field request <<<"$output")
		once 1 unlock_sealed - review.unlock "{\"request\": \"$id\", \"puk\": \"$(box_for $key)\", \"officer\": \"alice\"}" "${points[@]}"
		once 1 unlock_released org unlock.take "{\"request\": \"$id\"}" "${points[@]}"
		refused unlock_released as org hufu --json rpc --session --call-id unlock.take "{\"request\": \"$id\"}"
		once 1 unlock_renewed org unlock.renew "{\"request\": \"$id\", \"puk\": \"$(box_for)\"}" "${points[@]}"
		once 1 unlock_reported org unlock.report "{\"request\": \"$id\", \"result\": \"done\", \"puk\": \"next\"}" "${points[@]}"
		same "$(rows "SELECT r.state, u.sealed IS NULL FROM requests r JOIN unlocks u ON u.request = r.id WHERE r.id = '$id'")" "done 1"
	done
	same "$(rows "SELECT puk IS NOT NULL, puk_next IS NULL FROM tokens WHERE serial = 'UNLOCK'")" "1 1"
}
