#!/usr/bin/env bats
# The kinds that need no old key, and what changes a certificate's standing, as people do them: a lost key is held and reissued, an
# organisation whose certificate lapsed enrols anew, officers see the new key, a hold is released. One story, as main.bats.

load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert lost 74C2008800000E01 杭州丢失示例有限公司 91330100MADEM0CA15
	csv_row 91330100MADEM0CA15 杭州丢失示例有限公司 20601 "+200 days" 杭州丢失示例有限公司 74C2008800000E01 lost
	old_cert lapsed 74C2008800000E02 杭州停用示例有限公司 91330100MADEM0CBXW p256 "-400 days"
	csv_row 91330100MADEM0CBXW 杭州停用示例有限公司 20602 "-400 days" 杭州停用示例有限公司 74C2008800000E02 lapsed
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home lost 91330100MADEM0CA15
	at_home lapsed 91330100MADEM0CBXW
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }
has_state() { [ "$(hufu --json status "$1" | field answers.0.state)" = "$2" ]; }

papers() { # N: the first N of a reissue's, as options
	local m
	for m in $(printf '%s\n' registration-form agent-id-card business-licence risk-notice | head -n "$1"); do
		echo "--material=$m=$(material "$m")"
	done
}

reissue() { # NAME CSR OPTIONS… SERIAL
	local four
	mapfile -t four < <(papers 4)
	as "$1" hufu request reissue --project jinhua --csr "$WORK/$2.csr" --accept-notice "${four[@]}" "${@:3}"
}

seen() { # OFFICER HOW REQUEST: what is typed comes on standard input
	as officer hufu officer approve --yes --key "$(key_of "$1")" --key-seen "$2" "$3"
}

@test "挂起 a key is lost at night: its owner holds the certificate at once, and nobody else's" {
	refused certificate_unknown as lapsed hufu request hold 74C2008800000E01
	did as lost hufu --dry-run request hold 74C2008800000E01
	has_state 74C2008800000E01 good
	did as lost hufu request hold 74C2008800000E01
	eventually has_state 74C2008800000E01 held
	refused predecessor_held as lost hufu request hold 74C2008800000E01
	said "证书已挂起" "the certificate is on hold"
	run hufu health
	said certificates_held
}

@test "补办 a reissue is told what it lacks: a new key, an answer on files, how the key is seen" {
	csr fresh p256
	fails 4 "--csr FILE is missing" as lost hufu request reissue --way lost --project jinhua --files no 74C2008800000E01
	fails 4 "--files ANSWER is missing" as lost hufu request reissue --way lost --project jinhua --csr "$WORK/fresh.csr" 74C2008800000E01
	fails 1 "param_word" reissue lost fresh --way lost --files no --key-seen scan 74C2008800000E01
	refused certificate_unknown reissue lapsed fresh --way lost --files no 74C2008800000E01
	refused certificate_unknown reissue lost fresh --way lost --files no 74C2008800000EFF
	openssl req -new -key "$WORK/old/lost.key" -subj /CN=x -out "$WORK/same.csr" 2>/dev/null
	refused key_same reissue lost same --way lost --files no 74C2008800000E01
	id=$(reissue lost fresh --json --way lost --files yes 74C2008800000E01 | field request)
	did as lost hufu request show "$id"
	said "recovery first"
	refused files_pending as lost hufu request prove --new-key "$WORK/fresh.key" --yes "$id"
	said "还有加密文件尚未开标"
	as lost hufu request withdraw "$id"
}

@test "补办 the owner's client prints the key's ten characters; officers type them before they see anything of the key" {
	did reissue lost fresh --way lost --files no --key-seen call 74C2008800000E01
	right=$(characters "$WORK/fresh.key")
	said "ten characters of the new key: ${right:0:5}-${right:5} (officers type them: call)"
	id=$(grep -oE 'request [0-9a-f]{32}' <<<"$output" | cut -d' ' -f2)
	keep reissue "$id"
	hash=$(openssl pkey -in "$WORK/fresh.key" -pubout -outform DER | openssl dgst -sha256 -r | cut -c 1-64)
	as lost hufu request prove --new-key "$WORK/fresh.key" --yes "$id"
	as lost hufu request submit "$id"
	fails 4 "say how you have seen the new key" as officer hufu officer approve --yes --key "$(key_of alice)" "$id"
	refused key_seen_other seen alice paper "$id" <<<"$right"
	refused fingerprint_wrong seen alice call "$id" <<<"AAAAA-AAAAA"
	[[ "$output" != *"$hash"* ]]
	[[ "$output" != *"${hash:0:10}"* ]]
	[[ "$output" != *"${right:0:5}"* ]]
	refused fingerprint_wrong seen alice call "$id" <<<$'AAAAA-AAAAA\n\nAAAAA\n'"$right" # three tries, not four
	refused fingerprint_wrong seen alice call "$id" </dev/null
	fails 5 "awaiting_officers" as lost hufu request show --wait 0 "$id"
	did seen alice call "$id" <<<$'AAAAA-AAAAA\n'"${right,,}"
	said "the key is the one whose characters you typed" "not shown"
	[[ "$output" != *"$hash"* ]]
	refused officer_twice seen alice call "$id" <<<"$right"
	did seen bob call "$id" <<<"${right:0:5} ${right:5}"
	did seen carol call "$id" <<<"$right"
	keep reissued "$(issued_to lost "$id" reissued)"
	verified "$WORK/reissued.pem"
	same "$(public_key "$WORK/reissued.pem")" "$(openssl pkey -in "$WORK/fresh.key" -pubout)"
	same "$(subject "$WORK/reissued.pem")" "$(subject "$WORK/old/lost.pem")"
	same "$(ends "$WORK/reissued.pem")" "$(ends "$WORK/old/lost.pem")"
	did hufu status 74C2008800000E01
	told '74C2008800000E01 +ended +keyCompromise'
	refused predecessor_ended reissue lost fresh --way lost --files no 74C2008800000E01
}

