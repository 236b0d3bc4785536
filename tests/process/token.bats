#!/usr/bin/env bats
# The subscriber's proof on a PKCS#11 token (SoftHSM), and by signatures that other tools made (pkcs11-tool, openssl), through both daemons.

load ../live

module=/usr/lib/softhsm/libsofthsm2.so
pin=135790
so_pin=24680246

# on LABEL ARGUMENTS…: pkcs11-tool, logged in.
on() { pkcs11-tool --module $module --token-label "$1" --login --pin $pin "${@:2}"; }

new_token() { softhsm2-util --init-token --free --label "$1" --so-pin $so_pin --pin $pin >/dev/null; }
# new_key LABEL TYPE ID NAME [OPTIONS…]: made on the token.
new_key() { on "$1" --keypairgen --key-type "$2" --id "$3" --label "$4" "${@:5}" >/dev/null; }
serial_of() { pkcs11-tool --module $module -L | grep -A6 "token label *: $1\$" | sed -n 's/.*serial num *: //p'; }

# spki LABEL ID: the public key, PEM; DER in spki.der. By GnuTLS, since pkcs11-tool cannot write one on P-384.
spki() {
	GNUTLS_PIN=$pin p11tool --provider $module --login --export-pubkey --outfile "$WORK/spki.pem" "pkcs11:token=$1;id=%$2;type=public" 2>/dev/null # without a file it waits for 3 s
	openssl pkey -pubin -in "$WORK/spki.pem" -outform DER -out "$WORK/spki.der"
	openssl pkey -pubin -inform DER -in "$WORK/spki.der"
}

# token_cert STEM SERIAL TOKEN ID OUT: the old authority certifies the key on the token, under the names of STEM.csr.
token_cert() {
	cd "$WORK/old" || return 1
	spki "$3" "$4" >"$5.spki"
	openssl x509 -req -in "$1.csr" -force_pubkey "$5.spki" -CA zjca-oca2.pem -CAkey zjca-oca2.key -set_serial "0x$2" -days 60 -sha256 \
		-extfile ca.conf -extensions ee -out "$5.pem" 2>/dev/null
}

# token_csr STEM TOKEN NAME: a request for the key on the token, by certtool.
token_csr() {
	printf 'cn = whatever\nsigning_key\n' >"$WORK/csr.cfg"
	GNUTLS_PIN=$pin certtool --provider $module --generate-request --template "$WORK/csr.cfg" --outfile "$WORK/$1.csr" \
		--load-privkey "pkcs11:token=$2;object=$3;type=private" --load-pubkey "pkcs11:token=$2;object=$3;type=public" >/dev/null 2>&1
}

# organisation NAME N CODE TYPE ID LABEL [OPTIONS…]: token ORG<N> with a key, and its certificate of the old authority.
organisation() {
	local o=杭州令牌$2示例有限公司
	new_token "ORG$2" && new_key "ORG$2" "${@:4}"
	old_cert "$1" "74C2008800000D0$2" $o "91330100MAHUFU$3"
	token_cert "$1" "74C2008800000D0$2" "ORG$2" "$5" "$1"
	csv_row "91330100MAHUFU$3" $o "2050$2" "+200 days" $o "74C2008800000D0$2" "$1"
}

