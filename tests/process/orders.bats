#!/usr/bin/env bats
# Renewing and paying by both roads, with the real programs: the bank's, by an officer, and the provider's, whose call is signed by openssl as a
# provider's program would. One story: each part goes on where the one before ended.

load ../live

secret="0123456789abcdef0123456789abcdef"

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert tiangu 74C2008800000AE9 擎洲测试投标人6 35353550-9
	csv_row 35353550-9 杭州田谷 20353 "-300 days" 擎洲测试投标人6 74C2008800000AE9 tiangu
	old_cert other 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 other
	# An account that has nothing yet.
	echo "913301003535355023,杭州虎符示例科技有限公司,李四,13800000000,jinhua,,,,,,,," >>"$WORK/old/accounts.csv"
	old_crl
	init
	cat >>"$DIR/etc/hufu/ra.yaml" <<-YAML
		provider:
		  url: https://pay.example.test/p?order={order}&amount={amount}&return={return}
		  return_url: https://desk.example.test/orders/{order}
		  secret: etc/hufu/provider.key
	YAML
	(umask 077 && echo "$secret" >"$DIR/etc/hufu/provider.key")
	chown hufu-ra: "$DIR/etc/hufu/provider.key"
	up
	import
	at_home tiangu 35353550-9
	at_home other 91330100MAHUFU0179
	at_home new 913301003535355023
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# signed ORDER FEN TRANSACTION NONCE [TIME] [SECRET]: the call's parameters, as docs/desk.md says.
signed() {
	local time=${5:-$(date -u +%Y-%m-%dT%H:%M:%SZ)} mac
	mac=$(printf 'hufu/payment/v1\norder: %s\namount: %s\ntransaction: %s\ntime: %s\nnonce: %s\n' "$1" "$2" "$3" "$time" "$4" |
		openssl dgst -sha256 -hmac "${6:-$secret}" -r | cut -d' ' -f1)
	printf '{"order":"%s","amount_fen":%s,"transaction":"%s","time":"%s","nonce":"%s","signature":"%s","call_id":"%s"}' \
		"$1" "$2" "$3" "$time" "$4" "$mac" "$4"
}
callback() { hufu rpc order.callback "$(signed "$@")"; }

@test "搜索合作项目: the guide's name finds the project, before anybody logs in" {
	did hufu project search 金华市公共资源中心
	said jinhua 金华市公共资源交易中心
	did hufu project search "ＪＩＮＨＵＡ　ｐｕｂｌｉｃ"
	said jinhua
	did hufu project search 杭州
	[[ "$output" != *jinhua* ]]
	did hufu project show jinhua
	said 机构证书 "300.00 yuan, 12 months" 办理流程 使用帮助 软件下载 "SHA-256 " 0579-00000000
	refused project_unknown hufu project show nowhere
}

@test "续费 by the bank: the officer finds the order by amount, the period runs on from the payment" {
	order=$(as tiangu hufu --json order renew 20353 | field order)
	did as tiangu hufu order pay "$order"
	said "reference: $order" "Example Bank"
	did as officer hufu order find --state created --amount 30000
	said "$order" 杭州田谷 "1 in all"
	did as officer hufu order find --amount 29999
	said "0 in all"
	refused payment_amount as officer hufu order confirm --bank-reference ICBC-1 --amount 29999 "$order"
	did as officer hufu order confirm --bank-reference ICBC-1 --amount 30000 "$order"
	said "state: paid" "bank_reference: ICBC-1"
	did as tiangu hufu service list
	told '20353.*active'
	keep bank "$order"
}

@test "续费 online: the provider's signed call pays, once" {
	order=$(as other hufu --json order renew 20354 | field order)
	did as other hufu order pay --online "$order"
	said "url: https://pay.example.test/p?order=$order&amount=30000&return=https%3A%2F%2Fdesk.example.test%2Forders%2F$order"
	ends=$(as other hufu --json service list | field 0.ends)
	refused callback_signature callback "$order" 30000 T-1 nonce-0000000000001 "$(date -u +%FT%TZ)" "somebody else's secret"
	refused callback_time callback "$order" 30000 T-1 nonce-0000000000002 "$(date -u -d '-6 minutes' +%FT%TZ)"
	refused callback_time callback "$order" 30000 T-1 nonce-0000000000003 "$(date -u -d '+6 minutes' +%FT%TZ)"
	refused payment_amount callback "$order" 29999 T-1 nonce-0000000000004
	refused payment_amount callback "$order" 30001 T-1 nonce-0000000000005
	same "$(as other hufu --json order show "$order" | field state)" created
	call=$(signed "$order" 30000 T-1 nonce-0000000000006)
	did hufu rpc order.callback "$call"
	said '"applied"'
	did hufu rpc order.callback "$call" # its answer was lost: the same call, the same answer
	said '"applied"'
	refused callback_nonce hufu rpc order.callback "${call/\"call_id\":\"nonce/\"call_id\":\"again}"
	did callback "$order" 30000 T-1 nonce-0000000000007 # the provider calls again
	said '"applied"'
	same "$(as other hufu --json service list | field 0.ends)" "$(date -u -d "${ends%Z} UTC +1 year" +%FT%TZ)"
	did as officer hufu order payments "$order"
	said provider:T-1 applied "1 in all"
	keep online "$order"
}

