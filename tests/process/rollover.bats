#!/usr/bin/env bats
# The issuing CA is rolled under a desk and its customers: certificates by the old key, a rollover in a ceremony, kill -9, then everything goes on by
# the new key, and the old one signs the CRLs of what it issued. docs/ceremony.md tells the same.

bats_require_minimum_version 1.5.0
load ../gate
load ../roll
CODES=(91330100MAHUFU0179 91330100MAHUFU0254 91330100MAHUFU033Y)

setup_file() {
	live_begin
	take_ports
	old_authority
	csv_begin
	local i
	for i in 0 1 2; do
		old_cert "org$i" "74C2008800000D0$i" "杭州换钥示例$i有限公司" "${CODES[$i]}"
		csv_row "${CODES[$i]}" "杭州换钥示例$i有限公司" "2050$i" "+200 days" "杭州换钥示例$i有限公司" "74C2008800000D0$i" "org$i"
	done
	old_crl
	init >/dev/null
	gate_admitted
	up
	import >/dev/null
	for i in 0 1 2; do at_home "org$i" "${CODES[$i]}" >/dev/null; done
}

teardown_file() {
	gate_down
	live_end
}

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# received N SERIAL: its receipt, newN.receipt.
received() { as "org$1" hufu receipt --out "$WORK/new$1.receipt" "$2"; }

# extended N: org N's certificate extended; newN.pem, newN.receipt.
extended() {
	local id
	id=$(prepared "org$1" --kind extend --way same-key --months 12 --order "$(paid_order "org$1" "2050$1")" "74C2008800000D0$1")
	proved "org$1" "$WORK/old/org$1.key" "$id" >/dev/null
	issued_to "org$1" "$id" "new$1" >"$WORK/kept.serial$1"
	received "$1" "$(kept "serial$1")"
}

crt() { echo "$DIR/etc/hufu/$1.crt"; }
# chain CA FILE: it is of that issuing CA, under the root.
chain() { openssl verify -x509_strict -CAfile "$(crt root)" -untrusted "$(crt "$1")" "$2"; }
# crl_of CA OPTIONS…: its full CRL, which holds under it, in CA.crl.
crl_of() {
	hufu crl --issuer "$(key_id "$(crt "$1")")" "${@:2}" --out "$WORK/$1.crl"
	did openssl crl -in "$WORK/$1.crl" -CAfile "$(crt "$1")" -noout
	said "verify OK"
}
on_crl() { openssl crl -in "$WORK/$1.crl" -noout -text | grep -q "Serial Number: $2"; }
verify() { hufu verify --log-key "$DIR/etc/hufu/log.vkey" --roster "$DIR/etc/hufu/roster.note" --root "$(crt root)" "$@"; }

# killed: both programs without a word.
killed() {
	kill -9 "$(cat "$WORK/ca.pid")" "$(cat "$WORK/ra.pid")"
	down
}

@test "certificates by the old key" {
	extended 0
	extended 1
	did chain issuing "$WORK/new0.pem"
	crl_of issuing
	did verify --issuer "$(crt issuing)" "$WORK/new0.pem" "$WORK/new0.receipt"
}

@test "the ceremony makes the new key and certificate, by the officers' approval" {
	did roll_ceremony p384 --operator-key "$(key_of operator)"
	! need_root || chown hufu-ca "$DIR/var/lib/hufu-ca/issuing-2.key"
	did openssl verify -x509_strict -CAfile "$(crt root)" "$(crt issuing-2)"
}

@test "the old one does not simply go away" {
	killed
	sed -i 's,issuing\.crt,issuing-2.crt,; s,issuing\.key,issuing-2.key,' "$DIR/etc/hufu/ca.yaml"
	run up
	[ "$status" != 0 ]
	grep -q ca_unknown <<<"$output"
	down
}

@test "retired and killed: it starts by the new key, and one passphrase opens both" {
	echo "retired: [{issuer: etc/hufu/issuing.crt, key: var/lib/hufu-ca/issuing.key}]" >>"$DIR/etc/hufu/ca.yaml"
	up
	killed
	up
	same "$(hufu --json health --signer | field signer.ca)" "$(key_id "$(crt issuing)")"
	same "$(hufu --json health --signer | field signer.issuer)" "$(key_id "$(crt issuing-2)")"
	same "$(hufu --json health --signer | field signer.retired.0)" "$(key_id "$(crt issuing)")"
	same "$(hufu --json health --signer | field signer.state)" open
}