setup_file() {
	live_begin
	export SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir "$WORK/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	new_token BLANK
	new_token TWIN && new_token TWIN
	old_authority
	csv_begin
	organisation one 1 0179 EC:prime256v1 01 signing
	organisation two 2 0254 rsa:2048 07 签名
	organisation three 3 033Y EC:prime256v1 01 guarded --always-auth
	organisation four 4 041R EC:prime256v1 04 signing
	organisation five 5 05XH rsa:2048 0a signing
	organisation six 6 068H EC:prime256v1 01 signing
	organisation seven 7 076C rsa:2048 01 signing
	organisation eight 8 0847 EC:secp384r1 03 signing
	organisation nine 9 0922 EC:secp384r1 09 signing
	organisation ten A 105P EC:prime256v1 0c signing
	old_crl
	init >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	local n=0 who
	for who in one two three four five six seven eight nine; do
		n=$((n + 1))
		at_home $who "$(head -n $((n + 1)) "$WORK/old/accounts.csv" | tail -n 1 | cut -d, -f1)"
		keep $who.order "$(paid_order $who 2050$n)"
	done
	for n in one:1 two:2 three:3 four:4 five:5 eight:8 nine:9; do
		keep "${n%:*}" "$(prepared "${n%:*}" --kind extend --way same-key --months 12 --order "$(kept "${n%:*}.order")" "74C2008800000D0${n#*:}")"
	done
}

teardown_file() { live_end; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# token_prove NAME REQUEST OPTIONS…: the PIN through a descriptor.
token_prove() { as "$1" hufu request prove --yes --module "${front:-$module}" --pin-fd 4 "${@:3}" "$2" 4<<<"${typed:-$pin}"; }
hand_in() { as "$1" hufu request prove "${@:3}" "$2"; }

# No proof has reached the desk.
unproved() {
	as "$1" hufu --json request show "$2" | python3 -c 'import json, sys
r = json.load(sys.stdin)
assert r["state"] in ("drafted", "awaiting_proof"), r["state"]
assert "note" not in r, r["note"]
assert any("proof by the current key" in str(m) for m in r["missing"]), r["missing"]'
}

# faulty ENVIRONMENT… -- COMMAND…: with the token that fails on demand.
faulty() {
	local env=(HUFU_TEST_PKCS11=$module) front=$build/tests/process/pkcs11_fault.so
	while [ "$1" != -- ]; do env+=("$1") && shift; done
	shift
	export "${env[@]}"
	"$@"
}

# --- what must not work, while nothing is proved yet

@test "a wrong PIN is refused, and how the tries stand is said; nothing is sent" {
	id=$(kept one)
	typed=000000 refused pin_wrong token_prove one "$id" --token ORG1
	said "more wrong ones will lock it" # SoftHSM's CKF_USER_PIN_COUNT_LOW
	typed=1 refused pin_wrong token_prove one "$id" --token ORG1
	typed=000000 refused pin_wrong faulty HUFU_TEST_FLAGS=0x20000 -- token_prove one "$id" --token ORG1
	said "another wrong PIN locks the token" # before it is asked for
	said "the PIN is wrong: one try is left, then it locks"
	unproved one "$id"
}

@test "a locked PIN is named: before it is asked for, at the log-in, and when this try locked it" {
	id=$(kept one)
	refused pin_locked faulty HUFU_TEST_FLAGS=0x40000 -- token_prove one "$id" --token ORG1
	refused pin_locked faulty HUFU_TEST_FAULT=C_Login=0xa4 -- token_prove one "$id" --token ORG1
	said "only the token's administrator can set a new one"
	refused pin_unset faulty HUFU_TEST_FAULT=C_Login=0x102 -- token_prove one "$id" --token ORG1
	refused pin_expired faulty HUFU_TEST_FAULT=C_Login=0xa3 -- token_prove one "$id" --token ORG1
	unproved one "$id"
}

@test "the PIN comes from a prompt or a descriptor, never from a word of the command or a URI" {
	id=$(kept one)
	fails 4 "unknown option" as one hufu request prove --yes --module $module --token ORG1 --pin $pin "$id"
	fails 4 "a PIN has no place in a URI" token_prove one "$id" --token-uri "pkcs11:token=ORG1?pin-value=$pin"
	[[ "$output" != *$pin* ]]
	fails 4 "a PIN has no place in a URI" token_prove one "$id" --token-uri "pkcs11:token=ORG1?pin-source=file:$WORK/pass"
	fails 4 "not a descriptor number" as one hufu request prove --yes --module $module --token ORG1 --pin-fd $pin,x "$id"
	fails 4 "no terminal" setsid -w env "XDG_STATE_HOME=$WORK/people/one" "$hufu" request prove --yes --module $module --token ORG1 "$id" </dev/null
	fails 4 "a secret is empty" as one hufu request prove --yes --module $module --token ORG1 --pin-fd 4 "$id" 4</dev/null
	unproved one "$id"
}

@test "the token is the one that is named: absent, two of a name, and URIs" {
	id=$(kept one)
	refused token_absent token_prove one "$id" --token NOBODY
	said 'no token "NOBODY" is plugged in; found "' '" (serial ' ", and 5 more"
	refused token_absent token_prove one "$id" --token ""
	refused token_absent token_prove one "$id" --token-uri "pkcs11:token=ORG1;serial=0000"
	refused token_ambiguous token_prove one "$id" --token TWIN
	refused token_ambiguous token_prove one "$id" --token-uri "pkcs11:token=TWIN"
	refused token_ambiguous token_prove one "$id" --token-uri "pkcs11:"
	fails 4 "must be 'pkcs11:'" token_prove one "$id" --token-uri "token=ORG1"
	fails 4 "wanted what names a token" token_prove one "$id" --token-uri "pkcs11:token=ORG1;object=signing"
	fails 4 "wanted what names a token" token_prove one "$id" --token-uri "pkcs11:token=ORG1;colour=red"
	fails 4 "RFC 7512" token_prove one "$id" --token-uri "pkcs11:token=%zz"
	unproved one "$id"
}

@test "a module that is none is named" {
	id=$(kept one)
	front=$WORK/no.so fails 4 "cannot open shared object" token_prove one "$id" --token ORG1
	front=libc.so.6 fails 4 "no C_GetFunctionList" token_prove one "$id" --token ORG1
	front=$build/tests/process/pkcs11_fault.so fails 4 "C_GetFunctionList answered 0x5" token_prove one "$id" --token ORG1
	SOFTHSM2_CONF=$WORK/missing fails 4 "C_Initialize answered" token_prove one "$id" --token ORG1
}

@test "only the key of the certificate signs: another token's keys never do" {
	id=$(kept one)
	refused key_not_on_token token_prove one "$id" --token BLANK
	said "does not hold the current key, of certificate 74C2008800000D01 (p256); found 0 private keys"
	refused key_not_on_token token_prove one "$id" --token ORG2
	said 'found 1 private keys: "签名"'
	refused key_not_on_token token_prove one "$id" --token ORG3 # the same id, the same curve
	refused key_not_on_token token_prove two "$(kept two)" --token ORG1
	unproved one "$id"
}

@test "an id that two private keys share tells nothing" {
	new_token SHARED && new_key SHARED EC:prime256v1 01 first && new_key SHARED EC:prime256v1 01 second
	new_key SHARED EC:prime256v1 02 third
	id=$(kept one)
	refused key_not_on_token token_prove one "$id" --token SHARED
	# Now the certificate's own public key lies there too, under the shared id.
	spki ORG1 01 >/dev/null
	on SHARED --write-object "$WORK/spki.der" --type pubkey --id 01 --label mine >/dev/null
	refused key_ambiguous token_prove one "$id" --token SHARED
	# Under the id of one key alone, which is another: the signature is found out before anybody sees it.
	on SHARED --write-object "$WORK/spki.der" --type pubkey --id 02 --label mine >/dev/null
	on SHARED --delete-object --type privkey --label first >/dev/null
	refused token_signature token_prove one "$id" --token SHARED
	unproved one "$id"
}

@test "a token that is pulled while it signs: the error says so, nothing is sent, and signing starts again" {
	id=$(kept one)
	for fault in C_Sign=0x32 C_SignInit=0xb3 C_SignInit=0xe0 C_FindObjects=0x32 C_OpenSession=0xe0 C_Sign=0xb0 C_Login=0x32; do
		fails 1 "was pulled out or reset; nothing was sent" faulty HUFU_TEST_FAULT=$fault -- token_prove one "$id" --token ORG1
		said "[token_pulled]"
	done
	fails 1 "C_Sign answered 0x30" faulty HUFU_TEST_FAULT=C_Sign=0x30 -- token_prove one "$id" --token ORG1
	refused token_refused faulty HUFU_TEST_FAULT=C_Sign=0x50 -- token_prove one "$id" --token ORG1
	refused key_use faulty HUFU_TEST_FAULT=C_SignInit=0x68 -- token_prove one "$id" --token ORG1
	unproved one "$id"
	both_live
}

@test "a token that lies is found out before anything is sent" {
	for who in one two; do
		token=$([ $who = one ] && echo ORG1 || echo ORG2)
		for lie in signature length empty; do
			refused token_signature faulty HUFU_TEST_LIE=$lie -- token_prove $who "$(kept $who)" --token "$token"
		done
		unproved $who "$(kept $who)"
	done
}

@test "a mechanism that is missing is named; another that does the same is taken" {
	refused mechanism_missing faulty HUFU_TEST_WITHOUT=0x1041,0x1044 -- token_prove one "$(kept one)" --token ORG1
	said "CKM_ECDSA or CKM_ECDSA_SHA256"
	refused mechanism_missing faulty HUFU_TEST_WITHOUT=0x1,0x40 -- token_prove two "$(kept two)" --token ORG2
	said "CKM_RSA_PKCS or CKM_SHA256_RSA_PKCS"
	unproved one "$(kept one)"
	did faulty HUFU_TEST_WITHOUT=0x1 -- token_prove two "$(kept two)" --token ORG2 --dry-run # by CKM_SHA256_RSA_PKCS
	said "would be proved"
	unproved two "$(kept two)"
}

@test "the words of the command fit together" {
	id=$(kept one)
	fails 4 "how?" as one hufu request prove "$id"
	fails 4 "both name the token" token_prove one "$id" --token ORG1 --token-uri pkcs11:
	fails 4 "goes with --token" as one hufu request prove --module $module --key x "$id"
	fails 4 "goes with --token" as one hufu request prove --pin-fd 4 --key x "$id"
	fails 4 "goes with --signature" as one hufu request prove --raw-ecdsa --key x "$id"
	fails 4 "--out FILE is missing" as one hufu request text "$id"
}

# --- signed elsewhere

@test "hufu request text gives exactly the tally's bytes, and says who signs them" {
	did as one hufu request text --out "$WORK/one.txt" "$(kept one)"
	said "to be signed, byte for byte, by the current key, of certificate 74C2008800000D01 (hufu/ecdsa-sha256)"
	as one hufu --json request show "$(kept one)" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["tally"])' >"$WORK/shown.txt"
	cmp "$WORK/one.txt" "$WORK/shown.txt"
	[[ "$output" == *"$(sha256sum <"$WORK/one.txt" | cut -d' ' -f1)"* ]]
	fails 2 "exist" as one hufu request text --out "$WORK/one.txt" "$(kept one)" # nobody's file is overwritten
	did as two hufu --json request text --out "$WORK/two.txt" "$(kept two)"
	same "$(field keys.0.algorithm <<<"$output")" hufu/rsa-pkcs1-sha256
	did as two hufu --dry-run request text --out "$WORK/dry.txt" "$(kept two)"
	[ ! -e "$WORK/dry.txt" ]
	refused request_unknown as two hufu request text --out "$WORK/dry.txt" "$(kept one)" # somebody else's
}

# signed TOKEN MECHANISM IN OUT [OPTIONS…]
signed() { on "$1" --sign --mechanism "$2" --input-file "$3" --output-file "$4" "${@:5}" >/dev/null 2>&1; }
digest() { openssl dgst -sha256 -binary "$1"; }

@test "a wrong signature file is refused here, with what is wrong with it" {
	cd "$WORK"
	digest one.txt >one.sha256
	signed ORG1 ECDSA one.sha256 one.rs --id 01
	signed ORG1 ECDSA one.sha256 one.der --id 01 --signature-format openssl
	signed ORG2 SHA256-RSA-PKCS two.txt two.sig --id 07
	id=$(kept one)
	fails 1 "DER of r and s (RFC 3279 2.2.3), or --raw-ecdsa" hand_in one "$id" --signature one.rs
	fails 1 "this is DER: leave --raw-ecdsa out" hand_in one "$id" --signature one.der --raw-ecdsa
	base64 one.der >one.b64
	fails 1 "bytes of text (base64 or hex?)" hand_in one "$id" --signature one.b64
	head -c 63 one.rs >short.rs
	fails 1 "found 63 bytes" hand_in one "$id" --signature short.rs --raw-ecdsa
	: >empty
	fails 1 "found 0 bytes" hand_in one "$id" --signature empty
	head -c 5000 /dev/zero >large
	fails 1 "large" hand_in one "$id" --signature large
	head -c 64 /dev/zero >zeros
	refused signature_wrong hand_in one "$id" --signature zeros --raw-ecdsa
	{ cat one.der; printf x; } >longer.der
	fails 1 "[signature_form]" hand_in one "$id" --signature longer.der
	refused file_missing hand_in one "$id" --signature nowhere.sig
	unproved one "$id"
}

@test "a signature over something else is refused here, and what was signed is found out" {
	cd "$WORK"
	id=$(kept one)
	sed 's/$/\r/' one.txt >crlf.txt
	head -c -1 one.txt >cut.txt
	digest one.txt | od -An -v -tx1 | tr -d ' \n' >hex.txt
	digest crlf.txt >crlf.sha256
	digest cut.txt >cut.sha256
	digest one.sha256 >twice.sha256
	digest hex.txt >hex.sha256
	openssl dgst -sha1 -binary one.txt >one.sha1
	openssl dgst -sha512 -binary one.txt | head -c 32 >one.sha512 # what ECDSA takes of it on this curve
	digest two.txt >other.sha256
	while IFS='|' read -r input said; do
		signed ORG1 ECDSA "$input" wrong.rs --id 01
		refused signature_wrong hand_in one "$id" --signature wrong.rs --raw-ecdsa
		said "$said"
		said "nothing was sent"
	done <<-'TABLE'
		crlf.sha256|other line ends (CR LF)
		cut.sha256|without its last line end
		twice.sha256|hashed once more
		hex.sha256|SHA-256 in hex
		one.sha1|made with SHA-1
		one.sha512|made with SHA-512
		other.sha256|by another key, or over another text
	TABLE
	signed ORG3 ECDSA one.sha256 stranger.rs --id 01
	refused signature_wrong hand_in one "$id" --signature stranger.rs --raw-ecdsa
	signed ORG2 SHA512-RSA-PKCS two.txt two.sha512.sig --id 07
	refused signature_wrong hand_in two "$(kept two)" --signature two.sha512.sig
	said "made with SHA-512"
	head -c 255 two.sig >two.short
	fails 1 "256 of a signature of kind rsa" hand_in two "$(kept two)" --signature two.short
	fails 1 "without --raw-ecdsa" hand_in two "$(kept two)" --signature two.sig --raw-ecdsa
	refused signature_wrong hand_in two "$(kept two)" --signature <(head -c 256 /dev/zero)
	fails 4 "given twice" hand_in two "$(kept two)" --signature two.sig --signature two.sig
	unproved one "$id"
	unproved two "$(kept two)"
}

@test "pkcs11-tool signs, hufu hands in: r and s, DER, and RSA; the certificates are issued" {
	cd "$WORK"
	did hand_in one "$(kept one)" --signature one.rs --raw-ecdsa
	said "proof taken"
	did hand_in one "$(kept one)" --signature one.der # again, in the other form: the same answer
	as one hufu request submit "$(kept one)"
	issued_to one "$(kept one)" one.issued
	verified one.issued.pem
	same "$(public_key one.issued.pem)" "$(spki ORG1 01)"
	hand_in two "$(kept two)" --signature two.sig
	as two hufu request submit "$(kept two)"
	issued_to two "$(kept two)" two.issued
	verified two.issued.pem
	same "$(public_key two.issued.pem)" "$(spki ORG2 07)"
}

# --- signed on the token

@test "without a module named, p11-kit's configured ones are searched" {
	did as four hufu --dry-run request prove --yes --pin-fd 4 --token ORG4 "$(kept four)" 4<<<$pin
	said 'signed by token "ORG4"'
	unproved four "$(kept four)"
}

@test "nothing is signed without a yes" {
	refused not_confirmed as four hufu request prove --module $module --token ORG4 --pin-fd 4 "$(kept four)" 4<<<$pin <<<no
	unproved four "$(kept four)"
}

# typed COMMAND…: on a terminal of its own, where a person types yes and the PIN.
typed() {
	python3 - "$pin" "$@" <<-'PY'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[2], sys.argv[2:])
		said = b""
		def wait(words):
		    global said
		    while words not in said:
		        said += os.read(fd, 4096)
		wait(b"Type yes: ")
		os.write(fd, b"yes\n")
		wait(b'PIN of token "ORG4": ')
		os.write(fd, sys.argv[1].encode() + b"\n")
		try:
		    while (more := os.read(fd, 4096)):
		        said += more
		except OSError: # the terminal is gone: the program has ended
		    pass
		sys.stdout.buffer.write(said)
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}

