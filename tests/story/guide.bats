#!/usr/bin/env bats
# 老证书延期: the guide "renewing an old digital certificate, sold over the counter on a USB key, online", in its own order and words, to the signed receipt of a reissued key.
# One organisation, its agent, an officer or two; every step is a `hufu` command of theirs, against the real programs. Each section goes on where the one before ended.

load ../live
load ../usb

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert tiangu 74C2008800000AE9 擎洲测试投标人6 35353550-9 rsa
	csv_row 35353550-9 杭州田谷 20353 "-300 days" 擎洲测试投标人6 74C2008800000AE9 tiangu
	# Somebody whose number is taken already.
	old_cert other 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 other
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home other 91330100MAHUFU0179
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }
agent() { as tiangu hufu "$@"; } # 经办人 张三
code_goes_out() { [ "$(agent --json account sms --for register --mobile 13858011084 | field sent)" = true ]; }

@test "1 登录: 用户名是首次办理时的组织机构代码, 密码是公布的初始密码" {
	refused login_wrong agent login --password-fd 4 35353550-9 4<<<12345678
	fails 5 "set your own first" agent login --password-fd 4 35353550-9 4<<<88888888
	refused reset_first agent service list
	said "补录并重置密码"
	refused reset_first agent cert list
}

@test "2 补录并重置: 单位名称, 代码, 经办人和登记的手机号只读; 账号是手机号, 验证码, 新密码两遍" {
	did agent account
	said "organisation: 杭州田谷" "identifier: 35353550-9" "agent: 张*" "mobile: 130***0000"
	# The initial password is published, so the certificate's key says who it is.
	refused proof_first agent account sms --for bind --mobile 13858011084
	did agent account prove --key "$WORK/old/tiangu.key" --yes
	refused mobile_form agent account sms --for bind --mobile 1385801108
	did agent account sms --for bind --mobile 13858011084
	said "wait_seconds: 60"
	code=$(sms_code 13858011084)
	[[ $code =~ ^[0-9]{6}$ ]]
	refused sms_code_wrong agent password --mobile 13858011084 --sms-code-fd 5 --password-fd 4 4<<<"the password of tiangu" 5<<<"$(printf '%06d' $(((10#$code + 7) % 1000000)))"
	refused password_weak agent password --mobile 13858011084 --sms-code-fd 5 --password-fd 4 4<<<35353550-9 5<<<"$code"
	did agent password --mobile 13858011084 --sms-code-fd 5 --password-fd 4 4<<<"the password of tiangu" 5<<<"$code"
	refused login_wrong agent login --password-fd 4 35353550-9 4<<<88888888
	did agent login --password-fd 4 13858011084 4<<<"the password of tiangu"
	did agent account
	told 'login_mobile: 138(\*\*\*\*|5801)1084'
}

@test "3 选择合作项目: 搜索 金华市公共资源中心, 找到 金华市公共资源交易中心" {
	did hufu project search 金华市公共资源中心
	said jinhua 金华市公共资源交易中心
	did hufu project search 金公交中
	said jinhua
	did hufu project show jinhua
	said 机构证书 办理流程 使用帮助 软件下载 0579-00000000
	did hufu project search 没有这样的项目
	[[ "$output" != *jinhua* ]]
}

@test "3.1 我的服务: 已到期的服务先续费; 下单, 付款, 服务期顺延" {
	did agent service list
	told '20353.*擎洲测试投标人6.*74C2008800000AE9.*expired.*renew'
	refused service_expired agent request prepare --project jinhua --kind extend --way same-key --months 12 74C2008800000AE9
	said 服务已到期
	order=$(agent --json order renew 20353 | field order)
	did agent order pay "$order"
	said "reference: $order"
	did as officer hufu order confirm --bank-reference "ICBC-2026-0001" "$order"
	did agent service list
	told '20353.*active'
	keep order "$order"
}

@test "3.2 延期: 新的有效期, 主体不变; 旧密钥签名, 当场签发" {
	did agent cert list
	told '74C2008800000AE9.*擎洲测试投标人6.*ZJCA OCA2'
	did agent request ways 74C2008800000AE9
	said 延期 变更 补办
	id=$(prepared tiangu --kind extend --way same-key --months 12 --order "$(kept order)" 74C2008800000AE9)
	proved tiangu "$WORK/old/tiangu.key" "$id"
	keep extended "$(issued_to tiangu "$id" extended)"
	verified "$WORK/extended.pem"
	same "$(subject "$WORK/extended.pem")" "$(subject "$WORK/old/tiangu.pem")"
	same "$(public_key "$WORK/extended.pem")" "$(public_key "$WORK/old/tiangu.pem")"
	same "$(ends "$WORK/extended.pem")" "$(ends_later "$WORK/old/tiangu.pem" "1 year")"
	did agent request history "$id"
	said 签发系统办理完成
	did agent receipt --out "$WORK/extended.receipt" "$(kept extended)"
	did hufu verify "$WORK/extended.pem" "$WORK/extended.receipt"
}

