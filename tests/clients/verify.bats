#!/usr/bin/env bats
# What Hufu made, in the eyes of foreign tools: OpenSSL, GnuTLS, Java. Good certificates pass, revoked ones do not.

load ../helpers

java_path=/usr/share/java/bcprov.jar # Verify names its provider

setup_file() {
	local d
	d=$(new_dir)
	export WORK=$d
	run_demo "$d/demo"
	export OUT=$d/demo/out
	cat "$OUT/issuing.pem" "$OUT/root.pem" >"$d/chain.pem"
	javac "${jvm[@]/#/-J}" -cp "$java_path" -d "$d" "$BATS_TEST_DIRNAME/Verify.java"
}

teardown_file() { rm -rf "$WORK"; }

openssl_verify() { openssl verify -x509_strict -CAfile "$OUT/root.pem" -untrusted "$OUT/issuing.pem" -crl_check -CRLfile "$OUT/crl.pem" "$1"; }
gnutls_verify() { certtool --verify --load-ca-certificate "$WORK/chain.pem" --load-crl "$OUT/crl.pem" --infile "$1"; }
java_verify() { java "${jvm[@]}" -cp "$WORK:$java_path" Verify "$OUT/root.pem" "$OUT/issuing.pem" "$1" "$OUT/crl.pem"; }

@test "OpenSSL: the changed certificate is good, strictly and with the CRL" {
	run openssl_verify "$OUT/changed.pem"
	echo "$output"
	[ "$status" = 0 ]
}

@test "OpenSSL: the extended certificate is revoked" {
	run openssl_verify "$OUT/extended.pem"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" == *"certificate revoked"* ]]
}

@test "OpenSSL: the extended certificate itself is sound" {
	run openssl verify -x509_strict -CAfile "$OUT/root.pem" -untrusted "$OUT/issuing.pem" "$OUT/extended.pem"
	echo "$output"
	[ "$status" = 0 ]
}

@test "GnuTLS: the changed certificate is good" {
	run gnutls_verify "$OUT/changed.pem"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"Verified. The certificate is trusted"* ]]
}

@test "GnuTLS: the extended certificate is revoked" {
	run gnutls_verify "$OUT/extended.pem"
	echo "$output"
	[[ "$output" == *"revoked"* ]]
	[ "$status" != 0 ]
}

@test "GnuTLS: the CRL verifies under the issuing CA" {
	run certtool --verify-crl --load-ca-certificate "$WORK/chain.pem" --infile "$OUT/crl.pem"
	echo "$output"
	[ "$status" = 0 ]
}

@test "Java: the changed certificate is good" {
	run java_verify "$OUT/changed.pem"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = good ]
}

@test "Java: the extended certificate is revoked" {
	run java_verify "$OUT/extended.pem"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *REVOKED* ]]
}

@test "the CRL gives the reason affiliationChanged and a number" {
	run openssl crl -in "$OUT/crl.pem" -noout -text
	echo "$output"
	[[ "$output" == *"Affiliation Changed"* ]]
	[[ "$output" == *"X509v3 CRL Number"* ]]
}

@test "an extension keeps key and subject; a change keeps the key and names the new code" {
	key() { openssl x509 -in "$1" -noout -pubkey | sha256sum; }
	[ "$(key "$OUT/legacy.pem")" = "$(key "$OUT/extended.pem")" ]
	[ "$(key "$OUT/legacy.pem")" = "$(key "$OUT/changed.pem")" ]
	subject() { openssl x509 -in "$1" -noout -subject -nameopt utf8,sep_comma_plus,-esc_msb; }
	[ "$(subject "$OUT/legacy.pem")" = "$(subject "$OUT/extended.pem")" ]
	[[ "$(subject "$OUT/changed.pem")" == *913301003535355023* ]]
}

@test "the certificate names the final URL of its own CRL shard" {
	serial=$(openssl x509 -in "$OUT/changed.pem" -noout -serial | cut -d= -f2)
	shard=$(((16#${serial: -4}) % 16))
	run openssl x509 -in "$OUT/changed.pem" -noout -ext crlDistributionPoints
	echo "$output"
	[[ "$output" =~ /crl/[0-9a-f]{40}/$shard\.crl ]]
}

@test "tallies verify offline, and a changed byte does not" {
	run "$hufu" tally verify --roster "$WORK/demo/etc/hufu/roster.note" --cert "$OUT/extended.pem" "$OUT/changed.note"
	echo "$output"
	[ "$status" = 0 ]
	sed 's/^validity: add 12 months/validity: add 24 months/' "$OUT/changed.note" >"$WORK/forged.note"
	run "$hufu" tally verify --roster "$WORK/demo/etc/hufu/roster.note" --cert "$OUT/extended.pem" "$WORK/forged.note"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *"DOES NOT HOLD"* ]]
}
