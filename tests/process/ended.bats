#!/usr/bin/env bats
# What leaves Hufu's own circle: the list of what another CA must revoke, and certificates for OCSP responders. On a whole tree; the operator asks
# the signer, past the desk. Each part goes on where the one before ended.

load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	local n codes=(0179 0254 033Y)
	for n in 1 2 3; do
		old_cert "org$n" "74C2008800000F0$n" "杭州旧证示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row 91330100MAHUFU0179 杭州旧证示例1有限公司 2060$n "+200 days" "杭州旧证示例${n}有限公司" "74C2008800000F0$n" "org$n"
	done
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	OLD=$(openssl x509 -in "$WORK/old/zjca-oca2.pem" -noout -ext subjectKeyIdentifier | tail -n1 | tr -d ' :' | tr A-F a-f)
	export OLD
}

teardown_file() { live_end; }

# row SERIAL: its line of the CSV, or nothing.
row() { hufu cert ended | grep "^$1," || true; }

@test "nothing has ended: a header and no line" {
	did hufu cert ended
	same "$output" "serial,issuer,issuer_key_id,subject,not_after,reason,time,cause,successor,tally"
	same "$(hufu --json cert ended)" "[]"
}

@test "an extension that keeps the old certificate ends nothing" {
	id=$(prepared org --kind extend --way same-key --months 12 --order "$(paid_order org 20601)" 74C2008800000F01)
	proved org "$WORK/old/org1.key" "$id" >/dev/null
	issued_to org "$id" extended
	same "$(row 74C2008800000F01)" ""
}

@test "a change ends the adopted one: reason, time, cause, successor, tally" {
	mapfile -t five < <(five_materials)
	id=$(prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州新名示例有限公司 --subject CN=杭州新名示例有限公司 "${five[@]}" \
		74C2008800000F02)
	proved org "$WORK/old/org2.key" "$id" >/dev/null
	approved alice "$id"
	approved bob "$id"
	serial=$(issued_to org "$id" changed)
	run row 74C2008800000F02
	echo "$output"
	told "^74C2008800000F02,\"C=CN[^\"]*ZJCA OCA2\",$OLD,\"[^\"]*杭州旧证示例2有限公司[^\"]*\",20..-..-..T..:..:..Z,affiliationChanged,20..-..-..T..:..:..Z,change name-or-code,$serial,[0-9a-f]{32}\$"
}

@test "a revocation by an officer ends it, past the desk; a compromised key ends every certificate of it" {
	did hufu cert revoke --reason cessationOfOperation --operator --issuer "$OLD" --key "$(key_of carol)" --yes 74C2008800000F03
	run row 74C2008800000F03
	told ",cessationOfOperation,.*,revoke by-officer,,[0-9a-f]{32}\$"
	new=$(openssl x509 -in "$WORK/extended.pem" -noout -serial | cut -d= -f2)
	did hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$new"
	run row 74C2008800000F01
	told ",keyCompromise,.*,key compromised,,[0-9a-f]{32}\$"
	# Our own certificates are on our CRL, not on the list.
	same "$(row "$new")" ""
}

@test "the list is for people and programs: JSON, a file, one issuer, from a time on" {
	same "$(hufu --json cert ended | field 1.cause)" "change name-or-code"
	same "$(hufu --json cert ended | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" 3
	did hufu cert ended --out "$WORK/list.csv"
	said "3 certificates"
	same "$(wc -l <"$WORK/list.csv")" 4
	python3 -c 'import csv, sys; rows = list(csv.DictReader(open(sys.argv[1]))); assert [r["successor"] != "" for r in rows] == [False, True, False], rows' "$WORK/list.csv"
	same "$(hufu cert ended --issuer "$OLD" | wc -l)" 4
	same "$(hufu cert ended --issuer 0000000000000000000000000000000000000000 | wc -l)" 1
	same "$(hufu cert ended --since 2099-01-01T00:00:00Z | wc -l)" 1
	fails 4 "[issuer]" hufu cert ended --issuer zjca
	fails 4 "[since]" hufu cert ended --since yesterday
}