@test "P-256 on a token: the text is shown, yes and the PIN are typed, the certificate is issued" {
	export XDG_STATE_HOME=$WORK/people/four
	did typed "$hufu" request prove --module $module --token ORG4 "$(kept four)"
	said "predecessor: " "74C2008800000D04" 'signed by token "ORG4", key "signing": the current key, of certificate 74C2008800000D04' "proof taken"
	[[ "$output" != *$pin* ]] # not echoed
	as four hufu request submit "$(kept four)"
	issued_to four "$(kept four)" four.issued
	verified "$WORK/four.issued.pem"
	same "$(public_key "$WORK/four.issued.pem")" "$(spki ORG4 04)"
	did hufu tally verify --cert "$WORK/old/four.pem" --roster "$DIR/etc/hufu/roster.note" "$WORK/four.issued.note"
}

@test "RSA-2048 on a token, named by a URI with its own module" {
	did as five hufu request prove --yes --pin-fd 4 --token-uri "pkcs11:serial=$(serial_of ORG5)?module-path=$module" "$(kept five)" 4<<<$pin
	said 'signed by token "ORG5", key "signing"'
	as five hufu request submit "$(kept five)"
	issued_to five "$(kept five)" five.issued
	verified "$WORK/five.issued.pem"
	same "$(public_key "$WORK/five.issued.pem")" "$(spki ORG5 0a)"
}

