#!/usr/bin/env bats
# Seven CAs, one for each kind of key, laid out by `hufu init` and run by hufu-ca; each issues for every kind of subject's key. Seven foreign
# verifiers say what they think of it. Which of them knows which keys stands in docs/verifiers.md, and is held to here.

load ../helpers

kinds=(p256 p384 ed25519 sm2 rsa rsa-3072 rsa-4096)

# algorithm KIND: for openssl genpkey.
algorithm() {
	case $1 in
	p256) echo -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
	p384) echo -algorithm EC -pkeyopt ec_paramgen_curve:P-384 ;;
	ed25519 | sm2) echo -algorithm "$1" ;;
	rsa) echo -algorithm RSA -pkeyopt rsa_keygen_bits:2048 ;;
	rsa-*) echo -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa-}" ;;
	esac
}
sm2_options() { [ "$1" != sm2 ] || echo -sm3 -sigopt distid:1234567812345678; }

# subject_key KIND: a subject's key and request, by openssl.
subject_key() {
	# shellcheck disable=SC2046 # words
	openssl genpkey $(algorithm "$1") -out "$WORK/keys/$1.key" 2>/dev/null
	# shellcheck disable=SC2046 # words, or none
	openssl req -new -key "$WORK/keys/$1.key" $(sm2_options "$1") -subj "/CN=whatever the applicant writes" -out "$WORK/keys/$1.csr"
}

