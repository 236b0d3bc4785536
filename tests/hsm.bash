# SoftHSM tokens behind a library that fails on demand (process/pkcs11_fault.c), for the stories about keys in tokens.

module=/usr/lib/softhsm/libsofthsm2.so

# tokens_begin: no token yet; $WORK is there. The library reads $WORK/control: control LINES… says what it does from now on.
tokens_begin() {
	export SOFTHSM2_CONF=$WORK/softhsm2.conf HUFU_TEST_PKCS11=$module HUFU_TEST_CONTROL=$WORK/control
	export FRONT=$build/tests/process/pkcs11_fault.so
	mkdir "$WORK/tokens"
	: >"$WORK/control"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	chmod 755 "$WORK"
	chmod 644 "$SOFTHSM2_CONF" "$WORK/control"
}

# token_made LABEL PIN: prints its serial number.
token_made() {
	softhsm2-util --init-token --free --label "$1" --so-pin 24680246 --pin "$2" >/dev/null
	pkcs11-tool --module $module -L | grep -A8 "token label *: $1\$" | sed -n 's/.*serial num *: //p'
}

control() { printf '%s\n' "$@" >"$WORK/control"; }

# objects LABEL PIN: how many keys, public and private, are in the token of that label.
objects() { pkcs11-tool --module $module --token-label "$1" --login --pin "$2" -O 2>/dev/null | grep -c 'Key Object' || :; }
