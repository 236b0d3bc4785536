#!/usr/bin/env bats
# Ceremonies on PKCS#11 tokens (SoftHSM) with the real programs: a hierarchy whose keys are all in tokens; what a token can do wrong; and what is in it when a
# run ends before its end: nothing of that run, and never a key that nobody knows of.

bats_require_minimum_version 1.5.0
load ../live
load ../hsm

setup_file() {
	WORK=$(new_dir)
	export WORK
	mkdir "$WORK/ca"
	"$hufu" officer key --plain --out "$WORK/operator.key" operator >/dev/null
	echo 13571357 >"$WORK/root-pin"
	echo 24682468 >"$WORK/pin"
	tokens_begin
	ROOT=$(token_made ROOT 13571357)
	SERIAL=$(token_made KEYS 24682468)
	export ROOT SERIAL
}

teardown_file() { rm -rf "$WORK"; }

setup() { control; }

day() { date -u -d "$1" +%FT00:00:00Z; }

# uri SERIAL OBJECT
uri() { echo "pkcs11:serial=$1;object=$2?module-path=$FRONT"; }

# ceremony NAME: run without a question; the file is $WORK/NAME.yaml. PIN=… and ISSUER_PIN=…: files of them.
ceremony() {
	${by:-} "$hufu" ceremony run ${yes---yes} --dir "$WORK/ca" --operator-key "$WORK/operator.key" --passphrase-fd 4 --issuer-passphrase-fd 5 \
		"$WORK/$1.yaml" 4<"${PIN:-$WORK/pin}" 5<"${ISSUER_PIN:-$WORK/root-pin}"
}

# written NAME ALGORITHM OBJECT: the file of a ceremony that makes a responder's key in KEYS.
written() {
	cat >"$WORK/$1.yaml" <<-YAML
		kind: responder
		name: $1
		key: {algorithm: $2, token: "$(uri "$SERIAL" "$3")"}
		outputs: {key: $1.key, public: $1.pub, transcript: $1.note}
	YAML
}

keys() { objects KEYS 24682468; }

# nothing_of NAME N: no output, no folder, and N key objects in the token.
nothing_of() {
	[ "$(ls -A "$WORK/ca" | grep -c "^$1\.\|^\.ceremony")" = 0 ] || { ls -A "$WORK/ca"; return 1; }
	same "$(keys)" "$2"
}

@test "root, issuing CA, CRL and responder, every key in a token: openssl believes the chain, anybody the transcripts" {
	cat >"$WORK/root.yaml" <<-YAML
		kind: root
		name: root
		subject: [{attribute: C, value: CN}, {attribute: CN, value: Root CA}]
		key: {algorithm: p384, token: "$(uri "$ROOT" root)"}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+10 years')}
		path_len: 1
		outputs: {certificate: root.crt, key: root.key, transcript: root.note}
	YAML
	cat >"$WORK/issuing.yaml" <<-YAML
		kind: intermediate
		name: issuing
		subject: [{attribute: C, value: CN}, {attribute: CN, value: Issuing CA}]
		key: {algorithm: p256, token: "$(uri "$SERIAL" issuing)"}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+5 years')}
		path_len: 0
		issuer: {certificate: root.crt, key: "$(uri "$ROOT" root)"}
		crl: {number: 1, this_update: $(day '-1 day'), next_update: $(day '+300 days')}
		outputs: {certificate: issuing.crt, key: issuing.key, crl: root.crl, transcript: issuing.note}
	YAML
	cat >"$WORK/crl.yaml" <<-YAML
		kind: crl
		name: crl
		issuer: {certificate: root.crt, key: "$(uri "$ROOT" root)"}
		crl: {number: 2, this_update: $(day '+0 day'), next_update: $(day '+300 days')}
		previous_crl: root.crl
		outputs: {crl: root-2.crl, transcript: crl.note}
	YAML
	written ocsp-1 p256 ocsp-1
	PIN=$WORK/root-pin did ceremony root
	did ceremony issuing
	said "issuer " "made in token KEYS, serial $SERIAL" "the key is in its token"
	did ceremony crl
	did ceremony ocsp-1
	openssl verify -x509_strict -CAfile "$WORK/ca/root.crt" "$WORK/ca/issuing.crt"
	openssl crl -in "$WORK/ca/root.crl" -CAfile "$WORK/ca/root.crt" -noout
	openssl crl -in "$WORK/ca/root-2.crl" -CAfile "$WORK/ca/root.crt" -noout
	for n in root issuing crl ocsp-1; do
		did "$hufu" ceremony verify --dir "$WORK/ca" --all --file "$WORK/$n.yaml" "$WORK/ca/$n.note"
	done
	same "$(keys) $(objects ROOT 13571357)" "4 2"
	run grep -rlE "13571357|24682468" "$WORK/ca"
	[ "$status" = 1 ]
}

@test "what a token can do wrong is said in its word, and nothing is made" {
	local before
	before=$(keys)
	written bad p256 bad
	echo 00000000 >"$WORK/wrong"
	PIN=$WORK/wrong fails 2 "[pin_wrong]" ceremony bad
	nothing_of bad "$before"
	control C_Login=0xa4
	fails 2 "[pin_locked]" ceremony bad
	control C_GenerateKeyPair=0x31
	fails 1 "[token_full]" ceremony bad
	control
	nothing_of bad "$before"
	HUFU_TEST_WITHOUT=0x1040 fails 1 "[mechanism_missing]" ceremony bad
	HUFU_TEST_LIE=extractable fails 2 "[key_exportable]" ceremony bad
	nothing_of bad "$before"
	control serial=4711
	fails 1 "[token_absent]" ceremony bad
	said "no token with serial \"$SERIAL\""
	control
	nothing_of bad "$before"
	written bad p256 ocsp-1
	fails 1 "has a key \"ocsp-1\" already, id " ceremony bad
	said "nothing was made: delete it there, or name another object" "[key_exists]"
	nothing_of bad "$before"
}

