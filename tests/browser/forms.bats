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
	old_cert third 74C2008800000C01 杭州第三示例有限公司 91330100MAHUFU199D
	csv_row 91330100MAHUFU199D 杭州第三示例有限公司 20355 "+200 days" 杭州第三示例有限公司 74C2008800000C01 third
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
	third
	newcomer
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

# A new organisation with a service that is paid for and no certificate yet.
newcomer() {
	local order mobile
	mobile=$(mobile_of newcomer)
	as newcomer hufu account sms --for register --mobile "$mobile" >/dev/null
	as newcomer hufu account register --organisation 杭州首次示例有限公司 --agent 李四 --mobile "$mobile" --sms-code-fd 5 --password-fd 4 91330100MAHUFU033Y \
		4<<<"the password of newcomer" 5<<<"$(sms_code "$mobile")" >/dev/null
	as newcomer hufu login --password-fd 4 "$mobile" 4<<<"the password of newcomer" >/dev/null
	order=$(as newcomer hufu --json service apply --project jinhua organisation-certificate | field order)
	as newcomer hufu order pay "$order" >/dev/null
	as officer hufu order confirm --bank-reference "BANK-$order" "$order" >/dev/null
	as newcomer hufu --json service list | field 0.id >"$WORK/service"
}

# An organisation with an order, a draft without papers and a recovery that is open; a USB key in stock; and somebody who has forgotten an identifier.
third() {
	at_home third 91330100MAHUFU199D >/dev/null
	paid_order third 20355 >"$WORK/third-order"
	as third hufu --json recover 74C2008800000C01 | field number >"$WORK/recovery"
	prepare third --json --kind change --way name-or-code --files no --subject O=杭州第四示例有限公司 74C2008800000C01 | field number >"$WORK/draft"
	hufu account licence --organisation 杭州田谷 --agent 王五 --mobile 13700000008 "$(scan)" >/dev/null
	as officer hufu --json rpc account.cases '{}' | field cases.0.case >"$WORK/case"
	as officer hufu rpc --call-id token.add '{"token": "8ca811af663709db", "label": "HUFU-1", "model": "Example"}' >/dev/null
}

@test "each field wrong in each way: said at that field, in both languages, and nothing typed is lost" {
	local code
	code=$(as officer hufu --json account grant --reason "papers seen" 91330100MAHUFU0179 | field code)
	run timeout 300 env THIRD="$(mobile_of third)" NEWCOMER="$(mobile_of newcomer)" THIRD_ORDER="$(cat "$WORK/third-order")" RECOVERY="$(cat "$WORK/recovery")" DRAFT="$(cat "$WORK/draft")" SERVICE="$(cat "$WORK/service")" CASE="$(cat "$WORK/case")" \
		CODE="$code" MOBILE="$(mobile_of org)" PASSWORD="the password of org" ORDER="$(cat "$WORK/order")" NUMBER="$(cat "$WORK/number")" SERIAL=74C2008800000AE9 \
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
