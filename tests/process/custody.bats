#!/usr/bin/env bats
# The CA key in the custody of five people, three of whom open it: from the roster that names them to a signer that starts locked, waits for shares in
# any order, and works; then a lost custodian is replaced, and the issuing CA is rolled. With the real programs.

bats_require_minimum_version 1.5.0
load ../alone
load ../roll

setup_file() {
	WORK=$(new_dir)
	export WORK DIR=$WORK/hufu
	export HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml
	printf 'a passphrase of the tests\n' >"$WORK/pass"
	"$hufu" init --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	mkdir -p "$WORK/people" "$WORK/shares" "$WORK/again"
	local who
	for who in kate liam mona nina omar piet mallory; do
		"$hufu" --json officer key --plain --out "$WORK/people/$who.key" "$who" | field vkey >"$WORK/people/$who.vkey"
	done
}

teardown_file() {
	stop
	rm -rf "$WORK"
}

submit() { run "$hufu" custodian submit --key "$WORK/people/$1.key" "$2/$1.share"; echo "$output"; }

# ordered THRESHOLD FILE NAME…: an order that alice and bob sign.
ordered() {
	local names=() who
	for who in "${@:3}"; do names+=(--custodian "$who"); done
	"$hufu" custodian order --threshold "$1" "${names[@]}" "$2" >/dev/null
	for who in alice bob; do "$hufu" note sign --yes --key "$DIR/home/$who/$who.key" "$2" >/dev/null; done
}

# revoke: a tally that the signer refuses by its rules when it is open.
ask_to_revoke() { run "$hufu" cert revoke --reason superseded --operator --key "$DIR/home/alice/alice.key" --yes 0102; echo "$output"; }

@test "the roster names the custodians and the signer's unlock key" {
	start with-passphrase
	local unlock add=() who
	unlock=$("$hufu" --json custodian status | field unlock_key)
	[[ "$unlock" == unlock+* ]]
	for who in kate liam mona nina omar; do add+=(--add "custodian:$(cat "$WORK/people/$who.vkey")"); done
	"$hufu" roster note "${add[@]}" --add "signer:$unlock" "$WORK/roster-2.note"
	for who in alice bob; do "$hufu" roster sign --yes --key "$DIR/home/$who/$who.key" "$WORK/roster-2.note"; done
	"$hufu" roster submit "$WORK/roster-2.note"
	cp "$WORK/roster-2.note" "$DIR/etc/hufu/roster.note"
	run "$hufu" roster show
	echo "$output"
	[[ "$output" == *"signer"* && "$output" == *"custodian"* ]]
}

@test "an order that is not signed by the quorum, or names somebody else, splits nothing" {
	run "$hufu" custodian order --threshold 3 --custodian kate --custodian mallory "$WORK/x.note"
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *mallory* ]]
	run "$hufu" custodian order --threshold 8 --custodian kate "$WORK/x.note"
	[ "$status" = 4 ]
	run "$hufu" custodian order --threshold 3 --custodian kate --custodian liam "$WORK/x.note"
	[ "$status" = 1 ]
	[[ "$output" == *"wanted at least the threshold, 3"* ]]
	run "$hufu" custodian order --threshold 2 --custodian kate --custodian liam "$WORK/x.note"
	[ "$status" = 1 ]
	[[ "$output" == *"found 2 custodians, wanted at least 3"* ]]
	"$hufu" custodian order --threshold 2 --custodian kate --custodian liam --custodian mona "$WORK/one.note"
	"$hufu" note sign --yes --key "$DIR/home/alice/alice.key" "$WORK/one.note"
	run "$hufu" custodian split --out "$WORK/none" "$WORK/one.note"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *quorum* ]]
	[ -z "$(ls -A "$WORK/none")" ]
}