@test "an extension of another's certificate, and a change of one that the old key signed, are by the new key" {
	local five id
	extended 2
	did chain issuing-2 "$WORK/new2.pem"
	did verify --issuer "$(crt issuing-2)" "$WORK/new2.pem" "$WORK/new2.receipt"
	mapfile -t five < <(five_materials)
	id=$(prepared org0 --kind change --way name-or-code --files no --accept-notice --subject "O=杭州换钥新名有限公司" --subject "CN=杭州换钥新名有限公司" \
		"${five[@]}" "$(kept serial0)")
	proved org0 "$WORK/old/org0.key" "$id" >/dev/null
	approved alice "$id" >/dev/null
	approved bob "$id" >/dev/null
	issued_to org0 "$id" changed >"$WORK/kept.changed"
	did chain issuing-2 "$WORK/changed.pem"
	as org0 hufu receipt --out "$WORK/changed.receipt" "$(kept changed)"
	did verify --issuer "$(crt issuing-2)" "$WORK/changed.pem" "$WORK/changed.receipt"
	same "$(hufu --json status --cert "$WORK/changed.pem" | field answers.0.issuer)" "$(key_id "$(crt issuing-2)")"
}

@test "the old receipt holds, and is of the old key" {
	received 1 "$(kept serial1)"
	did verify --issuer "$(crt issuing)" "$WORK/new1.pem" "$WORK/new1.receipt"
	fails 2 "" verify --issuer "$(crt issuing-2)" "$WORK/new1.pem" "$WORK/new1.receipt"
}

@test "each is revoked on the CRL of the CA that issued it, by the desk and straight from the signer" {
	refused predecessor_unknown hufu cert revoke --operator --yes --reason superseded --key "$(key_of alice)" "$(kept serial1)"
	did hufu cert revoke --operator --yes --reason superseded --key "$(key_of alice)" --issuer "$(key_id "$(crt issuing)")" "$(kept serial1)"
	did hufu cert revoke --operator --yes --reason superseded --key "$(key_of alice)" "$(kept serial2)"
	local how
	for how in "" --operator; do
		crl_of issuing $how
		on_crl issuing "$(kept serial1)"
		run ! on_crl issuing "$(kept serial2)"
		crl_of issuing-2 $how
		on_crl issuing-2 "$(kept serial2)"
		run ! on_crl issuing-2 "$(kept serial1)"
	done
	did hufu crl --out "$WORK/default.crl"
	did openssl crl -in "$WORK/default.crl" -CAfile "$(crt issuing-2)" -noout
	said "verify OK"
	fails 4 "40 hex" hufu crl --operator --issuer 12
	refused issuer_unknown hufu crl --operator --issuer 0000000000000000000000000000000000000000
}

# served PATH FILE
served() { curl -sf "http://$HTTP/$1" >"$WORK/$2"; }

# answers CA FILE WORD: what OCSP says of a certificate by that CA, verified under it and the root alone.
answers() {
	cat "$(crt "$1")" "$(crt root)" >"$WORK/$1.chain"
	openssl ocsp -issuer "$(crt "$1")" -CAfile "$WORK/$1.chain" -url "http://$HTTP/ocsp" -no_nonce -cert "$2" >"$WORK/said" 2>&1
	grep -q "Response verify OK" "$WORK/said" && grep -q ": $3" "$WORK/said"
}