@test "P-384 on a token, among ten that are plugged in: its own key signs, and the others do not" {
	[ "$(pkcs11-tool --module $module -L | grep -c 'token label *: [^ ]')" -ge 10 ]
	refused key_not_on_token token_prove eight "$(kept eight)" --token ORG9 # the same curve, somebody else's key
	said "does not hold the current key, of certificate 74C2008800000D08 (p384)"
	did token_prove eight "$(kept eight)" --token ORG8
	said 'signed by token "ORG8", key "signing"' "proof taken"
	as eight hufu request submit "$(kept eight)"
	issued_to eight "$(kept eight)" eight.issued
	verified "$WORK/eight.issued.pem"
	same "$(public_key "$WORK/eight.issued.pem")" "$(spki ORG8 03)"
}

@test "P-384 signed by pkcs11-tool over the SHA-384 digest, and over the wrong one" {
	local id
	id=$(kept nine)
	cd "$WORK"
	did as nine hufu request text --out nine.txt "$id"
	said "(hufu/ecdsa-sha384)"
	digest nine.txt >nine.sha256
	openssl dgst -sha384 -binary nine.txt >nine.sha384
	signed ORG9 ECDSA nine.sha256 nine.wrong --id 09
	refused signature_wrong hand_in nine "$id" --signature nine.wrong --raw-ecdsa
	said "made with SHA-256"
	signed ORG9 ECDSA nine.sha384 nine.rs --id 09
	fails 1 "[signature_form]" hand_in nine "$id" --signature nine.rs
	unproved nine "$id"
	did hand_in nine "$id" --signature nine.rs --raw-ecdsa
	as nine hufu request submit "$id"
	issued_to nine "$id" nine.issued
	verified nine.issued.pem
	same "$(public_key nine.issued.pem)" "$(spki ORG9 09)"
}