@test "3 of 5: shares are written, checked by their custodians, and nobody else opens them" {
	ordered 3 "$WORK/order.note" kate liam mona nina omar
	run "$hufu" custodian split --out "$WORK/shares" "$WORK/order.note"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(ls "$WORK/shares" | wc -l)" = 5 ]
	[ "$(stat -c %a "$WORK/shares/kate.share")" = 600 ]
	# The answer was lost: the same order gives the same shares.
	"$hufu" custodian split --out "$WORK/shares" "$WORK/order.note"
	local who
	for who in kate liam mona nina omar; do "$hufu" custodian check --key "$WORK/people/$who.key" "$WORK/shares/$who.share"; done
	run "$hufu" custodian check --key "$WORK/people/liam.key" "$WORK/shares/kate.share"
	[ "$status" = 2 ]
	sed '/^box: /{s/^box: A/box: B/;t;s/^box: ./box: A/}' "$WORK/shares/mona.share" >"$WORK/altered.share"
	run "$hufu" custodian check --key "$WORK/people/mona.key" "$WORK/altered.share"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *box_closed* ]]
	sed '/^tag: /{s/^tag: 0/tag: 1/;t;s/^tag: ./tag: 0/}' "$WORK/shares/mona.share" >"$WORK/other-tag.share"
	run "$hufu" custodian check --key "$WORK/people/mona.key" "$WORK/other-tag.share"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *share_wrong* ]]
}

@test "until three have proved theirs, everything is as it was" {
	submit kate "$WORK/shares"
	[ "$status" = 5 ]
	[[ "$output" == *"1 of 3 shares are here"* ]]
	submit omar "$WORK/shares"
	[ "$status" = 5 ]
	restart with-passphrase
	grep -q 'event=ready.*locked=0' "$WORK/ca.log"
	submit kate "$WORK/shares"
	[ "$status" = 5 ]
	submit liam "$WORK/shares"
	[ "$status" = 5 ]
	submit mona "$WORK/shares"
	[ "$status" = 0 ]
	[[ "$output" == *"next: none"* ]]
}

@test "from then on a passphrase opens nothing, and a restart waits for three" {
	restart with-passphrase
	run "$hufu" custodian status
	echo "$output"
	[ "$status" = 5 ]
	[[ "$output" == *"the CA key is locked"* ]]
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/pass"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *unlock_by_custodians* ]]
	submit omar "$WORK/shares"
	[ "$status" = 5 ]
	ask_to_revoke
	[ "$status" = 3 ]
	[[ "$output" == *"1 of 3 custodians' shares are here"* ]]
	submit omar "$WORK/shares"
	[ "$status" = 5 ]
	[[ "$output" == *"1 of 3 shares are here"* ]]
	submit liam "$WORK/shares"
	submit nina "$WORK/shares"
	[ "$status" = 0 ]
	[[ "$output" == *"the CA key is open"* ]]
	ask_to_revoke
	[ "$status" = 2 ]
	[[ "$output" == *predecessor_unknown* ]]
}

@test "a share sealed elsewhere is for one run of one signer" {
	restart
	local challenge
	challenge=$("$hufu" --json custodian status | field challenge) || true
	cp "$DIR/etc/hufu/roster.note" "$WORK/roster-at-home.note"
	env -u HUFU_CONFIG "$hufu" custodian seal --key "$WORK/people/kate.key" --roster "$WORK/roster-at-home.note" --challenge "$challenge" --out "$WORK/kate.note" "$WORK/shares/kate.share"
	run grep -c 'box:' "$WORK/kate.note"
	[ "$output" = 1 ]
	run "$hufu" custodian bring "$WORK/kate.note"
	echo "$output"
	[ "$status" = 5 ]
	[[ "$output" == *"1 of 3 shares are here"* ]]
	restart
	run "$hufu" custodian bring "$WORK/kate.note"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *challenge_old* ]]
}

