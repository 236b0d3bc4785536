#!/usr/bin/env bats
# The law changes while requests are pending: a new policy and a new roster follow the ones in force, signed by a quorum, taken by the signer
# first and read by the desk after. Each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	local n codes=(0179 0254 033Y 041R 05XH 068H 076C 0847 0922)
	for n in 1 2 3 4 5 6 7 8 9; do
		old_cert "org$n" "74C2008800000E0$n" "杭州新政示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row 91330100MAHUFU0179 杭州新政示例1有限公司 2050$n "+200 days" "杭州新政示例${n}有限公司" "74C2008800000E0$n" "org$n"
	done
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# extension N, change N: a request for certificate N, proved and (change) waiting for officers; prints its id.
extension() {
	local id
	id=$(prepared org --kind extend --way same-key --months 12 --order "$(paid_order org "2050$1")" "74C2008800000E0$1")
	as org hufu request prove --key "$WORK/old/org$1.key" --yes "$id" >/dev/null
	echo "$id"
}
change() {
	local id five
	mapfile -t five < <(five_materials)
	id=$(prepared org --kind change --way name-or-code --files no --accept-notice --subject "O=杭州新名${1}有限公司" --subject "CN=杭州新名${1}有限公司" "${five[@]}" \
		"74C2008800000E0$1")
	proved org "$WORK/old/org$1.key" "$id" >/dev/null
	echo "$id"
}

# next_bundle NAME SED [UNTIL]: the bundle in force, edited, with the next note; in $WORK/NAME.
next_bundle() {
	rm -rf "${WORK:?}/$1"
	cp -r "$DIR/etc/hufu/policies" "$WORK/$1"
	sed -i "$2" "$WORK/$1/profiles/organisation.yaml"
	hufu policy note ${3:+--until "$3"} "$WORK/$1" >/dev/null
}
by() { hufu "$1" sign --yes --key "$(key_of "$2")" "$3"; } # by policy|roster PERSON NOTE

policy_of_signer() { hufu --json health --signer | field signer.policy_version; }
desk_law() { hufu rpc policy.pending | field policy; }
# The desk reads the bundle of a folder: as the operator puts it there and reloads.
desk_reads() {
	local before
	before=$(desk_law)
	rm -r "$DIR/etc/hufu/policies"
	cp -r "$WORK/$1" "$DIR/etc/hufu/policies"
	kill -HUP "$(cat "$WORK/up.pid")"
	eventually desk_law_is_not "$before"
}
desk_worries() { hufu health | grep -q "$1"; }
desk_law_is_not() { [ "$(desk_law)" != "$1" ]; }

in_days() { date -u -d "+$1 days" +%Y-%m-%dT%H:%M:%SZ; }

@test "check --against lists the pending requests that a new bundle would kill" {
	keep short "$(extension 1)"
	keep long "$(change 2)"
	keep done "$(change 3)"
	next_bundle v2 's/lengths_months: \[12, 24, 36\]/lengths_months: [24, 36]/' "$(in_days 3)"
	# The extension lives for a day, the changes for thirty.
	run hufu policy check --against "$WORK/v2"
	echo "$output"
	same "$status" 2
	said "2 pending requests would be killed after" "$(kept long)" "$(kept done)"
	[[ "$output" != *"$(kept short)"* ]]
	next_bundle at-once 's/lengths_months: \[12, 24, 36\]/lengths_months: [24, 36]/'
	run --separate-stderr hufu --json policy check --against "$WORK/at-once"
	same "$status" 2
	same "$(field killed <<<"$output" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" 3
	next_bundle long 's/lengths_months: \[12, 24, 36\]/lengths_months: [24, 36]/' "$(in_days 40)"
	did hufu policy check --against "$WORK/long"
	said "0 pending requests would be killed"
}

@test "a policy wants a quorum of different officers: none, one, one twice, a stranger's or the desk's line are refused" {
	note=$WORK/v2/policy.note
	fails 1 note_unsigned hufu policy submit "$WORK/v2"
	did by policy alice "$note"
	refused quorum hufu policy submit "$WORK/v2"
	refused signature_repeated by policy alice "$note"
	cp "$note" "$WORK/signed-by-alice"
	hufu officer key --plain --out "$WORK/mallory.key" mallory >/dev/null
	did hufu policy sign --yes --key "$WORK/mallory.key" "$note"
	refused signer_unknown hufu policy submit "$WORK/v2"
	cp "$WORK/signed-by-alice" "$note"
	did hufu policy sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$note"
	refused signer_role hufu policy submit "$WORK/v2"
	cp "$WORK/signed-by-alice" "$note"
	# Alice's own line, once more under Bob's name.
	sed 's/^— alice /— bob /' "$note" | grep '^— bob' >>"$note"
	fails 2 "" hufu policy submit "$WORK/v2"
	cp "$WORK/signed-by-alice" "$note"
	same "$(policy_of_signer)" 1
}

