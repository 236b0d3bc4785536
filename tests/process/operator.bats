#!/usr/bin/env bats
# What the operator does with a running signer: unlock, health, the next roster, notes, CRLs. The desk is down all the time: none of this needs it.

load ../helpers

setup_file() {
	WORK=$(new_dir)
	DIR=$WORK/hufu
	HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml
	export WORK DIR HUFU_CONFIG
	echo "a passphrase of the tests" >"$WORK/pass"
	echo "another one" >"$WORK/wrong"
	"$hufu" init --policies "$root/policies" --passphrase-fd 4 "$DIR" 4<"$WORK/pass" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	"$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml" 2>"$WORK/ca.log" 3>&- &
	echo $! >"$WORK/ca.pid"
	timeout 60 grep -q -m1 event=ready <(tail --pid="$(cat "$WORK/ca.pid")" -n +1 -f "$WORK/ca.log") || { cat "$WORK/ca.log"; return 1; }
	(cd "$WORK" && "$hufu" officer key --plain dave) >"$WORK/dave.out"
	sed -n 's/^verifier key.*: //p' "$WORK/dave.out" >"$WORK/dave.vkey"
}

teardown_file() {
	kill "$(cat "$WORK/ca.pid")"
	until_gone "$(cat "$WORK/ca.pid")"
	rm -rf "$WORK"
}

key_of() { echo "$DIR/home/$1/$1.key"; }
refused() { # exit code, rule
	echo "$output"
	[ "$status" = "$1" ]
	[[ "$output" == *"[$2]"* ]]
}

@test "locked: health says so by its exit code; no CRL, no revocation" {
	run "$hufu" health --signer
	[ "$status" = 5 ]
	[[ "$output" == *"state: locked"* ]]
	run "$hufu" crl --operator
	refused 3 signer_locked
	run "$hufu" cert revoke --reason superseded --operator --key "$(key_of alice)" --yes 01
	refused 3 signer_locked
}

@test "the desk is away: health says which one does not answer" {
	run "$hufu" --json health
	[ "$status" = 3 ]
	python3 -c 'import json,sys; o=json.load(sys.stdin); assert o["signer"]["state"]=="locked" and o["desk"]["rule"]=="peer_away", o' <<<"$output"
	run "$hufu" health --desk
	[ "$status" = 3 ]
	[[ "$output" != *signer:* ]]
}

@test "unlock: a wrong passphrase, none, a dry run, the right one, again" {
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/wrong"
	refused 2 sealed_open
	run "$hufu" unlock --passphrase-fd 4 4</dev/null
	[ "$status" = 4 ]
	run "$hufu" unlock --passphrase-fd four
	refused 4 passphrase_fd
	run "$hufu" --dry-run unlock --passphrase-fd 4 4<"$WORK/pass"
	[ "$status" = 0 ]
	run "$hufu" health --signer
	[ "$status" = 5 ]
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/pass"
	[ "$status" = 0 ]
	run "$hufu" health --signer
	[ "$status" = 0 ]
	[[ "$output" == *"state: open"* ]]
	run "$hufu" unlock --passphrase-fd 4 4<"$WORK/wrong" # open already: nothing to do, and nothing told about the passphrase
	[ "$status" = 0 ]
	run grep -F -e "$(cat "$WORK/pass")" -e "$(cat "$WORK/wrong")" "$WORK/ca.log"
	[ "$status" = 1 ]
}

@test "CRLs come straight from the signer, and hold under the issuing CA" {
	"$hufu" crl --operator --out "$WORK/full.pem"
	run openssl crl -in "$WORK/full.pem" -CAfile "$DIR/etc/hufu/issuing.crt" -noout -crlnumber
	[[ "$output" == *"verify OK"* && "$output" == *0x01* ]]
	"$hufu" crl --operator --der --shard 3 --out "$WORK/3.crl"
	run openssl crl -inform DER -in "$WORK/3.crl" -CAfile "$DIR/etc/hufu/issuing.crt" -noout -text
	[[ "$output" == *"verify OK"* && "$output" == *"/3.crl"* ]]
	run "$hufu" crl --operator --shard 4000
	refused 2 shard_unknown
}