@test "a token that fails at the issuer's key: nothing is made either" {
	local before
	before=$(keys)
	sed "s/name: issuing/name: bad/; s/issuing\\./bad./g; s/root.crl/bad.crl/; s/object=issuing/object=bad/" "$WORK/issuing.yaml" >"$WORK/bad.yaml"
	ISSUER_PIN=$WORK/wrong fails 2 "[pin_wrong]" ceremony bad
	sed -i 's/object=root?/object=nobody?/' "$WORK/bad.yaml"
	fails 1 "[key_not_on_token]" ceremony bad
	# Two keys of one label: none is guessed, and by its id one is found.
	local id
	for id in 0a 0b; do
		pkcs11-tool --module $module --token-label ROOT --login --pin 13571357 --keypairgen --key-type EC:secp384r1 --label twice --id $id >/dev/null
	done
	sed -i 's/object=nobody?/object=twice?/' "$WORK/bad.yaml"
	fails 1 "[key_ambiguous]" ceremony bad
	sed -i 's/object=twice?/object=twice;id=%0b?/' "$WORK/bad.yaml"
	fails 4 "[ca_key_mismatch]" ceremony bad
	nothing_of bad "$before"
}

@test "a no after the key was made: it is deleted again, and the next run makes it" {
	local before
	before=$(keys)
	written half p256 half
	yes='' fails 2 "deleted again, since its ceremony did not come to its end: key \"half\", id " ceremony half < <(printf 'yes\nyes\nno\n')
	nothing_of half "$before"
	did ceremony half
	same "$(keys)" $((before + 2))
}

@test "killed while it waits at any step, and in the moment in which the key is made: the next run deletes it, and makes one" {
	local n before
	before=$(keys)
	for n in 0 1 2 die; do
		written "cut-$n" p256 "cut-$n"
		if [ "$n" = die ]; then
			control C_GenerateKeyPair=die
			run ceremony "cut-$n"
			[ "$status" = 137 ]
			control
		else
			mkfifo "$WORK/answers"
			exec 7<>"$WORK/answers"
			for ((i = 0; i < n; i++)); do echo yes >&7; done
			by=exec yes='' ceremony "cut-$n" <&7 >"$WORK/screen" 2>&1 3>&- 7>&- &
			local pid=$! code=0
			timeout 60 bash -c 'until [ "$(grep -o "(yes or no)" "$1" | wc -l)" -gt "$2" ]; do read -rt 0.1 <> <(:) || :; done' - "$WORK/screen" "$n" || { cat "$WORK/screen"; false; }
			kill -9 "$pid"
			wait "$pid" || code=$?
			[ "$code" = 137 ]
			exec 7>&-
			rm "$WORK/answers"
		fi
		[ "$(ls "$WORK/ca" | grep -c "^cut-$n\.")" = 0 ]
		[ "$n" != 2 ] && [ "$n" != die ] || same "$(keys)" $((before + 2)) # it is there, and nobody's
		did ceremony "cut-$n"
		[ "$n" != 2 ] && [ "$n" != die ] || said "deleted again, since its ceremony did not come to its end: key \"cut-$n\", id "
		before=$((before + 2))
		same "$(keys)" "$before"
		did "$hufu" ceremony verify --dir "$WORK/ca" --all --file "$WORK/cut-$n.yaml" "$WORK/ca/cut-$n.note"
	done
}

@test "a token that is away when the key should be deleted: said, and the next run of the file deletes it" {
	local before
	before=$(keys)
	written away p256 away
	mkfifo "$WORK/answers"
	exec 7<>"$WORK/answers"
	printf 'yes\nyes\n' >&7
	yes='' ceremony away <&7 >"$WORK/screen" 2>&1 3>&- 7>&- &
	local pid=$!
	timeout 60 bash -c 'until [ "$(grep -o "(yes or no)" "$1" | wc -l)" -gt 2 ]; do read -rt 0.1 <> <(:) || :; done' - "$WORK/screen"
	control serial=4711
	echo no >&7
	wait "$pid" || :
	exec 7>&-
	rm "$WORK/answers"
	grep -q "It could not be deleted again: key \"away\", id .*Run the same file again, which does" "$WORK/screen" || { cat "$WORK/screen"; false; }
	control
	same "$(keys)" $((before + 2))
	did ceremony away
	said "deleted again"
	same "$(keys)" $((before + 2))
}

@test "an id of the file's own: what a cut-off run left there is named, and never deleted" {
	local before
	before=$(keys)
	written mine p256 "mine;id=%01%02"
	control C_GenerateKeyPair=die
	run ceremony mine
	[ "$status" = 137 ]
	control
	yes='' fails 1 "has a key \"mine\" already, id 0102" ceremony mine < <(yes yes)
	said "A key that it made may be in the token: delete it there first, and nothing of it counts. Remove"
	same "$(keys)" $((before + 2))
}
