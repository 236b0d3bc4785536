#!/usr/bin/env bats
# An officer's day from the terminal alone, as docs/desk.md walks it: the queue, a claim, a correction, signatures, a change of record, a recovery.

load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert tiangu 74C2008800000AE9 擎洲测试投标人6 35353550-9 rsa
	csv_row 35353550-9 杭州田谷 20353 "+200 days" 擎洲测试投标人6 74C2008800000AE9 tiangu
	old_cert other 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 other
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home tiangu 35353550-9
	at_home other 91330100MAHUFU0179
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }
officer() { as officer hufu officer "$@"; }
number_of() { as "$1" hufu --json request show "$2" | field number; }

# changing OPTIONS…: the owner's change, with its five materials.
changing() {
	local five
	mapfile -t five < <(five_materials)
	prepared tiangu --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 --subject \
		organizationIdentifier=913301003535355023 "${five[@]}" "$@" 74C2008800000AE9
}

@test "ways: the owner chooses among three ways of a change, and reads what each asks" {
	did as tiangu hufu request ways 74C2008800000AE9
	said "change name-or-code: 名称或代码变更" "change legal-representative: 法定代表人变更（不换发证书）" "enrol new-certificate: 新办证书 / New certificate (recommended)" \
		"material: 营业执照 (business-licence) or 工商变更证明 (change-proof)"
}

@test "forms: the registration form and the risk notice come filled in" {
	id=$(prepared tiangu --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 74C2008800000AE9)
	did as tiangu hufu request form --text registration-form "$id"
	said "| 单位名称 Organisation | 杭州田谷 |" "$(number_of tiangu "$id")" "单位名称 organisation: 擎洲测试投标人6 → 杭州虎符示例科技有限公司"
	did as tiangu hufu request form --out "$WORK/notice.html" risk-2026-11 "$id"
	grep -q "证书业务风险告知函" "$WORK/notice.html"
	refused request_unknown as other hufu request form --text registration-form "$id"
	as tiangu hufu request withdraw "$id"
}

@test "the queue: what waits, due when, claimed by whom" {
	id=$(changing)
	proved tiangu "$WORK/old/tiangu.key" "$id"
	keep number "$(number_of tiangu "$id")"
	did officer queue
	told "$(kept number) +change +name-or-code +jinhua +杭州田谷 +awaiting_officers +0/2 +20[0-9-]+ 18:00" "1 in this list; of all 1 wait, 0 overdue, 0 claimed"
	did officer claim --as alice "$(kept number)"
	refused claimed officer claim --as bob "$(kept number)"
	did officer queue
	told "$(kept number).*alice" "1 claimed"
	refused officer_unknown officer claim --as mallory "$(kept number)"
}

@test "a correction: the owner reads what is wrong, corrects it, and the number stays" {
	did officer review "$(kept number)"
	said "+ O 杭州虎符示例科技有限公司" "SHA-256 as in the tally" "claimed by alice" "[ ] 营业执照：已盖章、清晰可读，且属于该单位" "    business licence: stamped, readable and of this organisation" \
		"[ ] 公章上的名称与该单位一致" "    the name in the stamp is the organisation's"
	did officer correct --as alice --item business-licence=印章看不清 "$(kept number)"
	said "state: to_correct"
	refused request_state approved alice "$(kept number)"
	did as tiangu hufu request show "$(kept number)"
	said "to correct: 营业执照 (business-licence): 印章看不清"
	id=$(prepared tiangu --edit "$(kept number)" --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 --subject \
		organizationIdentifier=913301003535355023 --material business-licence="$(material clearer)" 74C2008800000AE9)
	same "$(number_of tiangu "$id")" "$(kept number)"
	proved tiangu "$WORK/old/tiangu.key" "$id"
	did officer review "$(kept number)"
	said "was to be corrected: business-licence: 印章看不清"
	approved alice "$(kept number)"
	approved bob "$(kept number)"
	issued_to tiangu "$(kept number)" changed >"$WORK/kept.changed"
	did as tiangu hufu request history "$(kept number)"
	said "审核员要求补正：营业执照：印章看不清。" "申请单位开始补正，原申请单作废。" "签发系统办理完成。"
	did as officer hufu audit list "$(kept number)"
	told "request_approved +[0-9a-f]+ +alice" "request_approved +[0-9a-f]+ +bob"
}

@test "a new legal representative: one officer's yes, no certificate" {
	id=$(prepare other --json --kind change --way legal-representative --subject legalRepresentative=李四 --material change-proof="$(material change-proof)" \
		74C2008800000B01 | field number)
	did as other hufu request submit "$id"
	did officer review "$id"
	said "不换发证书" "legalRepresentative: (nothing on record) -> 李四" "material change-proof"
	refused nothing_to_sign approved alice "$id"
	did officer decide --as alice "$id"
	said "state: done"
}

@test "a recovery: opened, sent to the key centre, no copy held; no waiver without its paper" {
	id=$(as other hufu --json recover 74C2008800000B01 | field number)
	refused recovery_open as other hufu recover 74C2008800000B01
	refused waiver_missing officer recover --step waived --note 电话同意 "$id"
	did officer recover --as bob --step sent --note "KMC 2026-17" "$id"
	did officer recover --as bob --step no_copy --note "密钥中心查无备份" "$id"
	did as other hufu request history "$id"
	said "审核员登记密钥中心没有该密钥的备份：密钥中心查无备份。"
}

@test "the queue is empty, and a revocation that one officer opens another approves" {
	did officer queue
	said "0 in this list"
	id=$(as officer hufu --json cert revoke --as alice --reason cessationOfOperation "$(kept changed)" | field request)
	refused own_entry approved alice "$id"
	approved carol "$id"
	did officer queue
	said "0 in this list"
}
