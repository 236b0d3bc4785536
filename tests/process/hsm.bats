#!/usr/bin/env bats
# The issuing key and the log's key in PKCS#11 tokens (SoftHSM): made there by ceremonies, used by the signer inside its walls, lost and found again.

load ../live
load ../hsm

setup_file() {
	live_begin
	tokens_begin
	SERIAL=$(token_made ISSUING "$(cat "$WORK/pass")")
	export SERIAL
	old_authority
	csv_begin
	organisation one 1 0179
	old_crl
	cp -r "$root/policies" "$WORK/policies"
	sed -i "s|^key: .*|key: {algorithm: p256, token: \"pkcs11:token=ISSUING;serial=$SERIAL;object=issuing?module-path=$FRONT\"}|" \
		"$WORK/policies/ceremonies/issuing.yaml"
	init --policies "$WORK/policies" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	chown -R hufu-ca "$WORK/tokens"
	log_begins
	configure "pkcs11:token=ISSUING;serial=$SERIAL;object=issuing"
	genesis >"$WORK/genesis.log" 2>&1 || { cat "$WORK/genesis.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
}

teardown_file() { live_end; }

# The log's key is born in a token of its own, before the ledger is: the one that `hufu init` began is taken away.
log_begins() {
	LOG=$(token_made LOG 97539753)
	export LOG
	echo 97539753 >"$WORK/log-pin"
	"$hufu" officer key --plain --out "$WORK/operator.key" operator >/dev/null
	cat >"$WORK/log.yaml" <<-Y
	kind: log-key
	name: log
	ca: etc/hufu/issuing.crt
	key: {algorithm: ed25519, token: "pkcs11:serial=$LOG;object=log?module-path=$FRONT"}
	outputs: {key: log.place, public: log.vkey, transcript: etc/hufu/ceremonies/log.note}
	Y
	"$hufu" ceremony run --yes --dir "$DIR" --operator-key "$WORK/operator.key" --passphrase-fd 4 "$WORK/log.yaml" 4<"$WORK/log-pin" >"$WORK/log.log" 2>&1 || { cat "$WORK/log.log"; return 1; }
	rm "$DIR"/var/lib/hufu-ca/ledger.db* "$DIR/var/lib/hufu-ca/log.key"
	install -o hufu-ca -m 600 "$DIR/log.vkey" "$DIR/var/lib/hufu-ca/log.vkey"
	install -o hufu-ca -m 600 "$WORK/log-pin" "$DIR/var/lib/hufu-ca/log.pin"
	cat "$DIR/log.vkey" >"$DIR/etc/hufu/log.vkey"
	chown -R hufu-ca "$WORK/tokens"
}

# as_signer COMMAND…: hufu-ca's own commands, by its user and configuration.
as_signer() { runuser -u hufu-ca -- "$build/ca/hufu-ca" "$@" --config "$DIR/etc/hufu/ca.yaml"; }
genesis() { as_signer genesis --roster "$DIR/etc/hufu/roster.note" --policies "$DIR/etc/hufu/policies"; }

# configure URI: ca.yaml names the key in the token, and what the library opens.
configure() {
	sed -i '/^key:/d; /^log_key/d; /^token:/,$d' "$DIR/etc/hufu/ca.yaml"
	cat >>"$DIR/etc/hufu/ca.yaml" <<-Y
	key: "$1"
	log_key: "pkcs11:serial=$LOG;object=log"
	log_key_pin: var/lib/hufu-ca/log.pin
	token:
	  module: $FRONT
	  sessions: 1
	  timeout_ms: 1500
	  read: [$SOFTHSM2_CONF, $WORK/control]
	  write: [$WORK/tokens]
	Y
}

# organisation NAME N CODE: a key, and its certificate of the old authority.
organisation() {
	local o=杭州令牌$2示例有限公司
	old_cert "$1" "74C2008800000D0$2" $o "91330100MAHUFU$3"
	csv_row "91330100MAHUFU$3" $o "2050$2" "+200 days" $o "74C2008800000D0$2" "$1"
}

ca_log() { cat "$DIR/var/log/hufu-ca.log"; }

# A CRL whose file is gone is made anew: a signature by the token.
sign() {
	rm -f "$DIR/var/lib/hufu-ca/crl/full.crl"
	hufu crl --operator --der --out "$WORK/now.crl"
}

holds() { openssl crl -inform DER -in "$WORK/now.crl" -noout -CAfile "$DIR/etc/hufu/issuing.crt" 2>&1 | grep -q "verify OK"; }

@test "the ceremony made the key in the token, and the transcript says what the token says of it" {
	grep -q "made in token ISSUING, serial $SERIAL, .*; key issuing: CKA_LOCAL true, CKA_SENSITIVE true, CKA_ALWAYS_SENSITIVE true, CKA_EXTRACTABLE false, CKA_NEVER_EXTRACTABLE true" "$DIR/etc/hufu/ceremonies/issuing.note"
	same "$(cat "$DIR/var/lib/hufu-ca/issuing.key")" "pkcs11:token=ISSUING;serial=$SERIAL;object=issuing?module-path=$FRONT"
	openssl verify -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing.crt"
	run grep -r "$(cat "$WORK/pass")" "$DIR/etc" "$DIR/var/log" "$DIR/var/lib/hufu-ca"
	[ "$status" = 1 ]
}

@test "the log's key is in a token of its own: no file has it, and what it signs holds for log.vkey" {
	grep -q "made in token LOG, serial $LOG, .*; key log: CKA_LOCAL true, .* CKA_NEVER_EXTRACTABLE true" "$DIR/etc/hufu/ceremonies/log.note"
	[ ! -e "$DIR/var/lib/hufu-ca/log.key" ]
	did as_signer ledger head
	said "$(cut -d+ -f1 "$DIR/log.vkey")"
	run grep -rl 97539753 "$DIR/etc" "$DIR/var/log"
	[ "$status" = 1 ]
}

@test "the signer works inside its walls: a CRL and an extension by the token's key" {
	ca_log | grep -q 'event=sandbox seccomp=1'
	did sign
	holds
	at_home one 91330100MAHUFU0179
	id=$(prepared one --kind extend --way same-key --months 12 --order "$(paid_order one 20501)" 74C2008800000D01)
	did as one hufu request prove --yes --key "$WORK/old/one.key" "$id"
	as one hufu request submit "$id"
	issued_to one "$id" one.issued
	openssl verify -CAfile "$DIR/etc/hufu/root.crt" -untrusted "$DIR/etc/hufu/issuing.crt" "$WORK/one.issued.pem"
	both_live
}

@test "pulled out and plugged in again: the request that meets it is answered all the same" {
	control kill=1
	did sign
	holds
	ca_log | grep -q 'event=token_session_lost'
	control stop=1
	eventually sign
	holds
	both_live
}

@test "gone, or another token in its place: refused with a clear word, and it is found again" {
	control kill=2 C_GetTokenInfo=0xe0
	fails 3 "the CA key's token does not sign: no token with serial \"$SERIAL\"" sign
	said "[token_lost]"
	fails 3 "does not sign" hufu cert revoke --reason superseded --operator --key "$(key_of alice)" --yes 0102 # before anything is recorded
	control kill=2 serial=4711
	fails 3 "is there; found none at all" sign # looked at again once a second, not for each request
	control kill=2
	eventually sign
	holds
	ca_log | grep -q 'event=token_back'
	both_live
}

@test "a library that is stuck costs a second and a half, and not the signer" {
	control C_Sign=hang
	fails 3 "it has not answered for 1500 ms" sign
	did hufu --json health --signer
	control
	eventually sign
	holds
	both_live
}

@test "what is wrong with the log's key in the configuration is said too" {
	local config=$WORK/wrong-log/etc/hufu/ca.yaml k
	mkdir -p "$WORK/wrong-log/etc/hufu"
	for k in "pkcs11:serial=$SERIAL;object=log|found the token of a CA key" "log.key|wanted a PKCS#11 URI" "pkcs11:object=log|wanted what names a key"; do
		sed "s#^log_key: .*#log_key: \"${k%|*}\"#" "$DIR/etc/hufu/ca.yaml" >"$config"
		fails 4 "${k#*|}" "$build/ca/hufu-ca" --config "$config"
	done
	sed '/^log_key_pin/d' "$DIR/etc/hufu/ca.yaml" >"$config"
	fails 4 "a log key in a token wants its PIN" "$build/ca/hufu-ca" --config "$config"
	sed '/^log_key:/d' "$DIR/etc/hufu/ca.yaml" >"$config"
	fails 4 "a PIN is for a key in a token" "$build/ca/hufu-ca" --config "$config"
}

@test "what is wrong with the configuration is said before anything runs" {
	local config=$WORK/wrong/etc/hufu/ca.yaml k
	mkdir -p "$WORK/wrong/etc/hufu"
	for k in "pkcs11:object=issuing|wanted what names a key" "pkcs11:serial=1;object=k?pin-value=123|a PIN has no place" \
		"pkcs11:serial=1;object=k?module-path=/x|module-path has no effect here"; do
		sed "s#^key: .*#key: \"${k%|*}\"#" "$DIR/etc/hufu/ca.yaml" >"$config"
		fails 4 "${k#*|}" "$build/ca/hufu-ca" --config "$config"
	done
	sed '/^token:/,$d' "$DIR/etc/hufu/ca.yaml" >"$config"
	fails 4 "wants its PKCS#11 library" "$build/ca/hufu-ca" --config "$config"
	sed "s#module: .*#module: $WORK/no.so#" "$DIR/etc/hufu/ca.yaml" >"$config"
	fails 4 "cannot open shared object" "$build/ca/hufu-ca" --config "$config"
}

# --- started alone, with what is wrong at the start

# alone PASSPHRASE-FILE: the signer, until it ends by itself.
alone() { runuser -u hufu-ca -- "$build/ca/hufu-ca" --config "$DIR/etc/hufu/ca.yaml" --passphrase-fd 4 4<"$1"; }

@test "a wrong PIN and a missing key end the start with a clear word" {
	down
	echo 0000 >"$WORK/wrong-pin"
	fails 2 "the PIN is wrong" alone "$WORK/wrong-pin"
	[[ "$output" != *0000* ]]
	configure "pkcs11:token=ISSUING;serial=$SERIAL;object=nobody"
	fails 1 'holds no private key with label' alone "$WORK/pass"
	configure "pkcs11:token=ISSUING;serial=0000;object=issuing"
	fails 1 'no token with serial' alone "$WORK/pass"
	configure "pkcs11:token=ISSUING;serial=$SERIAL;object=issuing"
	install -o hufu-ca -m 600 "$WORK/wrong-pin" "$DIR/var/lib/hufu-ca/log.pin"
	fails 2 "the PIN is wrong" alone "$WORK/pass"
	install -o hufu-ca -m 600 "$WORK/log-pin" "$DIR/var/lib/hufu-ca/log.pin"
	rm "$DIR/var/lib/hufu-ca/log.vkey"
	fails 4 "log.vkey is missing: it says which key of the token is the log's" alone "$WORK/pass"
	run grep -r "$(cat "$WORK/pass")" "$DIR/var/log"
	[ "$status" = 1 ]
}