@test "the list is the operator's: the RA's socket does not serve it" {
	run bash -c 'printf "\1\25\0\0\0\0\0\0\0\0" | setpriv --reuid hufu-ra --regid hufu-ra --init-groups env PATH=/usr/bin:/bin python3 "$1" "$2" body' - \
		"$WORK/wire.py" "$DIR/run/hufu/ca/ra.sock"
	[[ "$output" == *message_not_served* ]]
}

@test "responder: not before a quorum has listed its key" {
	openssl ecparam -name prime256v1 -genkey -noout -out "$WORK/ec.key"
	openssl pkcs8 -topk8 -nocrypt -in "$WORK/ec.key" -out "$WORK/ocsp.key"
	openssl pkey -in "$WORK/ocsp.key" -pubout -out "$WORK/ocsp.pub"
	refused responder_unknown hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/ocsp.crt"
	[ ! -e "$WORK/ocsp.crt" ]
	fails 4 roster_add hufu roster note --add responder:ocsp-1 "$WORK/2.note"
	fails 4 roster_add hufu roster note --add ocsp:ocsp-1="$WORK/ocsp.pub" "$WORK/2.note"
	did hufu roster note --add responder:ocsp-1="$WORK/ocsp.pub" "$WORK/2.note"
	grep -q '^member: responder ocsp-1 .* \* responder$' "$WORK/2.note"
	hufu roster sign --yes --key "$(key_of alice)" "$WORK/2.note" >/dev/null
	refused quorum hufu roster submit "$WORK/2.note"
	hufu roster sign --yes --key "$(key_of bob)" "$WORK/2.note" >/dev/null
	did hufu roster submit "$WORK/2.note"
}

@test "responder: a week, OCSPSigning alone, no-check; it answers and openssl believes it" {
	did hufu --dry-run responder renew --key "$WORK/ocsp.key" --out "$WORK/ocsp.crt"
	said "kind: responder"
	[ ! -e "$WORK/ocsp.crt" ]
	did hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/ocsp.crt"
	verified "$WORK/ocsp.crt"
	run openssl x509 -in "$WORK/ocsp.crt" -noout -text
	said "OCSP responder ocsp-1" "OCSP No Check" "Digital Signature"
	same "$(grep -A1 'Extended Key Usage' <<<"$output" | tail -n1 | tr -d ' ')" OCSPSigning
	same $(($(ends "$WORK/ocsp.crt") - $(seconds "$(openssl x509 -in "$WORK/ocsp.crt" -noout -startdate | cut -d= -f2)"))) $((7 * 86400))
	printf 'V\t%s\t\t%s\tunknown\t/CN=x\n' "$(date -u -d '+1 year' +%y%m%d%H%M%SZ)" "$(openssl x509 -in "$WORK/changed.pem" -noout -serial | cut -d= -f2)" >"$WORK/index.txt"
	openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -cert "$WORK/changed.pem" -no_nonce -reqout "$WORK/ocsp.req" >/dev/null
	openssl ocsp -index "$WORK/index.txt" -CA "$DIR/etc/hufu/issuing.crt" -rsigner "$WORK/ocsp.crt" -rkey "$WORK/ocsp.key" -reqin "$WORK/ocsp.req" \
		-respout "$WORK/ocsp.resp" >/dev/null
	cat "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing.crt" >"$WORK/chain.pem"
	did openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -cert "$WORK/changed.pem" -CAfile "$WORK/chain.pem" -no_nonce -respin "$WORK/ocsp.resp"
	said "Response verify OK" "changed.pem: good"
	both_live
}

@test "responder: the desk follows the ledger past it, and a roster without the key ends it" {
	caught_up() { hufu --json health --desk | field desk.lag | grep -qx 0; }
	eventually caught_up
	cp "$WORK/2.note" "$DIR/etc/hufu/roster.note"
	hufu roster note --remove ocsp-1 "$WORK/3.note" >/dev/null
	hufu roster sign --yes --key "$(key_of alice)" "$WORK/3.note" >/dev/null
	hufu roster sign --yes --key "$(key_of bob)" "$WORK/3.note" >/dev/null
	did hufu roster submit "$WORK/3.note"
	refused responder_unknown hufu responder renew --key "$WORK/ocsp.key" --out "$WORK/ocsp.crt"
}
