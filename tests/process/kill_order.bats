#!/usr/bin/env bats
# kill -9 while services are ordered, paid by both roads, paid back and invoiced.

load kill

secret="0123456789abcdef0123456789abcdef"

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	echo "913301003535355023,杭州新到示例有限公司,李四,13800000000,jinhua,,,,,,,," >>"$WORK/old/accounts.csv"
	echo "91330100MAHUFU041R,杭州再到示例有限公司,李四,13800000001,jinhua,,,,,,,," >>"$WORK/old/accounts.csv"
	AT_HOME="org 91330100MAHUFU0179 new0 913301003535355023 new1 91330100MAHUFU041R" kill_up \
		"provider: {url: 'https://pay.example.test/p?order={order}', return_url: 'https://desk.example.test/{order}', secret: etc/hufu/provider.key}"
}

after_init() {
	(umask 077 && echo "$secret" >"$DIR/etc/hufu/provider.key")
	chown hufu-ra: "$DIR/etc/hufu/provider.key"
}

teardown_file() { kill_end; }

@test "created, cancelled, applied for" {
	local order round n=0
	for round in commit answer; do
		local -n points=$round
		once 1 order_created org order.create '{"service_id": "20601", "kind": "renew"}' "${points[@]}"
		order=$(field order <<<"$output")
		same "$(rows "SELECT count(*) FROM orders WHERE service = '20601' AND state = 'created'")" 1
		once 1 order_cancelled org order.cancel "{\"order\": \"$order\"}" "${points[@]}"
		same "$(rows "SELECT state FROM orders WHERE id = '$order'")" cancelled
		once 1 service_applied "new$n" service.apply '{"project": "jinhua", "service": "organisation-certificate"}' "${points[@]}"
		order=$(field order <<<"$output")
		same "$(rows "SELECT count(*) FROM orders WHERE id = '$order' AND state = 'created'")" 1
		n=$((n + 1))
	done
}

ends() { rows "SELECT ends FROM services WHERE id = '20601'"; }
ordered() { as org hufu --json order renew 20601 | field order; }

@test "by the bank: confirmed, invoiced, paid back; the period runs on once and is taken back once" {
	local order round n=0 before
	for round in commit answer; do
		local -n points=$round
		before=$(ends)
		order=$(ordered)
		once 1 order_pay org order.pay "{\"order\": \"$order\"}" "${points[@]}"
		once 1 invoice_asked org order.invoice "{\"order\": \"$order\", \"title\": \"杭州断电示例有限公司\", \"tax_number\": \"91330100MAHUFU0179\"}" "${points[@]}"
		once 1 order_paid - order.confirm "{\"order\": \"$order\", \"bank_reference\": \"ICBC-$n\"}" "${points[@]}"
		[ "$(ends)" -gt "$before" ]
		[ "$(ends)" -lt $((before + 367 * 86400)) ]
		once 1 invoice_issued - order.invoiced "{\"order\": \"$order\", \"number\": \"2633200000012345678$n\"}" "${points[@]}"
		once 1 payment_refunded - order.refund "{\"order\": \"$order\", \"bank_reference\": \"BACK-$n\"}" "${points[@]}"
		same "$(ends)" "$before"
		n=$((n + 1))
	done
}

@test "online: the provider's signed call pays once" {
	local order round n=0 before now text
	for round in commit answer; do
		local -n points=$round
		before=$(ends)
		order=$(ordered)
		now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
		text=$(printf 'hufu/payment/v1\norder: %s\namount: 30000\ntransaction: T-%s\ntime: %s\nnonce: nonce-000000000000%s\n.' "$order" "$n" "$now" "$n")
		once 1 order_paid - order.callback "{\"order\": \"$order\", \"amount_fen\": 30000, \"transaction\": \"T-$n\", \"time\": \"$now\", \
			\"nonce\": \"nonce-000000000000$n\", \"signature\": \"$(printf %s "${text%.}" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)\"}" "${points[@]}"
		[ "$(ends)" -gt "$before" ]
		[ "$(ends)" -lt $((before + 367 * 86400)) ]
		same "$(rows "SELECT count(*) FROM payments WHERE order_id = '$order'")" 1
		n=$((n + 1))
	done
}
