# A portal beside a live tree, and a browser before it: for the stories of tests/process and tests/browser. The organisation is the guide's.

source "$(dirname "${BASH_SOURCE[0]}")/gate.bash"

# admitted USER ROLES: what programs under that Unix user may ask of the desk; before `up`.
admitted() {
	local user
	for user in hufu-portal "$1"; do
		id "$user" >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin "$user"
	done
	printf '  - uid: %s\n    roles: [%s]\n' "$(id -u "$1")" "$2" >"$WORK/portal-caller"
	sed -i "/^callers:/r $WORK/portal-caller" "$DIR/etc/hufu/ra.yaml"
	chgrp hufu-portal "$DIR/run/hufu/ra" && chmod g+s "$DIR/run/hufu/ra"
}

# A subscribers' portal may bring people's calls and nothing else.
portal_admitted() { admitted hufu-portal portal; }

# portal_begin [LINES…]: lines of one's own for ra.yaml; a desk with the guide's organisation, whose service has expired and whose certificate ends soon. Its pages look for the
# agent at AGENT_PORT, when that is set.
portal_begin() {
	live_begin
	take_ports
	old_authority
	csv_begin
	old_cert org 74C2008800000AE9 擎洲测试投标人6 35353550-9
	csv_row 35353550-9 杭州田谷 20353 "-1 month" 擎洲测试投标人6 74C2008800000AE9 org
	old_crl
	init >/dev/null
	portal_admitted
	[ $# = 0 ] || printf '%s\n' "$@" >>"$DIR/etc/hufu/ra.yaml"
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	portal_up ${AGENT_PORT:+"portal: {agent: \"http://127.0.0.1:$AGENT_PORT\"}"}
}

# The officers' desk, through the same program under a Unix user that is an officer and an administrator; before `up`.
officers_admitted() { admitted "${1:-hufu-portal}" "officer, admin"; }

# officers_begin [AGENT]: a desk with two organisations, each with a change in its queue. Their numbers: $WORK/number, $WORK/second. AGENT: where its pages look for the officer's.
officers_begin() {
	local five id
	live_begin
	take_ports
	old_authority
	csv_begin
	old_cert org 74C2008800000AE9 擎洲测试投标人6 35353550-9
	csv_row 35353550-9 杭州田谷 20353 "+200 days" 擎洲测试投标人6 74C2008800000AE9 org
	old_cert other 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 other
	old_crl
	init >/dev/null
	officers_admitted
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 35353550-9 >/dev/null
	at_home other 91330100MAHUFU0179 >/dev/null
	mapfile -t five < <(five_materials)
	five[2]=--material=business-licence=$(scan)
	id=$(prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 --subject organizationIdentifier=913301003535355023 \
		"${five[@]}" 74C2008800000AE9)
	proved org "$WORK/old/org.key" "$id" >/dev/null
	as org hufu --json request show "$id" | field number >"$WORK/number"
	id=$(prepared other --kind change --way name-or-code --files no --accept-notice --subject O=杭州又一家示例有限公司 "${five[@]}" 74C2008800000B01)
	proved other "$WORK/old/other.key" "$id" >/dev/null
	as other hufu --json request show "$id" | field number >"$WORK/second"
	portal_up "portal: {audience: officers${1:+, agent: \"$1\"}}"
}

# A picture of a paper, as PNG; prints its path.
scan() {
	python3 - "$WORK/licence.png" <<-'PY'
		import struct, sys, zlib
		w, h = 240, 160
		rows = b"".join(b"\0" + bytes(min(255, 210 + 40 * (20 < x < 220 and y % 24 < 2)) for x in range(w)) for y in range(h))
		chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
		open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
	PY
	echo "$WORK/licence.png"
}

# portal_up [LINES…]: lines of its own for the configuration.
portal_up() { as_portal gate hufu-portal "$HTTP" "$ADMIN" "$@"; }

# desk_up USER [AGENT]: a second portal beside it at $PROXY, for the staff, under that Unix user. AGENT: where its pages look for the officer's.
desk_up() { as_portal desk "$1" "$PROXY" "$PROXY_TLS" "portal: {audience: officers${2:+, agent: \"$2\"}}"; }

# as_portal NAME USER LISTEN METRICS [LINES…]
as_portal() {
	printf '%s\n' "role: portal" "root: $DIR" "desk_socket: run/hufu/ra/desk.sock" "listen: $3" "metrics: $4" \
		"origins: [\"http://$3\"]" "log: debug" "${@:5}" >"$WORK/portal-$1.yaml"
	chmod 644 "$WORK/portal-$1.yaml"
	setpriv --reuid "$2" --regid hufu-portal --clear-groups env PATH=/usr/bin:/bin "$gate" --config "$WORK/portal-$1.yaml" 2>>"$WORK/portal.log" 3>&- &
	echo $! >"$WORK/$1.pid"
	ADMIN=$4 eventually ready || { tail -n 20 "$WORK/portal.log"; return 1; }
}

desk_down() {
	[ -e "$WORK/desk.pid" ] || return 0
	kill "$(cat "$WORK/desk.pid")" 2>/dev/null || : # it may have ended by itself
	until_gone "$(cat "$WORK/desk.pid")"
	rm -f "$WORK/desk.pid"
}

portal_end() {
	gate_down
	desk_down
	live_end
}
