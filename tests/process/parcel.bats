#!/usr/bin/env bats
# Keys that the desk makes, with the real programs and SoftHSM2: a first certificate from order to receipt, held while encrypted files wait; and parcels that go
# wrong: tokens in each other's parcels, a key that is on another token, a token that is taken, a parcel that is lost or comes back, and a tally that dies in the post.

bats_require_minimum_version 1.5.0
load ../live
load ../usb

setup_file() {
	local n codes=(0179 0254)
	live_begin
	old_authority
	csv_begin
	for n in 1 2; do
		old_cert "org$n" "74C2008800000C0$n" "杭州包裹示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row "91330100MAHUFU${codes[n - 1]}" "杭州包裹示例${n}有限公司" "2080$n" "+200 days" "杭州包裹示例${n}有限公司" "74C2008800000C0$n" "org$n"
	done
	old_crl
	init >/dev/null
	up
	import >/dev/null
	clerk dan
	down
	up
	at_home org1 91330100MAHUFU0179 >/dev/null
	at_home org2 91330100MAHUFU0254 >/dev/null
	for n in office home1 home2 home3; do usb_place $n; done
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# reissue N: a work of organisation N, handed in; prints its number.
reissue() {
	local m papers=()
	for m in registration-form agent-id-card business-licence risk-notice; do
		papers+=("--material=$m=$(material "$m")")
	done
	as "org$1" hufu --json request reissue --way damaged --project jinhua --files no --accept-notice --recipient 张三 --mobile 0571-88880000 \
		--ship-to 杭州市西湖区示例路1号 "${papers[@]}" "74C2008800000C0$1" | field number >"$WORK/number" || return 1
	as "org$1" hufu request submit "$(cat "$WORK/number")" >/dev/null
	cat "$WORK/number"
}
# approve NUMBER SERIAL: three officers, each with the token in the slot.
approve() {
	local officer
	for officer in alice bob carol; do key_approved office "$2" "$1" $officer >/dev/null || return 1; done
}
ship() { hufu parcel ship --as dan --carrier 顺丰 --tracking "SF-$1" "$1" >/dev/null; }
state_is() { same "$(as "$1" hufu --json request show "$2" | field state)" "$3"; }
strangers() { hufu --json rpc parcel.show "{\"request\": \"$1\"}" | field strangers; }

@test "made: a token that is taken, one that is nobody's, and a key that is on another token" {
	keep one "$(reissue 1)"
	keep two "$(reissue 2)"
	keep a "$(usb_new office "HUFU A")"
	keep b "$(usb_new office "HUFU B")"
	did key_made office "$(kept a)" "$(kept one)"
	refused token_taken hufu work csr --as dan --serial "$(kept a)" --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	refused token_unlisted hufu work csr --as dan --serial 0000000000000000 --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	# B is said, and the key is A's: B can't sign with it, and the desk gives both up.
	did hufu work csr --as dan --serial "$(kept b)" --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	said "sends no SMS with it" "切勿随包裹寄出"
	refused key_not_on_token at office hufu work prove --as dan --yes --module $module --pin-fd 4 "$(kept two)" 4<<<"$(pin_of "$(kept b)")"
	did hufu work again --as dan --note "the wrong request was entered" "$(kept two)"
	state_is org2 "$(kept two)" to_make
	did hufu token record "$(kept b)"
	said "state: damaged"
	did hufu token move --to returned --why "nothing is wrong with it" --as dan "$(kept b)"
	did hufu token move --to stock --why "nothing is wrong with it" --as dan "$(kept b)"
	did usb_again "$(kept b)"
	did key_made office "$(kept b)" "$(kept two)"
	did approve "$(kept one)" "$(kept a)"
	did approve "$(kept two)" "$(kept b)"
}

# usb_again SERIAL: the token is wiped and initialised anew.
usb_again() {
	rm "$WORK/usb/$1.pin"
	at office hufu token init --module $module --serial "$1" --label again --pin-out "$WORK/usb/$1.pin" --escrow "$(dirname "$(key_of alice)")/token.key" --as dan
}

@test "swapped: each gets the other's token; both notice, and nothing goes to the signer" {
	before=$(issued)
	did hufu parcel pack --as dan --serial "$(kept a)" "$(kept one)"
	did hufu parcel pack --as dan --serial "$(kept b)" "$(kept two)"
	ship "$(kept one)"
	ship "$(kept two)"
	usb_carry "$(kept a)" office home2
	usb_carry "$(kept b)" office home1
	refused token_other received org1 home1 "$(pin_of "$(kept a)")" 86421357 "$(kept one)"
	refused token_other received org2 home2 "$(pin_of "$(kept b)")" 86421357 "$(kept two)"
	same "$(strangers "$(kept one)") $(strangers "$(kept two)")" "1 1"
	state_is org1 "$(kept one)" in_post
	refused request_unknown received org2 home2 "$(pin_of "$(kept b)")" 86421357 "$(kept one)"
	same "$(issued)" "$before"
	# They come back, and what lies in each parcel is looked at.
	refused token_other hufu parcel returned --as dan --note 错装 --serial "$(kept b)" "$(kept one)"
	did hufu parcel returned --as dan --note 错装 --serial "$(kept a)" "$(kept one)"
	did hufu parcel returned --as dan --note 错装 --serial "$(kept b)" "$(kept two)"
	ship "$(kept one)"
	usb_carry "$(kept a)" home2 home1
	did received org1 home1 "$(pin_of "$(kept a)")" 86421357 "$(kept one)"
	said "the start PIN is changed"
	same "$(issued)" $((before + 1))
	# Received is received.
	refused parcel_state hufu parcel lost --as dan --note "?" "$(kept one)"
}

@test "lost: the key is never certified, whoever has signed for it" {
	usb_carry "$(kept b)" home1 office
	ship "$(kept two)"
	before=$(issued)
	old=$(as org2 hufu --json request show "$(kept two)" | field request)
	as org2 hufu --json request show "$old" | field note >"$WORK/lost.note"
	did hufu parcel lost --as dan --note 快递查无下落 "$(kept two)"
	state_is org2 "$(kept two)" to_make
	did hufu token record "$(kept b)"
	said "state: lost" 快递查无下落
	refused parcel_state as org2 at office hufu parcel receive --yes --module $module "$old"
	# The RA's own key signs what three officers and the token have signed: the signer has heard that it is dead.
	withdrawn() { [ "$(hufu --json health --desk | field desk.queue)" = 0 ]; }
	eventually withdrawn
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/lost.note" >/dev/null
	did to_signer "$WORK/lost.note" "$WORK/usb/$(kept b).csr"
	said tally_withdrawn
	same "$(issued)" "$before"
}

@test "the tally dies in the post: the same key, signed for anew by the token and by officers who have seen it" {
	keep c "$(usb_new office "HUFU C")"
	did key_made office "$(kept c)" "$(kept two)"
	did approve "$(kept two)" "$(kept c)"
	did hufu parcel pack --as dan --serial "$(kept c)" "$(kept two)"
	ship "$(kept two)"
	usb_carry "$(kept c)" office home2
	before=$(issued)
	# Another policy is in force, which does not know the tally any more.
	cp -r "$DIR/etc/hufu/policies" "$WORK/v2"
	sed -i 's/lengths_months: \[12, 24, 36\]/lengths_months: [24, 36]/' "$WORK/v2/profiles/organisation.yaml"
	hufu policy note "$WORK/v2" >/dev/null
	for officer in alice bob; do hufu policy sign --yes --key "$(key_of $officer)" "$WORK/v2/policy.note" >/dev/null; done
	did hufu policy submit "$WORK/v2"
	rm -r "$DIR/etc/hufu/policies"
	cp -r "$WORK/v2" "$DIR/etc/hufu/policies"
	down
	up
	fails 5 "Run the same command again" received org2 home2 "$(pin_of "$(kept c)")" 86421357 "$(kept two)" --wait 0
	state_is org2 "$(kept two)" awaiting_officers
	same "$(issued)" "$before"
	did as org2 hufu parcel list
	said received
	# The token is far away: an officer's own line under the tally before is what says that the key was seen. Dan has none.
	fails 4 "--key-seen token wants" hufu officer approve --yes --key "$(key_of dan)" --key-seen token "$(kept two)"
	for officer in alice bob carol; do
		did hufu officer approve --yes --key "$(key_of $officer)" --key-seen token "$(kept two)"
		said "that you signed for when it was on the token here"
	done
	did received org2 home2 "$(pin_of "$(kept c)")" 86421357 "$(kept two)"
	said "the start PIN is changed"
	same "$(issued)" $((before + 1))
	did usb home2 86421357 test "$(kept c)"
	said signs
}

@test "a first certificate: ordered, paid, its key made on a token here, shipped, signed for, installed" {
	local m papers=() order number serial
	# A new organisation, which has neither certificate nor service yet.
	did as org3 hufu account sms --for register --mobile "$(mobile_of org3)"
	did as org3 hufu account register --organisation 杭州首次示例有限公司 --agent 李四 --mobile "$(mobile_of org3)" --sms-code-fd 5 --password-fd 4 91330100MAHUFU033Y \
		4<<<"the password of org3" 5<<<"$(sms_code "$(mobile_of org3)")"
	did as org3 hufu login --password-fd 4 "$(mobile_of org3)" 4<<<"the password of org3"
	order=$(as org3 hufu --json service apply --project jinhua organisation-certificate | field order)
	did as org3 hufu order pay "$order"
	did hufu order confirm --bank-reference ICBC-2026-0007 "$order"
	for m in registration-form agent-id-card business-licence; do papers+=("--material=$m=$(material "$m")"); done
	as org3 hufu --json request enrol --project jinhua --months 24 --order "$order" --subject C=CN --subject O=杭州首次示例有限公司 --subject CN=杭州首次示例有限公司 \
		--subject organizationIdentifier=91330100MAHUFU033Y --recipient 李四 --mobile 0571-88880000 --ship-to 杭州市余杭区示例路2号 \
		"${papers[@]}" >"$WORK/enrol.json"
	cat "$WORK/enrol.json"
	number=$(field number <"$WORK/enrol.json")
	did as org3 hufu request submit "$number"
	said "state: to_make"
	serial=$(usb_new office "HUFU E")
	did key_made office "$serial" "$number" rsa
	said awaiting_officers
	before=$(issued)
	for officer in alice bob; do did key_approved office "$serial" "$number" $officer; done
	did hufu parcel pack --as dan --serial "$serial" "$number"
	did ship "$number"
	usb_carry "$serial" office home3
	same "$(start_pin "$(mobile_of org3)")" "$(pin_of "$serial")"
	same "$(issued)" "$before"
	did received org3 home3 "$(pin_of "$serial")" 97531086 "$number"
	said "the key signs, and deciphers" "the start PIN is changed"
	keep first "$(issued_to org3 "$number" first)"
	same "$(issued)" $((before + 1))
	verified "$WORK/first.pem"
	[[ $(subject "$WORK/first.pem") == *杭州首次示例有限公司*91330100MAHUFU033Y* ]]
	same "$(at home3 pkcs11-tool --module $module --token-label "HUFU E" --read-object --type cert --label hufu 2>/dev/null | sha256sum)" \
		"$(openssl x509 -in "$WORK/first.pem" -outform DER | sha256sum)"
	refused pin_wrong usb home3 "$(pin_of "$serial")" test "$serial"
	did usb home3 97531086 test "$serial"
	said signs deciphers
	did hufu token record "$serial"
	said "state: in_use" "certificate: $(kept first)"
	did as org3 hufu order show "$order"
	said fulfilled
}

@test "held while encrypted files are not yet opened: neither handed in, nor shipped, nor received" {
	local m papers=() case
	for m in registration-form agent-id-card business-licence risk-notice; do papers+=("--material=$m=$(material "$m")"); done
	number=$(as org3 hufu --json request reissue --way damaged --project jinhua --files yes --accept-notice --recipient 张三 --mobile 0571-88880000 \
		--ship-to 杭州市西湖区示例路1号 "${papers[@]}" "$(kept first)" | field number)
	refused files_pending as org3 hufu request submit "$number"
	state_is org3 "$number" drafted
	refused request_state hufu work csr --as dan --serial "$(kept a)" --csr "$WORK/usb/$(kept a).csr" "$number"
	did as org3 hufu --json request reissue --way damaged --project jinhua --files no --accept-notice --recipient 张三 --mobile 0571-88880000 \
		--ship-to 杭州市西湖区示例路1号 --edit "$number" "$(kept first)"
	did as org3 hufu request submit "$number"
	keep d "$(usb_new office "HUFU D")"
	did key_made office "$(kept d)" "$number"
	did approve "$number" "$(kept d)"
	did hufu parcel pack --as dan --serial "$(kept d)" "$number"
	# Encrypted files turned up: what the old key opens is asked for first.
	case=$(as org3 hufu --json recover "$(kept first)" | field number)
	refused recovery_open ship "$number"
	did hufu officer recover --as bob --step sent --note "KMC 2026-18" "$case"
	did hufu officer recover --as bob --step delivered --note 密钥中心已交付 "$case"
	did ship "$number"
	usb_carry "$(kept d)" office home3
	case=$(as org3 hufu --json recover "$(kept first)" | field number)
	before=$(issued)
	refused recovery_open received org3 home3 "$(pin_of "$(kept d)")" 86421357 "$number"
	state_is org3 "$number" in_post
	same "$(issued)" "$before"
	did hufu officer recover --as bob --step sent --note "KMC 2026-19" "$case"
	did hufu officer recover --as bob --step no_copy --note 密钥中心查无备份 "$case"
	did received org3 home3 "$(pin_of "$(kept d)")" 86421357 "$number"
	same "$(issued)" $((before + 1))
	hufu status "$(kept first)" | grep -q "superseded"
}