@test "P-384 and Ed25519 as a new key on a token" {
	local type id
	for type in EC:secp384r1 EC:edwards25519; do
		new_token "KIND-$type" && new_key "KIND-$type" $type 05 next
		token_csr "${type#EC:}" "KIND-$type" next
		id=$(prepared three --kind extend --way new-key --months 12 --order "$(kept three.order)" --files no --csr "$WORK/${type#EC:}.csr" 74C2008800000D03)
		did token_prove three "$id" --token "KIND-$type"
		said "missing: proof by the current key"
		as three hufu request withdraw "$id"
	done
}

@test "a captured desk that names other keys gets no signature" {
	desk() { python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=5).executescript(sys.argv[2])' "$DIR/var/lib/hufu-ra/desk.db" "$1"; }
	local id csr_hex other
	id=$(kept three)
	body() { echo "(SELECT id FROM certs WHERE hex(serial) = '$1')"; }
	# Another certificate under the name of this one, and one of the same serial for another key.
	desk "CREATE TABLE kept_body AS SELECT der FROM cert_bodies WHERE id = $(body 74C2008800000D03)"
	desk "UPDATE cert_bodies SET der = (SELECT der FROM cert_bodies WHERE id = $(body 74C2008800000D01)) WHERE id = $(body 74C2008800000D03)"
	refused proof_certificate token_prove three "$id" --token ORG1
	said "the desk gives certificate 74C2008800000D01, but the tally names 74C2008800000D03: do not sign"
	token_cert three 74C2008800000D03 ORG1 01 forged
	other=$(openssl x509 -in "$WORK/old/forged.pem" -outform DER | od -An -v -tx1 | tr -d ' \n')
	desk "UPDATE cert_bodies SET der = x'$other' WHERE id = $(body 74C2008800000D03)"
	refused proof_certificate token_prove three "$id" --token ORG1
	said "but the tally says"
	desk "UPDATE cert_bodies SET der = (SELECT der FROM kept_body) WHERE id = $(body 74C2008800000D03); DROP TABLE kept_body"
	# Another key in the place of the new one.
	new_key ORG3 EC:prime256v1 02 renewed
	token_csr mine ORG3 renewed
	csr theirs p256
	id=$(prepared three --kind extend --way new-key --months 12 --order "$(kept three.order)" --files no --csr "$WORK/mine.csr" 74C2008800000D03)
	csr_hex=$(openssl req -in "$WORK/theirs.csr" -outform DER | od -An -v -tx1 | tr -d ' \n')
	desk "UPDATE request_texts SET csr = x'$csr_hex' WHERE request = '$id'"
	refused proof_csr token_prove three "$id" --token ORG3
	said "the new key has the hash " "but the tally says"
	as three hufu request withdraw "$id"
	unproved three "$(kept three)"
}

