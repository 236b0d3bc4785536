#!/usr/bin/env bats
# A gate whose responder's key is in a PKCS#11 token (SoftHSM): made there by a ceremony, listed, used inside the gate's walls, lost and found again.
# One story: each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../gate
load ../hsm

setup_file() {
	gate_begin p256
	tokens_begin
	SERIAL=$(token_made GATE 86420864)
	export SERIAL
	echo 86420864 >"$WORK/pin"
	"$hufu" officer key --plain --out "$WORK/operator.key" operator >/dev/null
	configure
	ceremony ocsp-1 p256
	install -o hufu-gate -m 600 "$WORK/pin" "$WORK/gate/pin"
	chown -R hufu-gate "$WORK/tokens"
	chmod 700 "$WORK/tokens"
	gate_configure "pkcs11:token=GATE;serial=$SERIAL;object=ocsp-1"
	cp "$WORK/ocsp-1.pub" "$WORK/ocsp.pub"
	responder_listed
}

teardown_file() {
	gate_down
	live_end
}

# ceremony NAME ALGORITHM: the responder's key is born in the token.
ceremony() {
	cat >"$WORK/$1.yaml" <<-YAML
		kind: responder
		name: $1
		key: {algorithm: $2, token: "pkcs11:serial=$SERIAL;object=$1?module-path=$FRONT"}
		outputs: {key: $1.key, public: $1.pub, transcript: $1.note}
	YAML
	"$hufu" ceremony run --yes --dir "$WORK" --operator-key "$WORK/operator.key" --passphrase-fd 4 "$WORK/$1.yaml" 4<"$WORK/pin" >"$WORK/$1.log" 2>&1 || { cat "$WORK/$1.log"; return 1; }
}

# gate_configure URI [PIN-FILE]
gate_configure() {
	sed -i '/^responder:/d; /^token:/,$d' "$WORK/gate.yaml"
	cat >>"$WORK/gate.yaml" <<-YAML
		responder: {keys: ["$1"], pin: ${2:-$WORK/gate/pin}}
		token:
		  module: $FRONT
		  timeout_ms: 1500
		  read: [$SOFTHSM2_CONF, $WORK/control]
		  write: [$WORK/tokens]
	YAML
}

gate_log() { cat "$WORK/gate.log"; }
# A nonce is signed for the request alone.
signs() { nonce_says good; }

@test "the ceremony made the key in the token, and no file of it" {
	grep -q "made in token GATE, serial $SERIAL, .*; key ocsp-1: CKA_LOCAL true, .* CKA_EXTRACTABLE false, CKA_NEVER_EXTRACTABLE true" "$WORK/ocsp-1.note"
	same "$(cat "$WORK/ocsp-1.key")" "pkcs11:serial=$SERIAL;object=ocsp-1?module-path=$FRONT"
	did "$hufu" ceremony verify --dir "$WORK" --all --file "$WORK/ocsp-1.yaml" "$WORK/ocsp-1.note"
	run grep -rl 86420864 "$WORK/ocsp-1.log" "$WORK/ocsp-1.note" "$WORK/ocsp-1.key" "$WORK/ocsp-1.pub"
	[ "$status" = 1 ]
}

@test "inside its walls the gate gets its certificate and answers by the token's key: openssl, curl and gnutls believe it" {
	gate_up
	gate_log | grep -q 'event=sandbox seccomp=1'
	gate_certificate
	eventually ready || { tail -n 5 "$WORK/gate.log"; false; }
	all_say good
	run openssl ocsp -respin "$WORK/answer.der" -noverify -resp_text
	said "OCSP responder ocsp-1"
	run grep -r 86420864 "$WORK/gate.log" "$WORK/gate/state"
	[ "$status" = 1 ]
}

@test "pulled out and plugged in again, and its daemon started anew: the request that meets it is answered all the same" {
	control kill=1
	did signs
	gate_log | grep -q 'event=token_session_lost'
	control stop=1
	eventually signs
}

@test "gone, or another token in its place: what is kept is still told, the rest is tryLater, and it comes back" {
	all_say good
	control kill=2 serial=4711
	run ask -cert "$WORK/org.pem"
	said "trylater"
	gate_log | grep -q "event=token_lost.*no token with serial"
	did openssl_says good
	control kill=2
	eventually signs
	gate_log | grep -q 'event=token_back'
}

@test "a library that is stuck costs a second and a half, and not the gate" {
	control C_Sign=hang
	run ask -cert "$WORK/org.pem"
	said "trylater"
	did healthy
	did openssl_says good
	control
	eventually signs
}

# --- started alone, with what is wrong at the start

alone() { setpriv --reuid hufu-gate --regid hufu-gate --init-groups "$gate" --config "$WORK/gate.yaml"; }

@test "a wrong PIN, a missing key, another token and a key that could leave end the start with a clear word" {
	local good="pkcs11:token=GATE;serial=$SERIAL;object=ocsp-1"
	gate_down
	install -o hufu-gate -m 600 <(echo 0000) "$WORK/gate/wrong"
	gate_configure "$good" "$WORK/gate/wrong"
	fails 1 "the PIN is wrong" alone
	[[ "$output" != *0000* ]]
	gate_configure "pkcs11:serial=$SERIAL;object=nobody"
	fails 1 "0 public keys have that label" alone
	gate_configure "pkcs11:serial=0000;object=ocsp-1"
	fails 1 "no token with serial" alone
	gate_configure "$good"
	HUFU_TEST_LIE=extractable fails 1 "found CKA_EXTRACTABLE true, wanted a key that cannot leave its token" alone
	gate_configure "pkcs11:object=ocsp-1"
	fails 4 "wanted what names a key" alone
	gate_configure "$good?pin-value=1"
	fails 4 "a PIN has no place" alone
	gate_configure "$good"
	sed -i '/^token:/,$d' "$WORK/gate.yaml"
	fails 4 "wants its PKCS#11 library" alone
	gate_configure "$good"
	sed -i 's/, pin: [^}]*//' "$WORK/gate.yaml"
	fails 4 "a key in a token wants its PIN" alone
	CREDENTIALS_DIRECTORY=$WORK/gate fails 1 "responder-pin" alone
}
