# Foreign verifiers as functions: cases on standard input (matrix.py says their form), verdicts on standard output. Works in $WORK.

# say NAME VERDICT WORDS
say() { printf '%s\t%s\t%s\n' "$1" "$2" "$(tr '\n\t' '; ' <<<"$3")"; }

by_openssl() {
	local name root issuing cert crl above options said
	while IFS=$'\t' read -r name root issuing cert crl above; do
		options=(-x509_strict -CAfile "$root")
		[ "$issuing" = - ] || options+=(-untrusted "$issuing")
		[ -z "$crl" ] || options+=(-crl_check_all -CRLfile "$crl" -CRLfile "$above")
		if said=$(openssl verify "${options[@]}" "$cert" 2>&1); then
			say "$name" good ''
		elif [[ "$said" == *'certificate revoked'* ]]; then
			say "$name" revoked "$said"
		else
			say "$name" bad "$said"
		fi
	done
}

by_gnutls() {
	local name root issuing cert crl above options said
	while IFS=$'\t' read -r name root issuing cert crl above; do
		options=(--load-ca-certificate "$root")
		if [ "$issuing" = - ]; then cat "$cert"; else cat "$cert" "$issuing"; fi >"$WORK/gnutls.pem"
		if [ -n "$crl" ]; then
			{ openssl crl -inform DER -in "$crl" && openssl crl -inform DER -in "$above"; } >"$WORK/gnutls.crl"
			options+=(--load-crl "$WORK/gnutls.crl")
		fi
		if said=$(certtool --verify "${options[@]}" --infile "$WORK/gnutls.pem" 2>&1); then
			say "$name" good ''
		elif [[ "$said" == *'certificate chain is revoked'* ]]; then
			say "$name" revoked "$said"
		else
			say "$name" bad "$said"
		fi
	done
}

# nss_database DIR ROOT ISSUING [CRL ABOVE]: fails when it cannot take one of them. Without the CRL, it would call everything good.
nss_database() {
	certutil -N -d "sql:$1" --empty-password && certutil -A -d "sql:$1" -n root -t CT,C,C -i "$2" || return 1
	[ "$3" = - ] || certutil -A -d "sql:$1" -n issuing -t ,, -i "$3" || return 1
	[ -z "$4" ] || { crlutil -I -d "sql:$1" -i "$5" -t 1 && crlutil -I -d "sql:$1" -i "$4" -t 1; }
}

# A certificate for client authentication. One database for each CA and its CRLs.
by_nss() {
	local name root issuing cert crl above said dir='' last='' n=0 usable=0
	while IFS=$'\t' read -r name root issuing cert crl above; do
		if [ "$last" != "$root $issuing $crl" ]; then
			last="$root $issuing $crl" n=$((n + 1)) dir=$WORK/nss.$n usable=1
			mkdir "$dir"
			nss_database "$dir" "$root" "$issuing" "$crl" "$above" >"$dir/log" 2>&1 || usable=0
		fi
		if [ $usable = 0 ]; then
			say "$name" bad "$(cat "$dir/log")"
		elif ! said=$(certutil -A -d "sql:$dir" -n "$name" -t ,, -i "$cert" 2>&1); then
			say "$name" bad "$said"
		elif said=$(certutil -V -d "sql:$dir" -n "$name" -u C -e 2>&1) && [[ "$said" == *'certificate is valid'* ]]; then
			say "$name" good ''
		elif [[ "$said" == *'Certificate has been revoked'* ]]; then
			say "$name" revoked "$said"
		else
			say "$name" bad "$said"
		fi
	done < <(sort -t $'\t' -k 2,3 -k 5,5)
}

by_mbedtls() { "$WORK/verify_mbedtls"; }
by_go() { "$WORK/verify_go"; }
by_java() { java "${jvm[@]}" -cp "$java_path" Verify cases jdk; }
by_bouncycastle() { java "${jvm[@]}" -cp "$java_path" Verify cases bouncycastle; }

java_path=$WORK:/usr/share/java/bcprov.jar:/usr/share/java/bcpkix.jar:/usr/share/java/bcutil.jar

# build_verifiers: those that are programs of ours over a library, into $WORK.
build_verifiers() {
	javac "${jvm[@]/#/-J}" -cp "$java_path" -d "$WORK" "$BATS_TEST_DIRNAME/Verify.java" "$BATS_TEST_DIRNAME/Sm2.java"
	GO111MODULE=off GOPROXY=off GOCACHE=$WORK/go go build -o "$WORK/verify_go" "$BATS_TEST_DIRNAME/verify.go"
	cc -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$WORK/verify_mbedtls" "$BATS_TEST_DIRNAME/verify_mbedtls.c" -lmbedx509 -lmbedcrypto
}
