#!/usr/bin/env bats
# What relying parties make of a certificate's life, as the gate tells it: OpenSSL, GnuTLS, curl, Java and NSS, by OCSP and by CRL, for three kinds of CA. Each
# must say what the ledger says. GnuTLS, Java and NSS do not know SM2, and OpenSSL 3.0's client cannot be told SM2's id: there the answer's words count, and
# BouncyCastle looks at the signatures.

bats_require_minimum_version 1.5.0
load ../gate

java_path=/usr/share/java/bcprov.jar:/usr/share/java/bcpkix.jar:/usr/share/java/bcutil.jar

teardown() {
	gate_down
	live_end
}

scene() {
	gate_begin "$1"
	configure
	responder_key
	responder_listed
	gate_up
	gate_certificate >/dev/null
	eventually ready >/dev/null
	openssl x509 -in "$DIR/etc/hufu/root.crt" -out "$WORK/root.pem"
	openssl x509 -in "$DIR/etc/hufu/issuing.crt" -out "$WORK/issuing.pem"
	javac "${jvm[@]/#/-J}" -cp "$java_path" -d "$WORK" "$BATS_TEST_DIRNAME/Ocsp.java"
	mkdir "$WORK/nss"
	certutil -N -d "sql:$WORK/nss" --empty-password
	certutil -A -d "sql:$WORK/nss" -n root -t CT,C,C -i "$WORK/root.pem" &&
		certutil -A -d "sql:$WORK/nss" -n issuing -t ,, -i "$WORK/issuing.pem" &&
		certutil -A -d "sql:$WORK/nss" -n org -t ,, -i "$WORK/org.pem" || [ "$1" = sm2 ]
}

# The CRL as the gate serves it, when it is made from what is known now.
fetch_crl() { curl -sf -o "$WORK/full.der" "http://$HTTP/crl/$ISSUER/full.crl"; }
crl_number() { fetch_crl && openssl crl -inform DER -in "$WORK/full.der" -noout -crlnumber; }
crl_is_new() { [ "$(crl_number)" != "$1" ]; }

java_ocsp() { java "${jvm[@]}" -cp "$WORK:$java_path" Ocsp ocsp "$WORK/root.pem" "$WORK/issuing.pem" "$WORK/org.pem" "http://$HTTP/ocsp"; }
java_crl() { java "${jvm[@]}" -cp "$WORK:$java_path" Ocsp crl "$WORK/root.pem" "$WORK/issuing.pem" "$WORK/org.pem" "$WORK/full.der"; }
# By curl's answer, whose signature BouncyCastle verifies.
bouncy_ocsp() { by_get "$WORK/org.pem" && java "${jvm[@]}" -cp "$WORK:$java_path" Ocsp answer "$WORK/root.pem" "$WORK/issuing.pem" "$WORK/org.pem" "$WORK/answer.der"; }
nss_ocsp() {
	local said
	certutil -A -d "sql:$WORK/nss" -n responder -t ,, -i "$(ls "$WORK"/gate/state/responder-*.crt)"
	said=$(ocspclnt -S org -d "sql:$WORK/nss" -l "http://$HTTP/ocsp" -t responder 2>&1 || true)
	case $said in
	*"has been revoked"*) echo revoked ;;
	*"succeeded"*) echo good ;;
	*) echo "$said" ;;
	esac
}
nss_crl() {
	local said
	crlutil -D -d "sql:$WORK/nss" -n issuing >/dev/null 2>&1 || true
	crlutil -I -d "sql:$WORK/nss" -i "$WORK/full.der" -t 1 >/dev/null 2>&1
	said=$(certutil -V -d "sql:$WORK/nss" -n org -u C -e 2>&1 || true)
	case $said in
	*"has been revoked"*) echo revoked ;;
	*"certificate is valid"*) echo good ;;
	*) echo "$said" ;;
	esac
}

# clients_hear WORD: all of them, by OCSP.
clients_hear() {
	eventually openssl_says "$1"
	nonce_says "$1"
	curl_says "$1"
	gnutls_says "$1"
	same "$(java_ocsp)" "$1"
	same "$(bouncy_ocsp)" "$1"
	same "$(nss_ocsp)" "$1"
}
clients_read() {
	fetch_crl
	same "$(java_crl)" "$1"
	same "$(nss_crl)" "$1"
}

# Later, clients are later too.
openssl() { shifted command openssl "$@"; }
ocsptool() { shifted command ocsptool "$@"; }
java() { shifted command java "$@"; }
certutil() { shifted command certutil "$@"; }
crlutil() { shifted command crlutil "$@"; }
ocspclnt() { shifted command ocspclnt "$@"; }

# What Java and NSS say of the certificate itself: by OCSP, by the CRL.
dated_out() {
	local said
	for said in "$(java_ocsp)" "$(java_crl)" "$(nss_crl)"; do
		grep -qiE 'expired|validity check failed' <<<"$said" || { echo "$said"; return 1; }
	done
}
# expired WORD: more than a year later all hear the last state from a fresh answer, and refuse the certificate for its date.
expired() {
	local number
	number=$(crl_number)
	all_up_shifted $((450 * DAY))
	eventually openssl_says "$1"
	nonce_says "$1"
	curl_says "$1"
	gnutls_says "$1"
	same "$(bouncy_ocsp)" "$1"
	same "$(nss_ocsp)" "$1"
	eventually crl_is_new "$number"
	dated_out
	run openssl verify -CAfile "$WORK/chain.pem" "$WORK/org.pem"
	said "certificate has expired"
}
crl_lists() { openssl crl -inform DER -in "$WORK/full.der" -noout -text | grep -qi "Serial Number: $(serial_of_org)"; }

life() {
	local number
	scene "$1"
	clients_hear good
	clients_read good
	as officer hufu officer hold --as carol "$(serial_of_org)"
	clients_hear revoked
	released
	clients_hear good
	number=$(crl_number)
	hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$(serial_of_org)"
	clients_hear revoked
	eventually crl_is_new "$number"
	clients_read revoked
	crl_lists
	# Its entry drops out, its last state is told on.
	expired revoked
	run crl_lists
	[ "$status" -ne 0 ]
}

@test "a certificate of a P-256 CA: good, held, released, revoked, and expired" { life p256; }
@test "a certificate of an RSA CA: good, held, released, revoked, and expired" { life rsa; }

@test "a good certificate expires: OCSP tells it as it was, every client refuses it for its date" {
	scene p256
	clients_hear good
	expired good
}

@test "a certificate of an SM2 CA: the words by OpenSSL, the signatures by BouncyCastle" {
	scene sm2
	words() {
		openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -cert "$WORK/org.pem" -noverify -url "http://$HTTP/ocsp" >"$WORK/said" 2>&1
		grep -q "org.pem: $1" "$WORK/said"
	}
	eventually words good
	same "$(bouncy_ocsp)" good
	as officer hufu officer hold --as carol "$(serial_of_org)"
	eventually words revoked
	grep -q certificateHold "$WORK/said"
	same "$(bouncy_ocsp)" revoked
	released
	eventually words good
	hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$(serial_of_org)"
	eventually words revoked
	same "$(bouncy_ocsp)" revoked
	all_up_shifted $((450 * DAY))
	eventually words revoked
	same "$(bouncy_ocsp)" revoked
}
