# A portal beside a live tree, and a browser before it: for the stories of tests/process and tests/browser. The organisation is the guide's.

source "$(dirname "${BASH_SOURCE[0]}")/gate.bash"

# Its Unix user may bring people's calls and nothing else; before `up`.
portal_admitted() {
	id hufu-portal >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin hufu-portal
	printf '  - uid: %s\n    roles: [portal]\n' "$(id -u hufu-portal)" >"$WORK/portal-caller"
	sed -i "/^callers:/r $WORK/portal-caller" "$DIR/etc/hufu/ra.yaml"
	chgrp hufu-portal "$DIR/run/hufu/ra" && chmod g+s "$DIR/run/hufu/ra"
}

# portal_begin [LINES…]: lines of one's own for ra.yaml; a desk with the guide's organisation, whose service has expired and whose certificate ends soon.
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
	portal_up
}

# portal_up [LINES…]: lines of its own for the configuration.
portal_up() {
	printf '%s\n' "role: portal" "root: $DIR" "desk_socket: run/hufu/ra/desk.sock" "listen: $HTTP" "metrics: $ADMIN" \
		"origins: [\"http://$HTTP\"]" "log: debug" "$@" >"$WORK/portal.yaml"
	chmod 644 "$WORK/portal.yaml"
	setpriv --reuid hufu-portal --regid hufu-portal --init-groups env PATH=/usr/bin:/bin "$gate" --config "$WORK/portal.yaml" 2>>"$WORK/portal.log" 3>&- &
	echo $! >"$WORK/gate.pid"
	eventually ready || { tail -n 20 "$WORK/portal.log"; return 1; }
}

portal_end() {
	gate_down
	live_end
}