@test "a key that wants the PIN for each signature" {
	did token_prove three "$(kept three)" --token ORG3
	said 'signed by token "ORG3", key "guarded"'
	as three hufu request submit "$(kept three)"
	issued_to three "$(kept three)" three.issued
	verified "$WORK/three.issued.pem"
}

@test "a new key on the same token: one command signs with both, one officer approves" {
	new_key ORG6 EC:prime256v1 02 renewed
	token_csr renewed ORG6 renewed
	id=$(prepared six --kind extend --way new-key --months 12 --order "$(kept six.order)" --files no --csr "$WORK/renewed.csr" 74C2008800000D06)
	did token_prove six "$id" --token ORG6
	said 'key "signing": the current key' 'key "renewed": the new key' "proof taken"
	[[ "$output" != *missing* ]]
	as six hufu request submit "$id"
	approved alice "$id"
	issued_to six "$id" six.renewed
	verified "$WORK/six.renewed.pem"
	same "$(public_key "$WORK/six.renewed.pem")" "$(spki ORG6 02)"
}

@test "a new key on another token, RSA to P-256: one half on its token, the other by pkcs11-tool" {
	new_token NEXT && new_key NEXT EC:prime256v1 05 next
	token_csr next NEXT next
	id=$(prepared seven --kind extend --way new-key --months 12 --order "$(kept seven.order)" --files no --csr "$WORK/next.csr" 74C2008800000D07)
	refused key_not_on_token token_prove seven "$id" --token ORG1
	did token_prove seven "$id" --token ORG7
	said "missing: proof by the new key"
	did as seven hufu request text --out "$WORK/next.txt" "$id"
	said "the current key, of certificate 74C2008800000D07 (hufu/rsa-pkcs1-sha256)" "the new key (hufu/ecdsa-sha256)"
	digest "$WORK/next.txt" >"$WORK/next.sha256"
	signed ORG1 ECDSA "$WORK/next.sha256" "$WORK/not-next.rs" --id 01
	refused signature_wrong hand_in seven "$id" --signature "$WORK/not-next.rs" --raw-ecdsa
	said "does not hold under the new key" # the one that has this form
	signed NEXT ECDSA "$WORK/next.sha256" "$WORK/next.rs" --id 05
	did hand_in seven "$id" --signature "$WORK/next.rs" --raw-ecdsa
	as seven hufu request submit "$id"
	approved alice "$id"
	issued_to seven "$id" seven.next
	verified "$WORK/seven.next.pem"
	same "$(public_key "$WORK/seven.next.pem")" "$(spki NEXT 05)"
	both_live
}