@test "3.3 变更: 三种方式, 各要什么材料" {
	did agent request ways "$(kept extended)"
	said 名称或代码变更 法定代表人变更 新办证书 机构电子签名认证证书业务登记表 工商变更证明
}

@test "3.3.1 名称或代码变更: 先读风险告知函, 打印盖章; 材料上传; 审核员要求补正一次; 两名审核员通过; 旧证吊销" {
	id=$(prepared tiangu --kind change --way name-or-code --subject O=杭州虎符示例科技有限公司 --subject CN=杭州虎符示例科技有限公司 \
		--subject organizationIdentifier=913301003535355023 "$(kept extended)")
	did agent request show --wait 0 "$id" || [ "$status" = 5 ]
	said "missing"
	did agent request form --out "$WORK/notice.html" risk-2026-11 "$id"
	for word in 证书业务风险告知函 杭州田谷 "$(kept extended)" "$(agent --json request show --wait 0 "$id" | field number)"; do
		grep -q "$word" "$WORK/notice.html" || { echo "the notice does not say $word"; false; }
	done
	mapfile -t five < <(five_materials)
	id=$(prepared tiangu --edit "$id" --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 \
		--subject CN=杭州虎符示例科技有限公司 --subject organizationIdentifier=913301003535355023 "${five[@]}" "$(kept extended)")
	proved tiangu "$WORK/old/tiangu.key" "$id"
	number=$(agent --json request show --wait 0 "$id" | field number)
	did as officer hufu officer queue
	told "$number.*杭州田谷"
	did as officer hufu officer correct --as alice --item business-licence=印章看不清 "$number"
	did agent request show --wait 0 "$number" || [ "$status" = 5 ]
	said 印章看不清
	id=$(prepared tiangu --edit "$number" --kind change --way name-or-code --files no --accept-notice --subject O=杭州虎符示例科技有限公司 \
		--subject CN=杭州虎符示例科技有限公司 --subject organizationIdentifier=913301003535355023 \
		--material business-licence="$(material clearer)" "$(kept extended)")
	proved tiangu "$WORK/old/tiangu.key" "$id"
	approved alice "$number"
	refused officer_twice approved alice "$number"
	approved bob "$number"
	keep changed "$(issued_to tiangu "$number" changed)"
	verified "$WORK/changed.pem"
	[[ $(subject "$WORK/changed.pem") == *杭州虎符示例科技有限公司*913301003535355023* ]]
	same "$(ends "$WORK/changed.pem")" "$(ends "$WORK/extended.pem")" # a change alone keeps the old end
	did hufu status "$(kept extended)" "$(kept changed)"
	told "$(kept extended) +revoked +affiliationChanged" "$(kept changed) +good"
	hufu crl --out "$WORK/crl.pem"
	verified_crl "$WORK/changed.pem"
	run verified_crl "$WORK/extended.pem"
	[ "$status" != 0 ]
	said "certificate revoked"
}

@test "3.3.2 法定代表人变更: 变更证明或营业执照, 一名审核员; 不换发证书" {
	number=$(prepare tiangu --json --kind change --way legal-representative --subject legalRepresentative=李四 --material change-proof="$(material change-proof)" \
		"$(kept changed)" | field number)
	did agent request submit "$number"
	did as officer hufu officer review "$number"
	said "李四" 不换发证书
	did as officer hufu officer decide --as carol "$number"
	did hufu status "$(kept changed)"
	told "$(kept changed) +good"
}