@test "one gate answers for both: each certificate by OCSP under its own CA, each CA's CRL, and each chain" {
	local ca id
	configure
	responder_key
	responder_listed
	sed -i "s,^issuer: .*,issuer: etc/hufu/issuing-2.crt\nretired: [etc/hufu/issuing.crt]," "$WORK/gate.yaml"
	gate_up
	eventually answers issuing-2 "$WORK/changed.pem" good
	eventually answers issuing "$WORK/new1.pem" revoked
	answers issuing-2 "$WORK/new2.pem" revoked
	# Asked about under the other's name it is nobody's.
	run openssl ocsp -issuer "$(crt issuing)" -CAfile "$WORK/issuing.chain" -url "http://$HTTP/ocsp" -no_nonce -serial "0x$(kept changed)"
	said "Response verify OK" ": unknown"
	for ca in issuing-2 issuing; do
		id=$(key_id "$(crt $ca)")
		eventually served "crl/$id/full.crl" served.crl
		did openssl crl -inform DER -in "$WORK/served.crl" -CAfile "$(crt $ca)" -noout
		said "verify OK"
		served "ca/$id.pem" served.pem
		same "$(cat "$WORK/served.pem")" "$(cat <(openssl x509 -in "$(crt $ca)") <(openssl x509 -in "$(crt root)"))"
		served "ca/$id.crt" served.crt
		did openssl verify -x509_strict -CAfile "$(crt root)" "$WORK/served.crt"
	done
	served "ca/$(key_id "$(crt issuing)").pem" old.pem
	served "ca/$(key_id "$(crt issuing-2)").pem" new.pem
	did openssl verify -x509_strict -partial_chain -CAfile "$(crt root)" -untrusted "$WORK/old.pem" "$WORK/new0.pem" "$WORK/new1.pem"
	did openssl verify -x509_strict -partial_chain -CAfile "$(crt root)" -untrusted "$WORK/new.pem" "$WORK/new2.pem" "$WORK/changed.pem"
	run ! grep -q 'rule=crl_ledger' "$WORK/gate.log"
	gate_down
}

@test "what the gate knows of both is there when it starts again" {
	gate_down # where the part before has failed
	gate_up
	eventually answers issuing "$WORK/new1.pem" revoked
	answers issuing-2 "$WORK/changed.pem" good
	gate_down
	sed -i "s,^retired: .*,retired: [etc/hufu/issuing-2.crt]," "$WORK/gate.yaml"
	fails 4 "retired_twice" "$gate" --config "$WORK/gate.yaml"
}

@test "killed once more: both go on, and the ledger is whole" {
	killed
	up
	crl_of issuing
	on_crl issuing "$(kept serial1)"
	crl_of issuing-2
	on_crl issuing-2 "$(kept serial2)"
	did "$build/ca/hufu-ca" ledger check --config "$DIR/etc/hufu/ca.yaml"
	said "good: every entry"
	did hufu ledger head
	said "hufu/log/$(key_id "$(crt issuing)")"
}

# root_serves FILE: from now on the gate is to go by that CRL of the root; put in place as a whole.
root_serves() {
	cp "$1" "$DIR/etc/hufu/served.crl.new" && chmod 644 "$DIR/etc/hufu/served.crl.new" && mv "$DIR/etc/hufu/served.crl.new" "$DIR/etc/hufu/served.crl"
}

# heard KEY QUERY…: that field of what a portal hears.
heard() { curl -sf -H "Authorization: Bearer the-token-of-the-portal" "http://$HTTP/v1/status$2" | field "answers.0.$1"; }

# desk_says SERIAL WORD: state, and reason where there is one, of what the desk says.
desk_says() { [ "$(hufu --json status "$1" | jq -r '.answers[0] | [.state, .reason // empty] | join("/")')" = "$2" ]; }

