#!/usr/bin/env bats
# The root has revoked the CA: what its subscriber reads at the portal, what anybody reads at the gate's page for people, and what the desk's administrator is told. root.mjs has
# the browser.

bats_require_minimum_version 1.5.0
load ../portal
load ../roll

setup_file() {
	export SHOTS=$build/browser KEPT=root
	live_begin
	take_ports
	old_authority
	csv_begin
	old_cert org 74C2008800000F01 杭州旧证示例1有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州旧证示例1有限公司 20601 "+200 days" 杭州旧证示例1有限公司 74C2008800000F01 org
	old_crl
	init >/dev/null
	gate_admitted
	portal_admitted
	sed -i 's,^# root_crl: .*,root_crl: etc/hufu/root-2.crl,' "$DIR/etc/hufu/ra.yaml"
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 91330100MAHUFU0179 >/dev/null
	gate_certificate >/dev/null
	root_list crl 1
	root_list revoke-ca 2 "revoke: [{certificate: etc/hufu/issuing.crt, reason: keyCompromise, when: $(date -u +%FT%TZ)}]"
	chmod 644 "$DIR/etc/hufu/root-2.crl"
	configure
	sed -i '/^responder/d; s,^root_certificate: .*,&\nroot_crl: etc/hufu/root-2.crl,' "$WORK/gate.yaml"
	# Both in the group that may connect to the desk.
	setpriv --reuid hufu-gate --regid hufu-portal --clear-groups env PATH=/usr/bin:/bin "$gate" --config "$WORK/gate.yaml" 2>>"$WORK/gate.log" 3>&- &
	echo $! >"$WORK/gate.pid"
	eventually healthy
	as_portal desk hufu-portal "$PROXY" "$PROXY_TLS"
}
teardown_file() { portal_end; }

revoked() { hufu status "$(serial_of_org)" | grep -q cACompromise; }

@test "a certificate of a CA that the root has revoked: its state, reason and time on each page, in both languages; nothing that could follow it is possible" {
	eventually revoked
	run timeout 100 env SERIAL="$(serial_of_org)" MOBILE="$(mobile_of org)" node "$root/tests/browser/root.mjs" pages
	echo "$output"
	[ "$status" = 0 ]
}
