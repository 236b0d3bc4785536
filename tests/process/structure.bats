#!/usr/bin/env bats
# Separation as a fact of what is linked and of which room includes which.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	build=${HUFU_BUILD:-$PWD/build}
}

imports() { nm -D --undefined-only "$1" | awk '{print $NF}' | sed 's/@.*//'; }

@test "hufu-ra imports nothing that could sign a certificate or a CRL" {
	run imports "$build/ra/hufu-ra"
	[ "$status" = 0 ]
	[[ "$output" == *EVP_PKEY_verify* || "$output" == *EVP_DigestVerify* ]] # it does verify: the list is not empty by accident
	run grep -E '^(X509_sign|X509_CRL_sign|EVP_PKEY_sign|EVP_DigestSign|X509_REQ_sign|ASN1_item_sign)' <<<"$output"
	[ "$status" = 1 ] || { echo "imports: $output"; false; }
}

@test "hufu-ca imports no HTTP server, JSON or HTTP client" {
	run imports "$build/ca/hufu-ca"
	[ "$status" = 0 ]
	[[ "$output" == *EVP_PKEY_sign* || "$output" == *EVP_DigestSign* ]] # it does sign
	run grep -E '^(MHD_|json_|curl_)' <<<"$output"
	[ "$status" = 1 ] || { echo "imports: $output"; false; }
}

@test "hufu-ca and hufu-ra link no library beyond their list" {
	# the loader itself is named where a program has variables of a thread
	needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | grep -v '^ld-linux' | sort | tr '\n' ' '; }
	[ "$(needed "$build/ca/hufu-ca")" = "libc libcrypto libseccomp libsodium libsqlite3 libyaml-0 " ] || { needed "$build/ca/hufu-ca"; false; }
	[ "$(needed "$build/ra/hufu-ra")" = "libc libcrypto libjansson libm libnng libpng16 libseccomp libsodium libsqlite3 libyaml-0 libz " ] || { needed "$build/ra/hufu-ra"; false; }
}

@test "hufu-notifier alone talks to the network: hufu-ra has no curl, and it has no database and no key of anybody" {
	run imports "$build/ra/hufu-ra"
	[ "$status" = 0 ]
	run grep -E '^curl_' <<<"$output"
	[ "$status" = 1 ] || { echo "imports: $output"; false; }
	needed=$(readelf -d "$build/ra/notify/hufu-notifier" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | grep -v '^ld-linux' | sort | tr '\n' ' ')
	[ "$needed" = "libc libcrypto libcurl libjansson libnng libseccomp libsodium libyaml-0 " ] || { echo "$needed"; false; }
}

@test "of the programs that run by themselves hufu-gate alone serves HTTP, and has no database" {
	needed=$(readelf -d "$build/ra/gate/hufu-gate" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | grep -v '^ld-linux' | sort | tr '\n' ' ')
	[ "$needed" = "libc libcrypto libjansson libmicrohttpd libnng libseccomp libsodium libyaml-0 " ] || { echo "$needed"; false; }
	run imports "$build/ra/hufu-ra"
	[ "$status" = 0 ]
	run grep -E '^MHD_' <<<"$output"
	[ "$status" = 1 ] || { echo "imports: $output"; false; }
}

@test "rooms include only what lies below them" {
	bad=$(
		check() { # folder, allowed prefixes
			grep -rnE '^#include "' "$1" --include='*.[ch]' | grep -vE "#include \"($2)" || true
		}
		check common/base 'common/base/'
		check common/db 'common/(base|db)/'
		check common/pki 'common/(base|pki)/'
		check common/token 'common/(base|pki|token)/'
		check common/note 'common/(base|pki|note)/'
		check common/policy 'common/(base|pki|note|policy)/'
		check common/rpc 'common/(base|rpc)/'
		check common/receipt 'common/(base|pki|note|receipt|rpc)/'
		check ca 'common/(base|pki|token|note|policy|rpc/(wire|server)|db)|ca/'
		check ra 'common/|ra/'
		check ra/notify 'common/(base|rpc)/|ra/(notify/|bell|mail|mobile|store_outbox)'
		check ra/gate 'common/(base|pki|token|note|receipt|rpc)/|ra/gate/'
		check tools 'common/|tools/' | grep -v '^tools/benchmark/' || true
		check tools/benchmark 'common/|tools/|ra/(store|vault)|ra/gate/table' # a desk of two million certificates is filled by the desk's own store and vault
	)
	[ -z "$bad" ] || { echo "$bad"; false; }
}

