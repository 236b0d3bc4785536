#!/usr/bin/env bats
# Every field of every form, wrong in each way that it can be wrong; and what an administrator who is no officer sees. forms.mjs has the table, and the browser.

bats_require_minimum_version 1.5.0
load ../portal

setup_file() {
	export SHOTS=$build/browser KEPT=forms
	live_begin
	take_ports
	old_authority
	csv_begin
	old_cert org 74C2008800000AE9 擎洲测试投标人6 35353550-9
	csv_row 35353550-9 杭州田谷 20353 "+200 days" 擎洲测试投标人6 74C2008800000AE9 org
	old_cert fresh 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 fresh
	old_crl
	init >/dev/null
	portal_admitted
	officers_admitted hufu-clerk
	admitted hufu-watch admin
	echo "sms: {resend_seconds: 1}" >>"$DIR/etc/hufu/ra.yaml"
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 35353550-9 >/dev/null
	paid_order org 20353 >"$WORK/order"
	changed >"$WORK/number"
	portal_up
	desk_up hufu-clerk
}
teardown_file() { portal_end; }

# A change that waits for officers.
changed() {
	local five id
	mapfile -t five < <(five_materials)
	id=$(prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 --subject organizationIdentifier=913301003535355023 \
		"${five[@]}" 74C2008800000AE9)
	proved org "$WORK/old/org.key" "$id" >/dev/null
	as org hufu --json request show "$id" | field number
}

@test "each field wrong in each way: said at that field, in both languages, and nothing typed is lost" {
	local code
	code=$(as officer hufu --json account grant --reason "papers seen" 91330100MAHUFU0179 | field code)
	run timeout 300 env CODE="$code" MOBILE="$(mobile_of org)" PASSWORD="the password of org" ORDER="$(cat "$WORK/order")" NUMBER="$(cat "$WORK/number")" SERIAL=74C2008800000AE9 \
		node "$root/tests/browser/forms.mjs" all
	echo "$output"
	[ "$status" = 0 ]
}

@test "an administrator who is no officer: navigation of one's own, and the operator's view with responder, refusal and checkpoint" {
	desk_down
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WORK/ocsp.key" 2>/dev/null
	openssl pkey -in "$WORK/ocsp.key" -pubout -out "$WORK/ocsp.pub"
	# The signer's roster moves on without bob; the desk, which has not heard of it, sends what bob has signed.
	did hufu roster note --add responder:ocsp-1="$WORK/ocsp.pub" --remove bob "$WORK/2.note"
	did hufu roster sign --yes --key "$(key_of alice)" "$WORK/2.note"
	did hufu roster sign --yes --key "$(key_of bob)" "$WORK/2.note"
	did hufu roster submit "$WORK/2.note"
	did hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/ocsp.pem"
	did approved alice "$(cat "$WORK/number")"
	did approved bob "$(cat "$WORK/number")"
	did as org hufu request hold 74C2008800000AE9
	desk_up hufu-watch
	run timeout 100 env NUMBER="$(cat "$WORK/number")" node "$root/tests/browser/forms.mjs" administrator
	echo "$output"
	[ "$status" = 0 ]
}