@test "money that comes late or twice is kept in view until it has gone back" {
	order=$(as tiangu hufu --json order renew 20353 | field order)
	did as tiangu hufu order cancel "$order"
	did callback "$order" 30000 T-2 nonce-0000000000008
	said '"cancelled"' '"to_refund"'
	refused order_cancelled as officer hufu order confirm --bank-reference ICBC-2 "$order"
	did as officer hufu order confirm --to-refund --bank-reference ICBC-2 "$order"
	did as officer hufu order payments --state to_refund
	said provider:T-2 bank:ICBC-2 "2 in all"
	did as officer hufu order refund --payment provider:T-2 --bank-reference BACK-2 "$order"
	did as officer hufu order payments --state to_refund
	said "1 in all"
}

@test "服务申请: a service that the account does not have begins when it is paid, and ends with its refund" {
	did as new hufu service list
	said "0 in all"
	did as new hufu service apply --project jinhua organisation-certificate
	said "state: awaiting_payment" "action: pay"
	refused order_open as new hufu service apply --project jinhua organisation-certificate
	refused service_held as tiangu hufu service apply --project jinhua organisation-certificate
	order=$(as new hufu --json order list --state created | field 0.order)
	refused order_unknown as tiangu hufu order show "$order" # somebody else's
	did as officer hufu order confirm --bank-reference ICBC-3 "$order"
	did as new hufu service list
	told 'S[0-9]+-[0-9A-Z]+.*active'
	did as new hufu order invoice --title 杭州虎符示例科技有限公司 --tax-number 913301003535355023 "$order"
	refused identifier_check as new hufu order invoice --title x --tax-number 913301003535355024 "$order"
	did as officer hufu order find --invoice asked
	said "$order"
	did as officer hufu order invoiced --number 26332000000123456789 "$order"
	did as new hufu order show "$order"
	said 26332000000123456789
	did as officer hufu order refund --bank-reference BACK-3 "$order"
	said "state: refunded" '"void"'
	did as new hufu service list
	told lapsed
}

@test "what was paid buys one certificate; used, it is fulfilled and not paid back" {
	id=$(prepared tiangu --kind extend --way same-key --months 12 --order "$(kept bank)" 74C2008800000AE9)
	proved tiangu "$WORK/old/tiangu.key" "$id"
	issued_to tiangu "$id" extended
	did as tiangu hufu order show "$(kept bank)"
	said "state: fulfilled" "uses_left: 0"
	refused order_fulfilled as officer hufu order refund --bank-reference BACK-4 "$(kept bank)"
}

@test "kill -9 of the desk: what was answered stands, and the secret is in no log and no database" {
	order=$(as other hufu --json order renew 20354 | field order)
	call=$(signed "$order" 30000 T-9 nonce-0000000000009)
	did hufu rpc order.callback "$call"
	kill -9 "$(cat "$WORK/ra.pid")"
	down
	up
	did hufu rpc order.callback "$call"
	said '"applied"'
	same "$(as other hufu --json order show "$order" | field state)" paid
	run grep -rl "$secret" "$DIR/var" "$WORK/up.log"
	[ "$status" = 1 ]
	[ -z "$output" ]
}

@test "kill -9 while payments come in: each pays once, whether it was answered or not" {
	local n client
	for n in 1 2 3 4 5; do
		order=$(as other hufu --json order renew 20354 | field order)
		ends=$(as other hufu --json service list | field 0.ends)
		call=$(signed "$order" 30000 "T-1$n" "nonce-000000000001$n")
		hufu rpc order.callback "$call" >/dev/null 2>&1 3>&- &
		client=$!
		eventually grep -q "$order" "$DIR/var/lib/hufu-ra/desk.db-wal" # the order; its payment is about to follow
		kill -9 "$(cat "$WORK/ra.pid")"
		kill "$client" 2>/dev/null || :
		down
		up
		did hufu rpc order.callback "$call"
		said '"applied"'
		same "$(as other hufu --json service list | field 0.ends)" "$(date -u -d "${ends%Z} UTC +1 year" +%FT%TZ)"
	done
}