@test "files that are not the note's, a bundle below the floors and a note of another CA are refused, whoever signed" {
	cp -r "$WORK/v2" "$WORK/other-bytes"
	by policy bob "$WORK/other-bytes/policy.note" >/dev/null
	echo "# one byte more" >>"$WORK/other-bytes/projects/jinhua.yaml"
	refused policy_files hufu policy submit "$WORK/other-bytes"
	next_bundle too-low '/name-or-code:/,/officers:/ s/officers: 2/officers: 0/'
	by policy alice "$WORK/too-low/policy.note" >/dev/null
	by policy bob "$WORK/too-low/policy.note" >/dev/null
	refused policy_lint hufu policy submit "$WORK/too-low"
	said officers_floor
	next_bundle other-ca 's/XXXX//'
	sed -i 's/^ca: .*/ca: 0000000000000000000000000000000000000000/' "$WORK/other-ca/policy.note"
	by policy alice "$WORK/other-ca/policy.note" >/dev/null
	by policy bob "$WORK/other-ca/policy.note" >/dev/null
	refused policy_sequence hufu policy submit "$WORK/other-ca"
	said "found CA 0000000000000000000000000000000000000000"
	same "$(policy_of_signer)" 1
}

@test "a version is neither skipped nor taken twice, and follows the very note in force" {
	while IFS='|' read -r code text edit; do
		next_bundle wrong 's/XXXX//'
		sed -i "$edit" "$WORK/wrong/policy.note"
		by policy alice "$WORK/wrong/policy.note" >/dev/null
		by policy bob "$WORK/wrong/policy.note" >/dev/null
		fails "$code" "$text" hufu policy submit "$WORK/wrong"
		same "$(policy_of_signer)" 1
	done <<-TABLE
		2|policy_sequence|s/^version: 2/version: 3/
		2|policy_sequence|s/^previous: .*/previous: $(printf '0%.0s' $(seq 64))/
		2|policy_sequence|s/^version: 2/version: 1/
		2|policy_sequence|s/^previous: .*/previous: none/
		1|wanted|s/^version: 2/version: 02/
		1|wanted|s/^until: .*/until: 2026-13-01T00:00:00Z/
	TABLE
	did by policy bob "$WORK/v2/policy.note"
	did hufu policy submit "$WORK/v2"
	said "policy taken"
	same "$(policy_of_signer)" 2
	refused policy_sequence hufu policy submit "$WORK/v2"
	same "$(policy_of_signer)" 2
}

@test "until its time the policy before still counts: what was made under it is issued by its words" {
	# The desk has not read the new one yet: a draft of now is still one of before.
	as org hufu request submit "$(kept short)" >/dev/null
	issued_to org "$(kept short)" short >/dev/null
	verified "$WORK/short.pem"
	eventually desk_worries policy_differs
	desk_reads v2
	approved alice "$(kept done)"
	approved bob "$(kept done)"
	issued_to org "$(kept done)" done >/dev/null
	verified "$WORK/done.pem"
	same "$(issued)" 2
}

@test "what is made now is judged by the new one" {
	refused validity_length prepare org --kind extend --way same-key --months 12 --order "$(paid_order org 20504)" 74C2008800000E04
}

@test "a policy that gives the one before no time kills its tallies at once, at the desk and at the signer" {
	hufu rpc review.show "{\"request\": \"$(kept long)\"}" | field note >"$WORK/captured.note"
	keep middle "$(change 5)"
	next_bundle v3 's/lengths_months: \[24, 36\]/lengths_months: [12, 24, 36]/'
	run hufu policy check --against "$WORK/v3"
	said "2 pending requests would be killed at once" "$(kept long)" "$(kept middle)"
	by policy carol "$WORK/v3/policy.note" >/dev/null
	by policy bob "$WORK/v3/policy.note" >/dev/null
	did hufu policy submit "$WORK/v3"
	desk_reads v3
	for name in long middle; do refused policy_hash approved alice "$(kept $name)"; done
	# Past the desk, with everybody's signature.
	for name in alice bob; do hufu note sign --yes --key "$(key_of $name)" "$WORK/captured.note" >/dev/null; done
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/captured.note" >/dev/null
	did to_signer "$WORK/captured.note"
	said "fault rule policy_hash"
	same "$(issued)" 2
}

@test "a time that has passed gives none either" {
	id=$(change 6)
	next_bundle v4 's/renewal_times: 3/renewal_times: 4/' "$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)"
	by policy alice "$WORK/v4/policy.note" >/dev/null
	by policy bob "$WORK/v4/policy.note" >/dev/null
	did hufu policy submit "$WORK/v4"
	desk_reads v4
	refused policy_hash approved alice "$id"
	same "$(policy_of_signer)" 4
}

roster_of_signer() { hufu --json health --signer | field signer.roster_version; }
next_roster() { hufu roster note "${@:2}" "$WORK/$1"; }
signed_by() { # NOTE PEOPLE…
	local who
	for who in "${@:2}"; do hufu roster sign --yes --key "$(key_of "$who")" "$1" >/dev/null || return 1; done
}