@test "a lost custodian is replaced, and the shares of before are worth nothing" {
	local who
	for who in kate liam mona; do submit "$who" "$WORK/shares"; done
	[ "$status" = 0 ]
	"$hufu" roster note --remove nina --add "custodian:$(cat "$WORK/people/piet.vkey")" "$WORK/roster-3.note"
	for who in alice bob; do "$hufu" roster sign --yes --key "$DIR/home/$who/$who.key" "$WORK/roster-3.note" >/dev/null; done
	"$hufu" roster submit "$WORK/roster-3.note"
	cp "$WORK/roster-3.note" "$DIR/etc/hufu/roster.note"
	# The order of before named no set; it counts no more.
	run "$hufu" custodian split --out "$WORK/again" "$WORK/order.note"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *custody_sequence* ]]
	ordered 3 "$WORK/order-2.note" kate liam mona omar piet
	"$hufu" custodian split --out "$WORK/again" "$WORK/order-2.note"
	for who in piet omar mona; do submit "$who" "$WORK/again"; done
	[ "$status" = 0 ]
	restart
	submit kate "$WORK/shares"
	[ "$status" = 2 ]
	[[ "$output" == *set_unknown* ]]
	for who in kate liam piet; do submit "$who" "$WORK/again"; done
	[ "$status" = 0 ]
	ask_to_revoke
	[[ "$output" == *predecessor_unknown* ]]
}

@test "the issuing CA is rolled: the custodians open the old key, its passphrase the new one" {
	rm "$DIR/var/lib/hufu-ca/issuing.key"
	roll_ceremony p384 --operator-key "$DIR/home/operator/operator.key" >"$WORK/roll.log" 2>&1 || { cat "$WORK/roll.log"; return 1; }
	rolled_in_configuration
	restart
	grep -q 'event=key_outside_custody' "$WORK/ca.log"
	submit kate "$WORK/again"
	[ "$status" = 5 ]
	[[ "$output" == *"the CA key is locked"*"locked, under its passphrase"*"locked, in custody"*"1 of 3 shares are here"* ]]
	ask_to_revoke
	[[ "$output" == *"the operator must unlock the signer"* ]]
	run "$hufu" unlock --passphrase-fd 4 4<<<"another passphrase"
	[ "$status" = 2 ]
	"$hufu" unlock --passphrase-fd 4 4<"$WORK/pass"
	ask_to_revoke
	[[ "$output" == *predecessor_unknown* ]]
	# Only all keys together are split.
	ordered 3 "$WORK/order-3.note" kate liam mona omar piet
	run "$hufu" custodian split --out "$WORK/rolled" "$WORK/order-3.note"
	[ "$status" != 0 ]
	[[ "$output" == *"the key of the retired CA"*"issuing.crt is not open"* ]]
	local who
	for who in liam piet; do submit "$who" "$WORK/again"; done
	[ "$status" = 0 ]
	[[ "$output" == *"open, under its passphrase"*"open, in custody"* ]]
}

@test "a new set has both keys: three custodians open them, and a passphrase none" {
	local who
	"$hufu" custodian split --out "$WORK/rolled" "$WORK/order-3.note"
	for who in kate mona omar; do submit "$who" "$WORK/rolled"; done
	[ "$status" = 0 ]
	rm "$DIR/var/lib/hufu-ca/issuing-2.key"
	restart with-passphrase
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/pass"
	[ "$status" = 2 ]
	[[ "$output" == *unlock_by_custodians* ]]
	for who in liam omar; do submit "$who" "$WORK/rolled"; done
	[ "$status" = 5 ]
	ask_to_revoke
	[[ "$output" == *"2 of 3 custodians' shares are here"* ]]
	submit piet "$WORK/rolled"
	[ "$status" = 0 ]
	ask_to_revoke
	[[ "$output" == *predecessor_unknown* ]]
	# Each signs CRLs of its own.
	local ca
	for ca in issuing issuing-2; do
		"$hufu" crl --operator --issuer "$(key_id "$DIR/etc/hufu/$ca.crt")" --out "$WORK/$ca.crl"
		openssl crl -in "$WORK/$ca.crl" -CAfile "$DIR/etc/hufu/$ca.crt" -noout
	done
}

@test "nothing of a share or a secret is in the log" {
	! grep -E 'box:|share=|secret=' "$WORK/ca.log" || false
	grep -q 'event=custody_share audit=1 custodian=piet' "$WORK/ca.log"
	grep -q 'event=custody_in_force audit=1' "$WORK/ca.log"
}
