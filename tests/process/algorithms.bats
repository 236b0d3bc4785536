#!/usr/bin/env bats
# SM2, Ed25519 and P-384 through the desk, under a CA whose keys are SM2: a P-256 certificate is re-keyed to each, and then changed by a tally that
# the new key proves, once with `hufu` and once by a signature that openssl made.

load ../live

kinds=(sm2 ed25519 p384)
id=1234567812345678 # SM2's, everybody's

# new_key KIND: KIND.key and KIND.csr, by openssl.
new_key() {
	local options=() sm2=()
	case $1 in
	p384) options=(-algorithm EC -pkeyopt ec_paramgen_curve:P-384) ;;
	sm2) options=(-algorithm SM2) sm2=(-sm3 -sigopt "distid:$id") ;;
	ed25519) options=(-algorithm ed25519) ;;
	esac
	openssl genpkey "${options[@]}" -out "$WORK/$1.key" 2>/dev/null
	openssl req -new -key "$WORK/$1.key" "${sm2[@]}" -subj "/CN=whatever the applicant writes" -out "$WORK/$1.csr"
}

# signed KIND TEXT SIGNATURE: by openssl, as another tool would.
signed() {
	case $1 in
	p384) openssl dgst -sha384 -sign "$WORK/$1.key" -out "$3" "$2" ;;
	sm2) openssl dgst -sm3 -sign "$WORK/$1.key" -sigopt "distid:$id" -out "$3" "$2" ;;
	ed25519) openssl pkeyutl -sign -rawin -inkey "$WORK/$1.key" -in "$2" -out "$3" ;;
	esac
}

# under_sm2 FILE: one signature of the chain, since openssl gives the id to one certificate alone.
under_sm2() { openssl verify -x509_strict -partial_chain -trusted "$DIR/etc/hufu/issuing.crt" -vfyopt "distid:$id" "$1"; }

serial_for() { # KIND
	case $1 in
	sm2) echo 74C2008800000E01 ;;
	ed25519) echo 74C2008800000E02 ;;
	p384) echo 74C2008800000E03 ;;
	esac
}

setup_file() {
	live_begin
	old_authority
	csv_begin
	local kind n=0 codes=(105P 113J 121D)
	for kind in "${kinds[@]}"; do
		n=$((n + 1))
		old_cert "$kind" "$(serial_for $kind)" "杭州算法${n}示例有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row "91330100MAHUFU${codes[n - 1]}" "杭州算法${n}示例有限公司" 2060$n "+200 days" "杭州算法${n}示例有限公司" "$(serial_for $kind)" "$kind"
		new_key $kind
	done
	old_crl
	init --algorithm sm2 >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	n=0
	for kind in "${kinds[@]}"; do
		n=$((n + 1))
		at_home $kind "91330100MAHUFU${codes[n - 1]}"
		paid_order $kind 2060$n >"$WORK/$kind.order"
	done
}

teardown_file() { live_end; }

@test "re-keyed to SM2, Ed25519, P-384: proved by the old key and the new one, approved, issued by the SM2 CA" {
	local kind request
	for kind in "${kinds[@]}"; do
		request=$(prepared $kind --kind extend --way new-key --months 12 --order "$(cat "$WORK/$kind.order")" --files no --csr "$WORK/$kind.csr" "$(serial_for $kind)")
		refused subscriber_signature as $kind hufu request prove --key "$WORK/$kind.key" --yes "$request" # not the certificate's
		did as $kind hufu request prove --key "$WORK/old/$kind.key" --new-key "$WORK/$kind.key" --yes "$request"
		as $kind hufu request submit "$request"
		approved alice "$request"
		issued_to $kind "$request" "$kind.first" >"$WORK/$kind.serial"
		did under_sm2 "$WORK/$kind.first.pem"
		same "$(public_key "$WORK/$kind.first.pem")" "$(openssl pkey -in "$WORK/$kind.key" -pubout)"
	done
}

change() { # KIND NAME: prepared; prints the request
	local five
	mapfile -t five < <(five_materials)
	prepared "$1" --kind change --way name-or-code --files no --accept-notice --subject "O=$2" --subject "CN=$2" "${five[@]}" "$(cat "$WORK/$1.serial")"
}

@test "changed by a tally that the key proves with a signature made elsewhere; SM2 with another id is none" {
	local kind request
	for kind in "${kinds[@]}"; do
		request=$(change $kind "杭州算法新名$kind")
		did as $kind hufu request text --out "$WORK/$kind.txt" "$request"
		signed $kind "$WORK/$kind.txt" "$WORK/$kind.sig"
		sed 's/^made: /made:  /' "$WORK/$kind.txt" >"$WORK/other.txt"
		signed $kind "$WORK/other.txt" "$WORK/other.sig"
		refused signature_wrong as $kind hufu request prove --signature "$WORK/other.sig" "$request"
		if [ $kind = sm2 ]; then
			openssl dgst -sm3 -sign "$WORK/sm2.key" -sigopt "distid:8765432187654321" -out "$WORK/other.sig" "$WORK/sm2.txt"
			refused signature_wrong as sm2 hufu request prove --signature "$WORK/other.sig" "$request"
			openssl dgst -sm3 -sign "$WORK/sm2.key" -out "$WORK/other.sig" "$WORK/sm2.txt" # openssl's own default: an empty one
			refused signature_wrong as sm2 hufu request prove --signature "$WORK/other.sig" "$request"
		fi
		did as $kind hufu request prove --signature "$WORK/$kind.sig" "$request"
		as $kind hufu request submit "$request"
		approved alice "$request"
		approved bob "$request"
		cp "$WORK/$kind.serial" "$WORK/$kind.first.serial"
		issued_to $kind "$request" "$kind.second" >"$WORK/$kind.serial"
		did under_sm2 "$WORK/$kind.second.pem"
		did hufu tally verify --cert "$WORK/$kind.first.pem" --roster "$DIR/etc/hufu/roster.note" "$WORK/$kind.second.note"
		told 'sub:[^ ]+ .*holds'
	done
}

@test "what was changed is revoked, on a CRL that the SM2 CA signed; what took its place is good" {
	local kind
	did hufu crl --out "$WORK/crl.pem"
	run openssl crl -in "$WORK/crl.pem" -noout -text
	said "Signature Algorithm: SM2-with-SM3"
	for kind in "${kinds[@]}"; do
		same "$(reason_on_crl "$(cat "$WORK/$kind.first.serial")")" AffiliationChanged
		did hufu status "$(cat "$WORK/$kind.first.serial")" "$(cat "$WORK/$kind.serial")"
		told "$(cat "$WORK/$kind.first.serial") +revoked" "$(cat "$WORK/$kind.serial") +good"
	done
	both_live
}

@test "a change by the key itself, through hufu: again good" {
	local kind request
	for kind in "${kinds[@]}"; do
		request=$(change $kind "杭州算法又名$kind")
		did as $kind hufu request prove --key "$WORK/$kind.key" --yes "$request"
		as $kind hufu request submit "$request"
		approved alice "$request"
		approved bob "$request"
		issued_to $kind "$request" "$kind.third" >"$WORK/$kind.serial"
		did under_sm2 "$WORK/$kind.third.pem"
	done
}