@test "3.3.3 新办证书 (推荐): 以新资料注册, 沿用手机号; 申请服务并付款; 新密钥, 审核员逐字核对公钥指纹" {
	# The next code goes out a minute after the one of section 2: this desk is told a second, and started again.
	sed -i '/^login:/i sms: {resend_seconds: 1}' "$DIR/etc/hufu/ra.yaml"
	down
	up
	eventually code_goes_out
	did agent account link --organisation 杭州虎符新办示例有限公司 --sms-code-fd 5 91330100MAHUFU0254 5<<<"$(sms_code 13858011084)"
	did agent account choose 91330100MAHUFU0254
	did agent account
	said "organisation: 杭州虎符新办示例有限公司" "agent: 张三"
	order=$(agent --json service apply --project jinhua organisation-certificate | field order)
	did agent order pay "$order"
	did as officer hufu order confirm --bank-reference "ICBC-2026-0002" "$order"
	csr fresh p256
	did agent --json request enrol --project jinhua --csr "$WORK/fresh.csr" --months 12 --order "$order" --key-seen call --subject C=CN \
		--subject O=杭州虎符新办示例有限公司 --subject CN=杭州虎符新办示例有限公司 --subject organizationIdentifier=91330100MAHUFU0254 \
		--material registration-form="$(material registration-form)" --material agent-id-card="$(material agent-id-card)" \
		--material business-licence="$(material business-licence)"
	id=$(field request <<<"$output")
	did agent request prove --new-key "$WORK/fresh.key" --yes "$id"
	did agent request submit "$id"
	right=$(characters "$WORK/fresh.key")
	for officer in alice bob; do
		did as officer hufu officer approve --yes --key "$(key_of $officer)" --key-seen call "$id" <<<"$right"
	done
	keep new "$(issued_to tiangu "$id" new)"
	verified "$WORK/new.pem"
	[[ $(subject "$WORK/new.pem") == *杭州虎符新办示例有限公司*91330100MAHUFU0254* ]]
	did agent service list
	told "$(kept new).*active"
}

@test "3.4 解锁: UKey 的 PIN 忘记了. 用户申请, 与审核员核对代码; PIN 重新设置, 密钥不变" {
	clerk dan # who works on USB keys, and approves none
	down
	up
	agent account choose 35353550-9
	usb_place office
	usb_place home
	# The key of all these years lies on a USB key, which the desk has on record with its PUK.
	old=$(usb_new office "HUFU 0000")
	keep old "$old"
	did usb office "$(pin_of "$old")" pin "$old" --new-pin-fd 5 5<<<13579086
	at office softhsm2-util --import "$WORK/old/tiangu.key" --token "HUFU 0000" --label hufu --id 01 --pin 13579086
	did usb office 13579086 install "$old" "$WORK/changed.pem"
	did hufu token move --to prepared --holder 35353550-9 --why 首次发放 --as dan "$old"
	did hufu token move --to in_use --certificate "$(kept changed)" --why 首次发放 --as dan "$old"
	usb_carry "$old" office home
	key=$(usb home 13579086 test "$old" | grep -o 'key [0-9a-f]*')
	[ -n "$key" ]
	refused pin_wrong usb home 11111111 test "$old"
	fails 5 "code: " as tiangu at home hufu token unlock --module $module --serial "$old"
	number=$(sed -n 's/^unlock \([^ ]*\) .*/\1/p' <<<"$output" | head -n1)
	code=$(sed -n 's/^code: //p' <<<"$output")
	# Read out in a call; the officer types it.
	escrow=$(dirname "$(key_of alice)")/token.key
	refused code_wrong hufu officer unlock --escrow "$escrow" --as alice "$number" < <(printf 'AAAA-AAAA\nBBBB-BBBB\nCCCC-CCCC\n')
	did hufu officer unlock --escrow "$escrow" --as alice "$number" <<<"$code"
	did as tiangu at home hufu token unlock --module $module --new-pin-fd 4 "$number" 4<<<24681357
	refused pin_wrong usb home 13579086 test "$old"
	did usb home 24681357 test "$old"
	said "$key"
}

# reissue OPTIONS…: a key that was lost, and where the new one goes.
reissue() {
	local m papers=()
	for m in registration-form agent-id-card business-licence risk-notice; do
		papers+=("--material=$m=$(material "$m")")
	done
	agent --json request reissue --way lost --project jinhua --accept-notice --recipient 张三 --mobile 0571-88880000 --ship-to 杭州市西湖区示例路1号 \
		"${papers[@]}" "$@" "$(kept changed)" | field number
}
status_is() { [[ "$(hufu status "$1")" =~ $1\ +$2 ]]; }

@test "3.5 补办: 密钥遗失. 还有加密文件未开标, 先办恢复证书; 提交时原证书当即挂起" {
	usb_place taxi
	usb_carry "$(kept old)" home taxi
	did hufu token move --to lost --why 用户报失 --as dan "$(kept old)"
	did agent request ways "$(kept changed)"
	said "补办（遗失）"
	number=$(reissue --files yes)
	refused files_pending agent request submit "$number"
	said 请先办理恢复证书
	case=$(agent --json recover "$(kept changed)" | field number)
	same "$(reissue --files no --edit "$number")" "$number"
	refused recovery_open agent request submit "$number"
	did as officer hufu officer recover --as bob --step sent --note "KMC 2026-18" "$case"
	did as officer hufu officer recover --as bob --step delivered --note "密钥中心已交付" "$case"
	refused key_at_desk agent request prove --key "$WORK/old/tiangu.key" --yes "$number"
	did agent request submit "$number"
	said "state: to_make" "$(kept changed) 已申请挂起"
	eventually status_is "$(kept changed)" held
	keep reissue "$number"
	did agent cert list
	told "$(kept changed).*held"
}