# imposter KIND: a CA of the same name and key id as the issuing one, with another key of that kind.
imposter() {
	local id
	id=$(openssl x509 -in "$WORK/$1/etc/hufu/issuing.crt" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :')
	printf '%s\n' '[req]' 'distinguished_name = dn' 'string_mask = utf8only' '[dn]' '[x]' 'basicConstraints = critical,CA:TRUE' \
		'keyUsage = critical,keyCertSign,cRLSign' "subjectKeyIdentifier = $id" >"$WORK/$1-out/conf"
	# shellcheck disable=SC2046 # words, or none
	openssl req -x509 -config "$WORK/$1-out/conf" -extensions x -key "$WORK/keys/$1.key" $(sm2_options "$1") -days 3000 \
		-subj "/C=CN/O=Hufu Example/CN=Hufu Example Issuing CA" -out "$WORK/$1-out/imposter.pem"
}

# certification_authority KIND: laid out, run, and every kind of subject served.
certification_authority() {
	"$hufu" init --algorithm "$1" --passphrase-fd 4 "$WORK/$1" 4<"$WORK/pass" >"$WORK/$1.log" 2>&1 || { cat "$WORK/$1.log"; return 1; }
	mkdir "$WORK/$1-out"
	"$build/tests/clients/issue_each" "$WORK/$1" "$WORK/keys" "$WORK/$1-out" "${kinds[@]}" 4<"$WORK/pass" && imposter "$1"
}

# all FUNCTION: of each kind, two at a time.
all() {
	local pids=() kind pid failed=0
	for kind in "${kinds[@]}"; do
		"$1" "$kind" 3>&- &
		pids+=($!)
		[ ${#pids[@]} -lt 2 ] || { wait "${pids[0]}" || failed=1; pids=("${pids[@]:1}"); }
	done
	for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
	return $failed
}

setup_file() {
	WORK=$(new_dir)
	export WORK
	source "$BATS_TEST_DIRNAME/verifiers.bash"
	mkdir "$WORK/keys"
	echo "a passphrase of the tests" >"$WORK/pass"
	all subject_key
	all certification_authority
	build_verifiers
	python3 "$BATS_TEST_DIRNAME/matrix.py" cases "$WORK" >"$WORK/cases"
}

setup() { source "$BATS_TEST_DIRNAME/verifiers.bash"; }

teardown_file() { [ -n "${HUFU_KEEP:-}" ] || rm -rf "$WORK"; }

# as_documented NAME FUNCTION: its verdicts are right, and what it knows is what docs/verifiers.md says.
as_documented() {
	local rows
	"$2" <"$WORK/cases" >"$WORK/$2.verdicts"
	rows=$(python3 "$BATS_TEST_DIRNAME/matrix.py" rows "$1" <"$WORK/$2.verdicts")
	echo "$rows"
	[ "$(grep -A1 -F "$(head -n 1 <<<"$rows")" "$root/docs/verifiers.md")" = "$rows" ]
}

@test "each CA has issued to each kind of key" {
	[ "$(wc -l <"$WORK/cases")" = $((7 * 7 * 4 + 7 * 2)) ]
	local ca subject
	for ca in "${kinds[@]}"; do
		for subject in "${kinds[@]}"; do
			cmp <(openssl x509 -in "$WORK/$ca-out/$subject-good.pem" -noout -pubkey) <(openssl pkey -in "$WORK/keys/$subject.key" -pubout)
		done
	done
}

@test "OpenSSL" { as_documented OpenSSL by_openssl; }
@test "GnuTLS" { as_documented GnuTLS by_gnutls; }
@test "NSS" { as_documented NSS by_nss; }
@test "mbedTLS" { as_documented mbedTLS by_mbedtls; }
@test "Go" { as_documented Go by_go; }
@test "Java" { as_documented Java by_java; }
@test "BouncyCastle" { as_documented BouncyCastle by_bouncycastle; }

@test "the judgement itself: a verifier that takes what it must not, or not what it knows, is found out" {
	local judge=("python3" "$BATS_TEST_DIRNAME/matrix.py" rows Go) verdicts=$WORK/by_go.verdicts change
	"${judge[@]}" <"$verdicts"
	for change in 's/^\(p256\/p384\/revoked\)\trevoked/\1\tgood/' 's/^\(rsa\/rsa\/tampered\)\tbad/\1\tgood/' 's/^\(ed25519\/rsa\/imposter\)\tbad/\1\trevoked/' \
		's/^\(p384\/ed25519\/good\)\tgood/\1\tbad/' 's/^\(p256\/sm2\/revoked\)\tbad/\1\trevoked/' 's/^\(rsa\/p256\/shard-revoked\)\trevoked/\1\tgood/' \
		'/^p256\/p256\/good/d'; do
		sed "$change" "$verdicts" >"$WORK/changed"
		run cmp -s "$verdicts" "$WORK/changed"
		[ "$status" = 1 ] # the line was there
		run "${judge[@]}" <"$WORK/changed"
		[ "$status" = 1 ] || { echo "$change"; false; }
	done
}

# unsigned FILE: its DER; a signature that has no DER of its own (RSA, Ed25519), and in which dumpasn1 may see some by chance, is all zeros.
unsigned() {
	/usr/bin/python3 - "$1" <<-'PY'
		import sys
		der = open(sys.argv[1], "rb").read()
		def body(at):  # of the value there: where it begins and ends
		    n, start = der[at + 1], at + 2
		    if n & 0x80:
		        start, n = start + (n & 0x7F), int.from_bytes(der[start : start + (n & 0x7F)], "big")
		    return start, start + n
		algorithm = body(body(0)[0])[1]
		start, end = body(body(algorithm)[1])
		start += 1  # how many bits of the last octet are none
		if der[start] != 0x30 or body(start)[1] != end:
		    der = der[:start] + bytes(end - start) + der[end:]
		sys.stdout.buffer.write(der)
	PY
}

# hygienic FILE…: DER without a fault. Options of dumpasn1 in $options.
hygienic() {
	local file
	for file in "$@"; do
		unsigned "$file" >"$WORK/unsigned.der" || return 1
		run dumpasn1 -a "${options[@]}" "$WORK/unsigned.der"
		[ "${lines[-1]}" = "0 warnings, 0 errors." ] || { echo "$file: $output"; return 1; }
	done
}

@test "dumpasn1 finds no fault in certificates, CRLs and requests" {
	local ca file options=()
	for ca in "${kinds[@]}"; do
		for file in "$WORK/$ca"/etc/hufu/*.crt "$WORK/$ca-out"/*-{good,revoked}.pem; do
			openssl x509 -in "$file" -outform DER -out "$WORK/$ca-out/$(basename "$file").der"
		done
		[ "$(ls "$WORK/$ca-out"/*.der | wc -l)" = $((2 + 2 * 7)) ]
		hygienic "$WORK/$ca-out"/*.der "$WORK/$ca-out"/*.crl "$WORK/$ca/etc/hufu/root.crl"
		# A request without attributes holds an empty [0] (RFC 2986 4.1), which the tool takes for a fault unless it is told.
		options=(-z)
		hygienic "$WORK/$ca-out"/*.csr
		options=()
	done
	# The tool itself: an integer with a needless zero.
	printf '\x30\x0e\x02\x02\x00\x01\x30\x00\x03\x06\x00\x30\x03\x02\x01\x01' >"$WORK/padded.der"
	run hygienic "$WORK/padded.der"
	[ "$status" = 1 ]
	[[ "$output" = *"0 warnings, 1 error."* ]]
}

# --- SM2

@test "BouncyCastle: SM2 signatures of the whole chain, the CRLs and the request hold by the standard id, and by no other" {
	local sm2=$WORK/sm2/etc/hufu out=$WORK/sm2-out line n=0
	{
		java "${jvm[@]}" -cp "$java_path" Sm2 signed "$sm2/root.crt" "$sm2/root.crt" "$sm2/issuing.crt" "$sm2/root.crl"
		java "${jvm[@]}" -cp "$java_path" Sm2 signed "$sm2/issuing.crt" "$out"/*-good.pem "$out"/*-revoked.pem "$out"/*.crl
		java "${jvm[@]}" -cp "$java_path" Sm2 csr "$out/sm2.csr"
	} >"$WORK/sm2.said"
	cat "$WORK/sm2.said"
	while read -r line; do
		[[ "$line" == *$'\tholds\tdoes not hold\tdoes not hold' ]]
		n=$((n + 1))
	done <"$WORK/sm2.said"
	[ $n = $((3 + 7 + 7 + 15 + 1)) ]
	# A byte of what is signed is another.
	run java "${jvm[@]}" -cp "$java_path" Sm2 signed "$sm2/issuing.crt" "$out/sm2-tampered.pem"
	echo "$output"
	[[ "$output" == *$'\tdoes not hold\tdoes not hold\tdoes not hold' ]]
}

@test "OpenSSL knows the SM2 certificate when it is told the id, and not without" {
	local sm2=$WORK/sm2/etc/hufu
	run openssl verify -x509_strict -partial_chain -trusted "$sm2/issuing.crt" -vfyopt distid:1234567812345678 "$WORK/sm2-out/sm2-good.pem"
	echo "$output"
	[ "$status" = 0 ]
	run openssl verify -x509_strict -partial_chain -trusted "$sm2/issuing.crt" "$WORK/sm2-out/sm2-good.pem"
	echo "$output"
	[ "$status" = 2 ]
	openssl req -inform DER -in "$WORK/sm2-out/sm2.csr" -verify -noout -vfyopt distid:1234567812345678
}

@test "what the strictest SM2 verifiers refuse is not in an SM2 chain" {
	local file text from to
	for file in "$WORK"/sm2/etc/hufu/{root,issuing}.crt "$WORK"/sm2-out/*-{good,revoked}.pem; do
		text=$(openssl x509 -in "$file" -noout -serial -dates -ext basicConstraints,certificatePolicies,crlDistributionPoints 2>&1)
		echo "$text"
		[[ "$text" =~ serial=([0-9A-F]{8,40})$'\n' ]] # four bytes or more
		from=$(date -u -d "$(sed -n 's/^notBefore=//p' <<<"$text")" +%s)
		to=$(date -u -d "$(sed -n 's/^notAfter=//p' <<<"$text")" +%s)
		[ $((to - from)) -gt 0 ]
		[ $((to - from)) -le $((3653 * 86400)) ]
		run grep -E '(Certificate Policies|CRL Distribution Points): critical' <<<"$text"
		[ "$status" = 1 ]
		# An end entity has none; a CA's is critical and not empty.
		if [[ "$file" == *.pem ]]; then [[ "$text" != *"Basic Constraints"* ]]; else [[ "$text" == *"Basic Constraints: critical"*CA:TRUE* ]]; fi
	done
}

@test "keys by GM/T 0015 and RFC 5280: signatures by SM2 with SM3, and what each key may be used for" {
	local ca subject text
	for ca in "${kinds[@]}"; do
		for subject in "${kinds[@]}"; do
			text=$(openssl x509 -in "$WORK/$ca-out/$subject-good.pem" -noout -text)
			case $ca in
			p256) [[ "$text" == *"Signature Algorithm: ecdsa-with-SHA256"* ]] ;;
			p384) [[ "$text" == *"Signature Algorithm: ecdsa-with-SHA384"* ]] ;;
			ed25519) [[ "$text" == *"Signature Algorithm: ED25519"* ]] ;;
			sm2) [[ "$text" == *"Signature Algorithm: SM2-with-SM3"* ]] ;;
			rsa*) [[ "$text" == *"Signature Algorithm: sha256WithRSAEncryption"* ]] ;;
			esac
			case $subject in
			sm2 | rsa*) [[ "$text" == *"Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment"* ]] ;;
			*) [[ "$text" == *$'Digital Signature, Non Repudiation\n'* ]] ;;
			esac
		done
	done
}

@test "hufu init knows its algorithms, and makes nothing for another" {
	run "$hufu" init --algorithm p521 --passphrase-fd 4 "$WORK/p521" 4<"$WORK/pass"
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *'found "p521", wanted p256, p384, ed25519, sm2, rsa, rsa-3072 or rsa-4096'* ]]
	[ ! -e "$WORK/p521" ]
	cp -r "$root/policies" "$WORK/policies"
	sed -i 's/algorithm: p256/algorithm: p384/' "$WORK/policies/ceremonies/root.yaml"
	run "$hufu" init --algorithm sm2 --policies "$WORK/policies" --passphrase-fd 4 "$WORK/p521" 4<"$WORK/pass"
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *"[ceremony_unplaced]"* ]]
	[ -z "$(ls -A "$WORK/p521")" ]
}