@test "a desk in other hands shows another key than the owner's: the characters do not fit, and nothing is signed" {
	csr theirs p256
	csr mine p256
	id=$(reissue lost mine --json --way damaged --files no "$(kept reissued)" | field request)
	as lost hufu request prove --new-key "$WORK/mine.key" --yes "$id"
	as lost hufu request submit "$id"
	refused fingerprint_wrong seen alice paper "$id" <<<"$(characters "$WORK/theirs.key")"
	same "$(hufu rpc review.show "{\"request\": \"$id\"}" | field officers)" 0/3
	as lost hufu request withdraw "$id"
}

enrol() { # OPTIONS…
	local three
	mapfile -t three < <(papers 3)
	as lapsed hufu request enrol --project jinhua --months 12 --csr "$WORK/anew.csr" --subject C=CN --subject O=杭州停用示例有限公司 "${three[@]}" "$@"
}

@test "新办 who lapsed too long ago is not extended or reissued, and enrols anew: paid, seen by two officers" {
	csr anew p256
	order=$(paid_order lapsed 20602)
	refused validity_window as lapsed hufu request prepare --kind extend --way same-key --project jinhua --months 12 --order "$order" 74C2008800000E02
	refused validity_window reissue lapsed anew --way lost --files no 74C2008800000E02
	refused line_occupied enrol --subject organizationIdentifier=91330100MADEM0CA15 --order "$order"
	said "该单位代码已有其他有效证书" "the identifier lives in another certificate"
	refused identifier_check enrol --subject organizationIdentifier=91330100MADEM0CA16 --order "$order"
	refused order_unknown enrol --subject organizationIdentifier=91330100MADEM0CBXW --order 20991231-NOSUCHORDER2
	id=$(enrol --json --subject organizationIdentifier=91330100MADEM0CBXW --order "$order" | field request)
	as lapsed hufu request prove --new-key "$WORK/anew.key" --yes "$id"
	as lapsed hufu request submit "$id"
	right=$(characters "$WORK/anew.key")
	did seen alice paper "$id" <<<"$right"
	did seen bob paper "$id" <<<"$right"
	keep enrolled "$(issued_to lapsed "$id" enrolled)"
	verified "$WORK/enrolled.pem"
	[[ "$(subject "$WORK/enrolled.pem")" == *"O=杭州停用示例有限公司"*91330100MADEM0CBXW* ]]
	did as lapsed hufu service list
	told "20602.*$(kept enrolled)"
	refused line_occupied enrol --subject organizationIdentifier=91330100MADEM0CBXW
}

@test "挂起, 解除挂起 an officer holds; two release, from that hold and no other" {
	refused predecessor_not_held as officer hufu officer release --as carol "$(kept enrolled)"
	said "证书没有挂起"
	as officer hufu officer hold --as carol "$(kept enrolled)"
	eventually has_state "$(kept enrolled)" held
	refused hold_unknown as officer hufu officer release --as carol --hold 3 "$(kept enrolled)"
	said "挂起记录不符" "the hold is not the one named"
	id=$(as officer hufu --json officer release --as carol "$(kept enrolled)" | field request)
	hufu rpc review.show "{\"request\": \"$id\"}" | field note >"$WORK/first.note"
	refused own_entry approved carol "$id"
	approved alice "$id"
	has_state "$(kept enrolled)" held
	approved bob "$id"
	eventually has_state "$(kept enrolled)" good
	# Held anew: the release that is over, signed by two and brought by the RA itself under a fresh id, is not this hold's.
	as officer hufu officer hold --as carol "$(kept enrolled)"
	eventually has_state "$(kept enrolled)" held
	sed "s/^id: .*/id: $(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')/" "$WORK/first.note" >"$WORK/again.note"
	for who in alice bob; do hufu note sign --yes --key "$(key_of $who)" "$WORK/again.note" >/dev/null; done
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/again.note" >/dev/null
	did to_signer "$WORK/again.note"
	said "fault rule hold_unknown"
}

@test "吊销 an expired certificate is revoked too; what is over is held no more" {
	id=$(as officer hufu --json officer revoke --as carol --reason keyCompromise 74C2008800000E02 | field request)
	approved alice "$id"
	eventually has_state 74C2008800000E02 ended
	refused predecessor_ended as officer hufu officer hold 74C2008800000E02
	fails 4 "--reason WORD is missing" as officer hufu officer revoke "$(kept enrolled)"
	fails 1 reason_form as officer hufu officer revoke --reason boredom "$(kept enrolled)"
}