@test "a roster changes by a quorum of the roster in force; the newcomer's own line does not count" {
	mkdir -m 700 "$DIR/home/dave"
	vkey=$(hufu --json officer key --plain --out "$(key_of dave)" dave | field vkey)
	did next_roster r2.note --remove carol --add "officer:$vkey:jinhua:change"
	cp "$WORK/r2.note" "$WORK/unsigned"
	signed_by "$WORK/r2.note" alice
	refused quorum hufu roster submit "$WORK/r2.note"
	signed_by "$WORK/r2.note" dave
	refused signer_unknown hufu roster submit "$WORK/r2.note"
	cp "$WORK/unsigned" "$WORK/r2.note"
	signed_by "$WORK/r2.note" alice carol # carol is in the roster in force, until now
	did hufu --dry-run roster submit "$WORK/r2.note"
	said "- carol: officer " "+ dave: officer " " jinhua change" "would submit"
	! said "alice: officer" || false # who stays as they are is no change
	same "$(roster_of_signer)" 1
	did hufu roster submit "$WORK/r2.note"
	said "- carol: officer " "roster taken"
	same "$(roster_of_signer)" 2
	grep -q 'event=roster_change audit=1 change="- carol: officer ' "$DIR"/var/log/*.log
	refused roster_sequence hufu roster submit "$WORK/r2.note"
}

@test "a roster that skips a version or could never change again is refused" {
	# The configuration's roster is still the first: its next one is version 2 again.
	did next_roster again.note --quorum 3
	signed_by "$WORK/again.note" alice bob
	refused roster_sequence hufu roster submit "$WORK/again.note"
	install -m 644 "$WORK/r2.note" "$DIR/etc/hufu/roster.note"
	did next_roster r4.note --quorum 2
	sed -i 's/^version: 3/version: 4/' "$WORK/r4.note"
	signed_by "$WORK/r4.note" alice bob
	refused roster_sequence hufu roster submit "$WORK/r4.note"
	fails 1 "wanted at least 2 and at most the number of officers" next_roster r3.note --quorum 1
	fails 1 "wanted at least 2 and at most the number of officers" next_roster r3.note --quorum 4
	fails 2 "is not in the roster" next_roster r3.note --remove nobody
	fails 2 "is in the roster already" next_roster r3.note --add "officer:$(hufu --json --dry-run officer key --plain alice | field vkey)"
	same "$(roster_of_signer)" 2
}

roster_is_read() { [ "$(hufu --json health --desk | field desk.desk.roster_version)" = 2 ]; }

@test "under the new roster the newcomer approves what it names, and nobody who has left" {
	kill -HUP "$(cat "$WORK/up.pid")"
	eventually roster_is_read
	id=$(change 7)
	refused signer_unknown approved carol "$id"
	approved alice "$id"
	approved dave "$id"
	issued_to org "$id" seven >/dev/null
	verified "$WORK/seven.pem"
	# dave may sign changes alone.
	csr new8 p256
	id=$(prepared org --kind extend --way new-key --months 24 --order "$(paid_order org 20508)" --files no --csr "$WORK/new8.csr" 74C2008800000E08)
	as org hufu request prove --key "$WORK/old/org8.key" --new-key "$WORK/new8.key" --yes "$id"
	as org hufu request submit "$id"
	refused officers_scope approved dave "$id"
	approved bob "$id"
	issued_to org "$id" eight >/dev/null
	same "$(issued)" 4
	both_live
}

@test "restarted, both stand by the last policy and the last roster" {
	down
	up
	same "$(policy_of_signer)" 4
	same "$(roster_of_signer)" 2
	id=$(change 9)
	approved alice "$id"
	approved dave "$id"
	issued_to org "$id" nine >/dev/null
	verified "$WORK/nine.pem"
}

amount_of() { as org hufu --json order show "$1" | field amount_fen; }

@test "an order that is open when another price comes into force keeps its own; the next one has the new" {
	local before after version
	version=$(policy_of_signer)
	before=$(as org hufu --json order renew 20509 | field order)
	cp -r "$DIR/etc/hufu/policies" "$WORK/dear"
	sed -i 's/price_fen: 30000/price_fen: 32000/' "$WORK/dear/projects/jinhua.yaml"
	hufu policy note "$WORK/dear" >/dev/null
	by policy alice "$WORK/dear/policy.note" >/dev/null
	by policy bob "$WORK/dear/policy.note" >/dev/null
	did hufu policy submit "$WORK/dear"
	same "$(policy_of_signer)" $((version + 1))
	desk_reads dear
	same "$(amount_of "$before")" 30000
	did as org hufu order pay "$before"
	said "amount_fen: 30000"
	refused payment_amount as officer hufu order confirm --bank-reference DEAR-1 --amount 32000 "$before"
	did as officer hufu order confirm --bank-reference DEAR-1 --amount 30000 "$before"
	after=$(as org hufu --json order renew 20509 | field order)
	same "$(amount_of "$after")" 32000
	same "$(amount_of "$before")" 30000
	both_live
}
