#!/usr/bin/env bats
# The client of docs/portal.md, as it stands there, against a real desk; and the file that portals are written against.

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

@test "hufu status: by certificate, by issuer and serial, by subject with a session or a portal's token" {
	did hufu status --cert "$WORK/old/org.pem"
	told "74C2008800000AE9 +good"
	issuer=$(hufu --json status 74C2008800000AE9 | field answers.0.issuer)
	did hufu status --issuer "$issuer" 74C2008800000AE9
	told "74C2008800000AE9 +good"
	at_home org 91330100MAHUFU0179
	did as org hufu status --identifier 91330100MAHUFU0179
	told "74C2008800000AE9 +good"
	printf 'no token\n' >"$WORK/portal.token"
	run hufu status --token-file "$WORK/portal.token" --identifier 91330100MAHUFU0179
	[ "$status" != 0 ]
	said token_unknown
	fails 4 "wanted a serial number" hufu status
}

@test "docs/openrpc.json is what the running desk serves" {
	hufu --json rpc rpc.discover >"$WORK/served.json"
	python3 - "$WORK/served.json" "$root/docs/openrpc.json" <<-'PY'
		import json, sys
		served, file = (json.load(open(p)) for p in sys.argv[1:])
		by = lambda o: {m["name"]: m for m in o["methods"]}
		a, b = by(served), by(file)
		wrong = [n for n in sorted(a.keys() | b.keys()) if a.get(n) != b.get(n)]
		assert not wrong and len(a) > 20, f"{wrong} differ: build/ra/hufu-ra --openrpc >docs/openrpc.json"
	PY
}