@test "3.5 审核员: 取 UKey, 初始化, 生成密钥, 签名; 三名审核员各自让 UKey 签一次; 装箱, 寄出" {
	number=$(kept reissue)
	did as officer hufu officer queue
	told "$number +reissue"
	serial=$(usb_new office "HUFU 0001")
	other=$(usb_new office "HUFU 0002")
	keep token "$serial"
	keep other "$other"
	did key_made office "$serial" "$number" rsa
	said awaiting_officers
	for officer in alice bob carol; do
		fails 4 "--key-seen token wants" as officer hufu officer approve --yes --key "$(key_of $officer)" --key-seen token "$number"
		refused key_not_on_token key_approved office "$other" "$number" $officer
		did key_approved office "$serial" "$number" $officer
	done
	said to_ship
	issued_before=$(issued)
	refused token_other hufu parcel pack --as dan --serial "$other" "$number"
	did hufu parcel pack --as dan --serial "$serial" "$number"
	did hufu parcel ship --as dan --carrier 顺丰 --tracking SF1234567890 "$number"
	usb_carry "$serial" office home
	did hufu token record "$serial"
	said "state: shipped" 杭州
	did agent request show "$number"
	said in_post
	# All have signed, and nothing that is valid travels.
	same "$(issued)" "$issued_before"
	same "$(start_pin 13858011084)" "$(pin_of "$serial")"
}

@test "3.5 我的签收: 序列号相符才签收; 证书装入 UKey, 试签, 试解密, 改 PIN; 原证书吊销" {
	number=$(kept reissue) serial=$(kept token)
	did agent parcel list
	told "$number.*$serial +shipped +顺丰 +SF1234567890"
	# Somebody else's key is in the slot.
	usb_place stranger
	usb_carry "$(kept other)" office stranger
	refused token_other received tiangu stranger "$(pin_of "$(kept other)")" 86421357 "$number"
	did agent request show "$number"
	said in_post
	usb_place nowhere
	refused token_absent received tiangu nowhere "$(pin_of "$serial")" 86421357 "$number"
	did received tiangu home "$(pin_of "$serial")" 86421357 "$number"
	said "the key signs, and deciphers" "the start PIN is changed"
	keep reissued "$(issued_to tiangu "$number" reissued)"
	verified "$WORK/reissued.pem"
	same "$(subject "$WORK/reissued.pem")" "$(subject "$WORK/changed.pem")"
	same "$(ends "$WORK/reissued.pem")" "$(ends "$WORK/changed.pem")"
	diff <(at home pkcs11-tool --module $module --read-object --type cert --label hufu 2>/dev/null | openssl x509 -inform DER -outform DER | sha256sum) \
		<(openssl x509 -in "$WORK/reissued.pem" -outform DER | sha256sum)
	refused pin_wrong usb home "$(pin_of "$serial")" test "$serial"
	did usb home 86421357 test "$serial"
	said signs deciphers
	did hufu status "$(kept changed)" "$(kept reissued)"
	told "$(kept changed) +revoked +keyCompromise" "$(kept reissued) +good"
	hufu crl --out "$WORK/crl.pem"
	verified_crl "$WORK/reissued.pem"
	# Again: the same receipt, the same certificate.
	did as tiangu at home hufu parcel receive --yes --module $module --pin-fd 4 "$number" 4<<<86421357
	said "its PIN stays as it is"
	did hufu token record "$serial"
	said "state: in_use" "certificate: $(kept reissued)"
}

@test "6 我的订单, 我的签收; 用新 UKey 签名续期; 补办的证书有账本回执" {
	did agent order list
	told "$(kept order).*fulfilled|$(kept order).*paid"
	did agent parcel list
	told "$(kept reissue).*received"
	did agent request history "$(kept reissue)"
	said 已在\ UKey\ 上生成新密钥 已寄出包裹 签收了 签发系统办理完成
	# The new key speaks for its organisation.
	id=$(prepared tiangu --kind revoke --way by-subscriber --reason cessationOfOperation "$(kept reissued)")
	did as tiangu at home hufu request prove --yes --module $module --token-uri "pkcs11:serial=$(kept token)" --pin-fd 4 "$id" 4<<<86421357
	did agent request withdraw "$id"
	did agent receipt --out "$WORK/reissued.receipt" "$(kept reissued)"
	did hufu verify "$WORK/reissued.pem" "$WORK/reissued.receipt"
	said "good: the receipt holds" 补办
}