@test "the root's CRL is served, and an issuing CA that it revokes takes its certificates along: for OCSP clients, for portals, and at the desk" {
	local id
	id=$(key_id "$(crt root)")
	did root_list crl 1
	down
	sed -i 's,^# root_crl: .*,root_crl: etc/hufu/served.crl,' "$DIR/etc/hufu/ra.yaml"
	up
	eventually grep -q 'root_crl_unused.*served.crl' "$DIR/var/log/hufu-ra.log"
	gate_down
	sed -i '/^root_crl/d; s,^root_certificate: .*,&\nroot_crl: etc/hufu/served.crl,; s,^retired: .*,retired: [etc/hufu/issuing.crt],' "$WORK/gate.yaml"
	: >"$WORK/gate.log"
	gate_up
	eventually answers issuing-2 "$WORK/changed.pem" good
	run ! served "crl/$id/full.crl" none.crl # there is no such file yet: said, and no reason to stay away
	grep -q 'root_crl_unused.*served.crl' "$WORK/gate.log"
	root_serves "$DIR/etc/hufu/root-1.crl"
	for name in full 0; do
		eventually served "crl/$id/$name.crl" root.crl
		did openssl crl -inform DER -in "$WORK/root.crl" -CAfile "$(crt root)" -noout
		said "verify OK"
	done
	answers issuing-2 "$WORK/changed.pem" good
	eventually grep -q 'event=root_crl ' "$DIR/var/log/hufu-ra.log"
	desk_says "$(kept changed)" good

	did root_list revoke-ca 2 "revoke: [{certificate: etc/hufu/issuing-2.crt, reason: keyCompromise, when: $(date -u +%FT%TZ)}]"
	root_serves "$DIR/etc/hufu/root-2.crl"
	eventually answers issuing-2 "$WORK/changed.pem" revoked
	grep -q "Reason: cACompromise" "$WORK/said"
	answers issuing-2 "$WORK/new2.pem" revoked # before that, and for a reason of its own
	grep -q "Reason: superseded" "$WORK/said"
	answers issuing "$WORK/new1.pem" revoked # by another CA
	grep -q "Reason: superseded" "$WORK/said"
	same "$(heard state "/$(kept changed)")/$(heard reason "/$(kept changed)")" revoked/cACompromise
	same "$(heard state "?sha256=$(openssl x509 -in "$WORK/changed.pem" -outform DER | sha256sum | cut -d' ' -f1)")" revoked
	same "$(curl -sf "http://$ADMIN/metrics" | grep -E '^hufu_gate_issuers_revoked ')" "hufu_gate_issuers_revoked 1"
	eventually desk_says "$(kept changed)" revoked/cACompromise
	desk_says "$(kept serial2)" revoked/superseded
	desk_says "$(kept serial1)" revoked/superseded
	same "$(as org0 hufu --json cert list | jq -r --arg s "$(kept changed)" '.[] | select(.serial == $s).state')" revoked
	refused predecessor_revoked prepare org0 --kind extend --way same-key --months 12 --order "$(paid_order org0 20500)" "$(kept changed)"
	grep -q "the root has revoked a CA" < <(hufu health)
	# What a client finds by the path alone.
	served "crl/$id/full.crl" root.crl
	openssl crl -inform DER -in "$WORK/root.crl" -out "$WORK/root.pem"
	crl_of issuing-2
	run openssl verify -crl_check_all -CAfile "$(crt root)" -untrusted "$(crt issuing-2)" -CRLfile "$WORK/root.pem" -CRLfile "$WORK/issuing-2.crl" "$WORK/changed.pem"
	said "certificate revoked"

	root_serves "$DIR/etc/hufu/root-1.crl"
	eventually grep -q 'root_crl_unused.*crl_older' "$WORK/gate.log"
	answers issuing-2 "$WORK/changed.pem" revoked
	eventually grep -q 'root_crl_unused.*crl_older' "$DIR/var/log/hufu-ra.log"
	desk_says "$(kept changed)" revoked/cACompromise
	gate_down -KILL
	killed
	rm "$DIR/etc/hufu/served.crl"
	up
	desk_says "$(kept changed)" revoked/cACompromise
	gate_up
	eventually answers issuing-2 "$WORK/changed.pem" revoked
	openssl crl -in "$WORK/issuing-2.crl" -out "$WORK/other.crl"
	root_serves "$WORK/other.crl"
	eventually grep -q 'root_crl_unused.*crl_issuer' "$WORK/gate.log"
	answers issuing-2 "$WORK/changed.pem" revoked
	eventually grep -q 'root_crl_unused.*crl_issuer' "$DIR/var/log/hufu-ra.log"
	desk_says "$(kept changed)" revoked/cACompromise
	gate_down
	sed -i '/^root_certificate/d' "$WORK/gate.yaml" "$DIR/etc/hufu/ra.yaml"
	fails 4 "root_crl wants the root's certificate" "$gate" --config "$WORK/gate.yaml"
	fails 4 "root_crl wants the root's certificate" "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml"
}
