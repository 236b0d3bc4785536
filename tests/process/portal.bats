#!/usr/bin/env bats
# The client of docs/portal.md, as it stands there, against a real desk.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	old_cert org 74C2008800000AE9 杭州门户有限公司 91330100MAHUFU0179
	init >/dev/null
	csv_begin
	csv_row 91330100MAHUFU0179 杭州门户有限公司 20353 "1 month" 杭州门户有限公司 74C2008800000AE9 org
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	python3 -c 'import re, sys; sys.stdout.write(re.search(r"```python\n(.*?)```", open(sys.argv[1]).read(), re.S)[1])' "$root/docs/portal.md" >"$WORK/client.py"
}

teardown_file() { live_end; }

knows() { python3 "$WORK/client.py" "$DIR/run/hufu/ra/desk.sock" 74C2008800000AE9 2>&1 | grep -q " good "; }

@test "the client of docs/portal.md has ten lines and says what the desk knows" {
	[ "$(wc -l <"$WORK/client.py")" = 10 ]
	eventually knows
	did python3 "$WORK/client.py" "$DIR/run/hufu/ra/desk.sock" 74C2008800000AE9 0BAD
	[ "${#lines[@]}" = 2 ]
	[[ "${lines[0]}" =~ ^74C2008800000AE9\ good\ \ as\ of\ 20..-..-..T..:..:..Z$ ]]
	[[ "${lines[1]}" =~ ^0BAD\ unknown\ \ as\ of\  ]]
}
