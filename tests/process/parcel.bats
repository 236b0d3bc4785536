#!/usr/bin/env bats
# Parcels that go wrong, with the real programs and SoftHSM2: tokens in each other's parcels, a key that is on another token, a token that is taken, a parcel
# that is lost or comes back, and a tally that dies in the post.

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
	for n in office home1 home2; do usb_place $n; done
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }
pin=13579086

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
	for officer in alice bob carol; do key_approved office $pin "$2" "$1" $officer >/dev/null || return 1; done
}
ship() { hufu parcel ship --as dan --carrier 顺丰 --tracking "SF-$1" "$1" >/dev/null; }
state_is() { same "$(as "$1" hufu --json request show "$2" | field state)" "$3"; }
strangers() { hufu --json rpc parcel.show "{\"request\": \"$1\"}" | field strangers; }

@test "made: a token that is taken, one that is nobody's, and a key that is on another token" {
	keep one "$(reissue 1)"
	keep two "$(reissue 2)"
	keep a "$(usb_new office "HUFU A" $pin)"
	keep b "$(usb_new office "HUFU B" $pin)"
	did key_made office $pin "$(kept a)" "$(kept one)"
	refused token_taken hufu work csr --as dan --serial "$(kept a)" --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	refused token_unlisted hufu work csr --as dan --serial 0000000000000000 --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	# B is said, and the key is A's: B can't sign with it, and the desk gives both up.
	did hufu work csr --as dan --serial "$(kept b)" --csr "$WORK/usb/$(kept a).csr" "$(kept two)"
	refused key_not_on_token at office hufu work prove --as dan --yes --module $module --pin-fd 4 "$(kept two)" 4<<<$pin
	did hufu work again --as dan --note "the wrong request was entered" "$(kept two)"
	state_is org2 "$(kept two)" to_make
	did hufu token record "$(kept b)"
	said "state: damaged"
	did hufu token move --to returned --why "nothing is wrong with it" --as dan "$(kept b)"
	did hufu token move --to stock --why "nothing is wrong with it" --as dan "$(kept b)"
	did usb_again "$(kept b)"
	did key_made office $pin "$(kept b)" "$(kept two)"
	did approve "$(kept one)" "$(kept a)"
	did approve "$(kept two)" "$(kept b)"
}

# usb_again SERIAL: the token is wiped and initialised anew.
usb_again() {
	at office hufu token init --module $module --serial "$1" --label again --pin-fd 4 --escrow "$(dirname "$(key_of alice)")/token.key" --as dan 4<<<$pin
}

@test "swapped: each gets the other's token; both notice, and nothing goes to the signer" {
	before=$(issued)
	did hufu parcel pack --as dan --serial "$(kept a)" "$(kept one)"
	did hufu parcel pack --as dan --serial "$(kept b)" "$(kept two)"
	ship "$(kept one)"
	ship "$(kept two)"
	usb_carry "$(kept a)" office home2
	usb_carry "$(kept b)" office home1
	refused token_other received org1 home1 $pin 86421357 "$(kept one)"
	refused token_other received org2 home2 $pin 86421357 "$(kept two)"
	same "$(strangers "$(kept one)") $(strangers "$(kept two)")" "1 1"
	state_is org1 "$(kept one)" in_post
	refused request_unknown received org2 home2 $pin 86421357 "$(kept one)"
	same "$(issued)" "$before"
	# They come back, and what lies in each parcel is looked at.
	refused token_other hufu parcel returned --as dan --note 错装 --serial "$(kept b)" "$(kept one)"
	did hufu parcel returned --as dan --note 错装 --serial "$(kept a)" "$(kept one)"
	did hufu parcel returned --as dan --note 错装 --serial "$(kept b)" "$(kept two)"
	ship "$(kept one)"
	usb_carry "$(kept a)" home2 home1
	did received org1 home1 $pin 86421357 "$(kept one)"
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
	keep c "$(usb_new office "HUFU C" $pin)"
	did key_made office $pin "$(kept c)" "$(kept two)"
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
	fails 5 "Run the same command again" received org2 home2 $pin 86421357 "$(kept two)" --wait 0
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
	did received org2 home2 $pin 86421357 "$(kept two)"
	said "the start PIN is changed"
	same "$(issued)" $((before + 1))
	did usb home2 86421357 test "$(kept c)"
	said signs
}