# --- the first log-in

# enters: ten logs in with the initial password, in a session of its own.
enters() { as ten hufu login --password-fd 4 91330100MAHUFU105P 4<<<88888888 || [ $? = 5 ]; }
shows() { as ten hufu account prove --yes --module "${front:-$module}" --pin-fd 4 "$@" 4<<<"${typed:-$pin}"; }
# The desk has taken no proof: agent and number are masked.
masked() {
	did as ten hufu account
	said "agent: 张*" "mobile: 130***0000"
}
unmasked() {
	did as ten hufu account
	said "agent: 张三" "mobile: 1300000000"
}

@test "first log-in: the text, byte for byte, and who may sign it" {
	enters
	did as ten hufu account proof
	said "wanted: key" '"key"' 74C2008800000D0A 杭州令牌A示例有限公司
	as ten hufu account proof --text >"$WORK/login.txt"
	as ten hufu --json account proof | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["text"])' >"$WORK/login.shown"
	cmp "$WORK/login.txt" "$WORK/login.shown"
	grep -q "^identifier: 91330100MAHUFU105P$" "$WORK/login.txt"
	as ten hufu --json account proof | field certificates.0.pem | openssl x509 -noout -pubkey >"$WORK/login.spki"
	same "$(cat "$WORK/login.spki")" "$(spki ORGA 0c)"
	refused session_missing env "XDG_STATE_HOME=$WORK/people/nobody" "$hufu" account proof --text
}

@test "first log-in by a token: a wrong PIN, another's token, a no, a lie send nothing" {
	enters
	typed=000000 refused pin_wrong shows --token ORGA
	refused key_not_on_token shows --token ORG1
	said "does not hold the key of certificate 74C2008800000D0A (p256)"
	refused token_absent shows --token NOBODY
	refused token_signature faulty HUFU_TEST_LIE=signature -- shows --token ORGA
	refused not_confirmed as ten hufu account prove --module $module --token ORGA --pin-fd 4 4<<<$pin <<<no
	fails 4 "wanted --serial" shows --token ORGA --serial 74C2008800000D01
	masked
}