@test "only store files of the desk and the ledger hold SQL" {
	# tools/benchmark/cfssl.c lays out the database of the program that is measured beside ours; crls.c gives a ledger a million revocations in a second.
	bad=$(grep -rnE '"(SELECT|INSERT|UPDATE|DELETE|CREATE) ' ca ra tools --include='*.c' | grep -vE '^(ra/store[a-z_]*|ca/(ledger|store)[a-z_]*|tools/benchmark/(cfssl|crls))\.c:' || true)
	[ -z "$bad" ] || { echo "$bad"; false; }
}

@test "programs are position independent, with full relro and no executable stack" {
	for p in ca/hufu-ca ra/hufu-ra tools/hufu; do
		readelf -h "$build/$p" | grep -q 'Type: *DYN'
		readelf -d "$build/$p" | grep -q 'BIND_NOW\|NOW'
		readelf -lW "$build/$p" | grep 'GNU_STACK' | grep -q 'RW '
	done
}

@test "docs/dependencies.md lists what the programs link, no more and no less" {
	local program name library where
	for program in ca/hufu-ca ra/hufu-ra ra/gate/hufu-gate ra/notify/hufu-notifier tools/hufu; do
		readelf -d "$build/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | sed "s|\$| ${program##*/}|"
	done | sort >"$BATS_TEST_TMPDIR/linked"
	sed -n 's/^| `\(lib[^`]*[.]so[^`]*\)` | [^|]* | [^|]* | \([^|]*\) |.*/\1|\2/p' docs/dependencies.md | while IFS='|' read -r library where; do
		[ "$where" != all ] || where="hufu-ca, hufu-ra, hufu-gate, hufu-notifier, hufu"
		for name in ${where//,/}; do echo "$library $name"; done
	done | sort >"$BATS_TEST_TMPDIR/listed"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/listed")" -gt 30 ]
	diff "$BATS_TEST_TMPDIR/linked" "$BATS_TEST_TMPDIR/listed"
}

@test "docs/dependencies.md lists what the build and the browser's tests ask for, no more and no less" {
	{
		find ca common ra tests tools meson.build -name meson.build -print0 | xargs -0 grep -hoE "(dependency|find_library)\('[^']+'" | cut -d"'" -f2
		python3 -c 'import json; print(*json.load(open("tests/browser/package.json"))["dependencies"], sep="\n")'
	} | sort -u >"$BATS_TEST_TMPDIR/asked"
	sed -nE 's/^\| `lib[^|]*\|.* `([^`]+)` \|$/\1/p; s/^\| `([a-z0-9.-]+)` \| [^|]* \| [^|]* \| [^|]* \|$/\1/p' docs/dependencies.md | sort -u >"$BATS_TEST_TMPDIR/named"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/asked")" -gt 15 ]
	diff "$BATS_TEST_TMPDIR/asked" "$BATS_TEST_TMPDIR/named"
}

@test "the pages load nothing of anybody else's, and nothing of anybody else's is among them" {
	run grep -rnE "(src|href|import|url)[ =(]*[\"'](https?:)?//" ra/gate/page ra/gate/pages
	[ "$status" = 1 ] || { echo "$output"; false; }
	run grep -rniE '@license|copyright|sourceMappingURL' ra/gate/page ra/gate/pages
	[ "$status" = 1 ] || { echo "$output"; false; }
}

@test "nothing that reads the code is told to be silent without a reason on the line" {
	local all bare
	all=$(grep -rnE 'NOLINT|cppcheck-suppress|shellcheck disable|pragma (GCC|clang) diagnostic|-Wno-|--suppress=' ca common ra tools tests meson.build .clang-tidy \
		--include='*.[ch]' --include='*.def' --include='*.bats' --include='*.bash' --include=meson.build --include=analyze --include=test | grep -v "structure.bats")
	[ "$(wc -l <<<"$all")" -gt 15 ]
	bare=$(grep -vE 'NOLINT(NEXTLINE)?\([a-zA-Z0-9.,-]+\): [a-zA-Z#]|cppcheck-suppress [a-zA-Z]+ ; [a-z]|shellcheck disable=SC[0-9]+ # [a-z]|(-Wno-|--suppress=).*# [a-zA-Z]' <<<"$all" || true)
	[ -z "$bare" ] || { echo "$bare"; false; }
}

@test "no line of a story is one that cannot fail: bash goes on behind ! and behind the first half of &&" {
	bad=$(grep -nE '^\s+(! [^|]*|\[\[? [^|#]*\]\]? && [^|]*)$' tests/*/*.bats | grep -v '&& *\[\[[^]]*$' || true)
	[ -z "$bad" ] || { echo "$bad"; false; }
}