@test "roster note: what cannot be a roster is not written" {
	v=$(cat "$WORK/dave.vkey")
	try() { # exit code, rule, arguments
		run "$hufu" roster note "${@:3}" "$WORK/no.note"
		refused "$1" "$2"
		[ ! -e "$WORK/no.note" ]
	}
	try 2 roster_remove --remove nobody
	try 4 roster_add --add "$v"
	try 4 roster_add --add "king:$v"
	try 4 roster_add --add "officer:$v:jinhua:extend,reign"
	try 4 roster_add --add "officer:$v:jinhua:extend:more"
	try 2 roster_add --add "officer:$v" --add "officer:$v"
	try 1 roster_quorum --quorum 9
	try 1 roster_quorum --quorum 1
	try 4 roster_quorum --quorum many
	run "$hufu" roster note --add "officer:dave+00000000+AAAA" "$WORK/no.note"
	[ "$status" != 0 ]
	[ ! -e "$WORK/no.note" ]
	run "$hufu" --dry-run roster note --add "officer:$v" "$WORK/no.note"
	[ "$status" = 0 ]
	[[ "$output" == *"member: officer dave "* ]]
	[ ! -e "$WORK/no.note" ]
}

@test "the next roster is written, signed by a quorum, verified, taken; not twice, and not by the one who left" {
	"$hufu" roster note --remove alice --add "officer:$(cat "$WORK/dave.vkey"):jinhua:revoke,extend" "$WORK/2.note"
	grep -q '^member: officer dave .* jinhua extend,revoke$' "$WORK/2.note"
	run "$hufu" roster note "$WORK/2.note" # never over a note that is there
	[ "$status" = 2 ]
	"$hufu" roster sign --yes --key "$(key_of bob)" "$WORK/2.note"
	run "$hufu" roster submit "$WORK/2.note"
	refused 2 quorum
	"$hufu" roster sign --yes --key "$(key_of alice)" "$WORK/2.note"
	run "$hufu" note verify --roster "$DIR/etc/hufu/roster.note" "$WORK/2.note"
	[ "$status" = 0 ]
	[[ "$output" == *"2 signed, its quorum is 2"* ]]
	run "$hufu" roster submit "$WORK/2.note"
	[ "$status" = 0 ]
	run "$hufu" roster submit "$WORK/2.note"
	refused 2 roster_sequence
	cp "$WORK/2.note" "$DIR/etc/hufu/roster.note"
	"$hufu" roster note --quorum 3 "$WORK/3.note"
	"$hufu" roster sign --yes --key "$(key_of alice)" "$WORK/3.note"
	"$hufu" roster sign --yes --key "$(key_of bob)" "$WORK/3.note"
	run "$hufu" roster submit "$WORK/3.note"
	refused 2 signer_unknown
}

@test "note verify: lines that hold, that do not, that nobody vouches for" {
	note=$DIR/etc/hufu/ceremonies/root.note
	run "$hufu" note verify "$note"
	[ "$status" = 2 ]
	[[ "$output" == *"operator"*"not checked"* ]]
	run "$hufu" note verify --roster "$DIR/etc/hufu/roster.note" "$note"
	[ "$status" = 2 ]
	[[ "$output" == *"NOT IN THE ROSTER"* ]]
	cp "$note" "$WORK/witnessed.note"
	"$hufu" note sign --yes --key "$WORK/dave.key" "$WORK/witnessed.note"
	run "$hufu" note verify --key "$(cat "$WORK/dave.vkey")" "$WORK/witnessed.note"
	[ "$status" = 2 ] # dave's holds, the operator's is not checked
	grep -q '^dave  *holds$' <<<"$output"
	sed 's/^kind: root/kind: boot/' "$WORK/witnessed.note" >"$WORK/altered.note"
	run "$hufu" note verify --key "$(cat "$WORK/dave.vkey")" "$WORK/altered.note"
	[ "$status" = 2 ]
	grep -q '^dave  *DOES NOT HOLD$' <<<"$output"
	run "$hufu" note verify --key not-a-key "$note"
	[ "$status" != 0 ]
	printf 'no note' >"$WORK/none.note"
	run "$hufu" note verify "$WORK/none.note"
	[ "$status" != 0 ]
	[[ "$output" == *none.note* ]]
	printf 'hufu/x/v1\nunsigned\n' >"$WORK/unsigned.note"
	run "$hufu" note verify "$WORK/unsigned.note"
	[ "$status" = 2 ]
	[[ "$output" == *"no signature line"* ]]
}

@test "without --yes a note is signed only after a typed yes" {
	cp "$WORK/3.note" "$WORK/4.note"
	run "$hufu" note sign --key "$WORK/dave.key" "$WORK/4.note" <<<"no"
	refused 2 not_confirmed
	cmp "$WORK/3.note" "$WORK/4.note"
	run "$hufu" note sign --key "$WORK/dave.key" "$WORK/4.note" <<<"yes"
	[ "$status" = 0 ]
	grep -q '^— dave ' "$WORK/4.note"
}