@test "first log-in: the words of the command fit together" {
	enters
	while IFS='|' read -r text words; do
		# shellcheck disable=SC2086 # several words
		fails 4 "$text" as ten hufu account prove $words
	done <<-'TABLE'
		wanted one of|--yes
		wanted one of|--token ORGA --key x
		wanted one of|--signature x --officer-code-fd 4
		wanted one of|--signature x --signature y
		both name the token|--token ORGA --token-uri pkcs11:
		goes with --token|--pin-fd 4 --key x
		goes with --token|--module m --key x
		goes with --signature|--raw-ecdsa --key x
		--serial goes with|--serial 01 --officer-code-fd 4
		unknown option|--token ORGA --pin 135790
	TABLE
	masked
}

@test "first log-in by a token, by its label and by a URI" {
	enters
	did as ten hufu --dry-run account prove --yes --module $module --token ORGA --pin-fd 4 4<<<$pin
	masked
	did shows --token ORGA
	said "purpose: first-log-in" 'signed by token "ORGA", key "signing": the key of certificate 74C2008800000D0A' "proved: key"
	[[ "$output" != *$pin* ]]
	unmasked
	enters
	masked
	did as ten hufu account prove --yes --pin-fd 4 --serial 74C2008800000D0A --token-uri "pkcs11:token=ORGA?module-path=$module" 4<<<$pin
	unmasked
}

@test "first log-in by a signature of pkcs11-tool: wrong ones are refused here, r and s and DER are taken" {
	local shown=(as ten hufu account prove --signature)
	cd "$WORK"
	enters
	as ten hufu account proof --text >login.txt
	digest login.txt >login.sha256
	signed ORGA ECDSA login.sha256 login.rs --id 0c
	signed ORG1 ECDSA login.sha256 stranger.rs --id 01
	refused signature_wrong "${shown[@]}" stranger.rs --raw-ecdsa
	said "by another key, or over another text" "nothing was sent"
	digest login.sha256 >login.twice
	signed ORGA ECDSA login.twice wrong.rs --id 0c
	refused signature_wrong "${shown[@]}" wrong.rs --raw-ecdsa
	said "hashed once more"
	fails 1 "[signature_form]" "${shown[@]}" login.rs
	refused file_missing "${shown[@]}" nowhere.sig
	masked
	did "${shown[@]}" login.rs --raw-ecdsa
	said "proved: key"
	unmasked
	# Of another session, it is over another text.
	enters
	refused signature_wrong "${shown[@]}" login.rs --raw-ecdsa
	as ten hufu account proof --text >login.txt
	digest login.txt >login.sha256
	signed ORGA ECDSA login.sha256 login.der --id 0c --signature-format openssl
	did "${shown[@]}" login.der
	unmasked
	both_live
}

@test "of the token's files one calls on the operating system" {
	run grep -lE '#include <(dlfcn|unistd|fcntl|poll|sys/[a-z]+)\.h>' "$root"/common/token/*.[ch] "$root"/tools/hufu/{token*,signature,proof,proof_way,cmd_prove,cmd_account_prove}.[ch]
	same "$output" "$root/common/token/token_module.c"
}

@test "a reissue's key is born on a token at an officer's machine: the token proves it to the officer's client, another does not" {
	new_token OFFICE
	new_key OFFICE EC:prime256v1 01 born
	new_token EMPTY
	token_csr born OFFICE born
	local m papers=() id serial
	for m in registration-form agent-id-card business-licence risk-notice; do papers+=("--material=$m=$(material "$m")"); done
	serial=$(openssl x509 -in "$WORK/six.renewed.pem" -noout -serial | cut -d= -f2)
	id=$(as six hufu --json request reissue --way damaged --project jinhua --csr "$WORK/born.csr" --files no --accept-notice --key-seen token \
		"${papers[@]}" "$serial" | field request)
	token_prove six "$id" --token OFFICE
	as six hufu request submit "$id"
	seen() { as officer hufu officer approve --yes --key "$(key_of "$1")" --key-seen token --module $module --pin-fd 4 "${@:2}" "$id" 4<<<"${typed:-$pin}"; }
	fails 4 "wants --token LABEL" seen alice
	refused key_not_on_token seen alice --token EMPTY
	typed=000000 refused pin_wrong seen alice --token OFFICE
	did seen alice --token OFFICE
	said "the key is the one on the token"
	did seen bob --token OFFICE
	did seen carol --token OFFICE
	issued_to six "$id" six.born
	verified "$WORK/six.born.pem"
	same "$(public_key "$WORK/six.born.pem")" "$(spki OFFICE 01)"
}
