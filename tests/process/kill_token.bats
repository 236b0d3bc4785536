#!/usr/bin/env bats
# kill -9 while tokens are entered and moved, and while another PUK is recorded.

load kill

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

# box_for: what the desk can see of a sealed PUK: the id of its key, and bytes.
box_for() { python3 -S -c 'import base64, hashlib, os, sys; print(base64.b64encode(hashlib.sha256(bytes.fromhex(open(sys.argv[1]).read())).digest()[:8] + os.urandom(120)).decode())' "$DIR/etc/hufu/token.pub"; }

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
