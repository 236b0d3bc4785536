#!/usr/bin/env bats
# A USB key's life at the officers' machine, with SoftHSM2 and the desk: initialised, a key pair, a request, a certificate, tried; the inventory; bad input.

load ../live

module=/usr/lib/softhsm/libsofthsm2.so

setup_file() {
	live_begin
	export SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir "$WORK/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	old_authority
	csv_begin
	old_cert org 74C2008800000E01 杭州令牌示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州令牌示例有限公司 20701 "+200 days" 杭州令牌示例有限公司 74C2008800000E01 org
	old_crl
	init >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 91330100MAHUFU0179 >/dev/null
	local label
	for label in HUFU-1 HUFU-2; do
		did hufu token init --module $module --blank --label $label --as alice
		keep_pin
		did own_pin "$(serial_of $label)"
	done
	serial_of HUFU-1 >"$WORK/one"
	serial_of HUFU-2 >"$WORK/two"
}

teardown_file() { live_end; }

serial_of() { pkcs11-tool --module $module -L | grep -A6 "token label *: $1\$" | sed -n 's/.*serial num *: //p'; }
# The start PIN out of what was said last, and 135790 in its place.
keep_pin() { start=$(sed -n 's/^start PIN: \([0-9]*\) .*/\1/p' <<<"$output"); }
own_pin() { hufu token pin --module $module --serial "$1" --pin-fd 4 --new-pin-fd 5 4<<<"$start" 5<<<135790; }
# token COMMAND SERIAL OPTIONS…: with the PIN.
token() { hufu token "$1" --module "${front:-$module}" --serial "$2" --pin-fd 4 "${@:3}" 4<<<"${pin:-135790}"; }
one() { cat "$WORK/one"; }
two() { cat "$WORK/two"; }
# puk_of SERIAL [puk_next]: as the officer who has the token key could read it; by foreign eyes.
puk_of() {
	hufu --json rpc token.show "{\"token\": \"$1\"}" | python3 -c '
import base64, ctypes, ctypes.util, json, re, sys
na = ctypes.CDLL(ctypes.util.find_library("sodium"))
text = open(sys.argv[1]).read()
pub, sec = bytes.fromhex(re.search("public: (.*)", text)[1]), base64.b64decode(re.search("secret: (.*)", text)[1])
box = base64.b64decode(json.load(sys.stdin)[sys.argv[2]])[8:]
out = ctypes.create_string_buffer(len(box) - 48)
assert na.crypto_box_seal_open(out, box, ctypes.c_ulonglong(len(box)), pub, sec) == 0
print(re.search("puk: (.*)", out.raw.decode())[1])' "$(dirname "$(key_of alice)")/token.key" "${2:-puk}"
}
faulty() {
	local env=(HUFU_TEST_PKCS11=$module) front=$build/tests/process/pkcs11_fault.so
	while [ "$1" != -- ]; do env+=("$1") && shift; done
	shift
	export "${env[@]}"
	"$@"
}

@test "a blank one becomes ours: its PUK is random, sealed, and works; nothing has it in the clear" {
	local puk
	did hufu token record "$(one)"
	said "state: stock" "PUK: held"
	puk=$(puk_of "$(one)")
	[[ "$puk" =~ ^[A-Z2-7]{16}$ ]]
	[ "$puk" != "$(puk_of "$(two)")" ]
	run grep -rlaF "$puk" "$DIR/var" "$WORK/up.log"
	[ "$status" = 1 ]
	[ -z "$output" ]
	did pkcs11-tool --module $module --slot-index 0 --login --login-type so --so-pin "$(puk_of "$(pkcs11-tool --module $module -L | sed -n 's/.*serial num *: //p' | head -n1)")" --init-pin --new-pin 135790
}

@test "the same token again: opened by the PUK that the desk holds, which is another one afterwards" {
	local before
	before=$(puk_of "$(two)")
	did hufu token init --module $module --serial "$(two)" --label HUFU-2 --escrow "$(dirname "$(key_of alice)")/token.key"
	[ "$before" != "$(puk_of "$(two)")" ]
	same "$(hufu --json rpc token.show "{\"token\": \"$(two)\"}" | field puk_next)" ""
	refused puk_wrong hufu token init --module $module --serial "$(two)" --label HUFU-2 --puk-fd 5 5<<<"$before"
	# It was recorded before it was tried; the old one is still the one in force, and opens it.
	did hufu token init --module $module --serial "$(two)" --label HUFU-2 --escrow "$(dirname "$(key_of alice)")/token.key"
}

@test "the start PIN is made at random and shown once; its holder changes it first, and nothing else goes" {
	local first before
	before=$(puk_of "$(two)")
	again() { hufu token init --module $module --serial "$(two)" --label HUFU-2 --escrow "$(dirname "$(key_of alice)")/token.key" "$@"; }
	did again
	keep_pin
	first=$start
	[[ "$first" =~ ^[0-9]{8}$ ]]
	# Into a file of one's own, or not at all: one that is there stays, and the token too.
	echo mine >"$WORK/start"
	refused file_exists again --pin-out "$WORK/start"
	same "$(cat "$WORK/start")" mine
	pin=$first did token keygen "$(two)"
	rm "$WORK/start"
	did again --pin-out "$WORK/start"
	same "$(stat -c %a "$WORK/start")" 600
	start=$(cat "$WORK/start")
	[[ "$start" =~ ^[0-9]{8}$ ]]
	[ "$start" != "$first" ]
	[[ "$output" != *"$start"* ]]
	fails 4 "unknown option" hufu token init --module $module --serial "$(two)" --label HUFU-2 --pin-fd 4 4<<<135790
	# An officer makes the key with it; its holder signs nothing.
	pin=$start did token keygen "$(two)"
	id=$(prepared org --kind revoke --way by-subscriber --reason cessationOfOperation 74C2008800000E01)
	proves() { as org hufu request prove --yes --module $module --token-uri "pkcs11:serial=$(two)" --pin-fd 4 "$id" 4<<<"$1"; }
	refused pin_start proves "$start"
	said "请先修改初始 PIN"
	pin=$start refused pin_same token pin "$(two)" --new-pin-fd 5 5<<<"$start"
	refused pin_start proves "$start"
	did own_pin "$(two)"
	refused key_not_on_token proves 135790
	# The client that installs asks for it.
	did again
	keep_pin
	did softhsm2-util --import "$WORK/old/org.key" --token HUFU-2 --label hufu --id 01 --pin "$start"
	pin=$start fails 4 "a secret is empty" token install "$(two)" "$WORK/old/org.pem" --new-pin-fd 5 5</dev/null
	pin=$start did token install "$(two)" "$WORK/old/org.pem" --new-pin-fd 5 5<<<135790
	said "has the certificate already; the start PIN is changed"
	did proves 135790
	did again
	keep_pin
	did own_pin "$(two)"
}

@test "the token is the one that is named, and a wrong one in the slot is noticed before anything is written" {
	refused token_absent token keygen 0000000000000000
	said "serial $(one)"
	refused token_absent hufu token init --module $module --serial 0000000000000000 --label X --puk-fd 5 5<<<1
	fails 4 "--serial SERIAL or --blank" hufu token init --module $module --label X
	fails 4 "name one by --serial" as org hufu token test --module $module --pin-fd 4 4<<<135790
	run hufu token show --module $module
	said "$(one)" "$(two)" HUFU-1 blank
}

@test "a key pair that can't leave, a request, a certificate beside it; and they work" {
	local algorithm
	for algorithm in p256 rsa; do
		did token keygen "$(one)" --algorithm $algorithm --label $algorithm
		key=$(sed -n 's/^key: //p' <<<"$output")
		did token csr "$(one)" --key "${key:0:20}" --subject "CN=令牌" --out "$WORK/$algorithm.csr"
		openssl req -in "$WORK/$algorithm.csr" -noout -verify 2>&1 | grep -q OK
		same "$(openssl req -in "$WORK/$algorithm.csr" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)" "$key"
		openssl x509 -req -in "$WORK/$algorithm.csr" -CA "$WORK/old/zjca-oca2.pem" -CAkey "$WORK/old/zjca-oca2.key" -set_serial 0x7401 -days 60 -out "$WORK/$algorithm.pem" 2>/dev/null
		refused key_not_on_token token install "$(two)" "$WORK/$algorithm.pem"
		did token install "$(one)" "$WORK/$algorithm.pem"
		did token install "$(one)" "$WORK/$algorithm.pem"
		said "has the certificate already"
	done
	did token test "$(one)"
	said "signs" "deciphers"
	# The next certificate of the same key takes the place of the first.
	openssl x509 -req -in "$WORK/rsa.csr" -CA "$WORK/old/zjca-oca2.pem" -CAkey "$WORK/old/zjca-oca2.key" -set_serial 0x7402 -days 90 -out "$WORK/rsa2.pem" 2>/dev/null
	did token install "$(one)" "$WORK/rsa2.pem"
	same "$(pkcs11-tool --module $module --token-label HUFU-1 --list-objects --type cert 2>/dev/null | grep -c 'Certificate Object')" 2
	refused key_ambiguous token csr "$(one)" --out "$WORK/x.csr"
	refused key_not_on_token token test "$(two)"
	run pkcs11-tool --module $module --token-label HUFU-1 --login --pin 135790 --list-objects --type privkey
	told "sensitive, always sensitive, never extract"
}

@test "a PIN is changed; wrong, locked and too short ones are told" {
	pin=000000 refused pin_wrong token pin "$(two)" --new-pin-fd 5 5<<<246801
	said "PIN 错误"
	refused pin_form token pin "$(two)" --new-pin-fd 5 5<<<1
	did token pin "$(two)" --new-pin-fd 5 5<<<246801
	refused pin_wrong token pin "$(two)" --new-pin-fd 5 5<<<135790
	pin=246801 did token pin "$(two)" --new-pin-fd 5 5<<<135790
	refused pin_locked faulty HUFU_TEST_FAULT=C_Login=0xa4 -- token test "$(one)"
	said "PIN 已锁定"
	refused puk_locked faulty HUFU_TEST_FAULT=C_InitToken=0xa4 -- \
		hufu token init --module "$build/tests/process/pkcs11_fault.so" --serial "$(two)" --label HUFU-2 --puk-fd 5 5<<<12345678
	said "管理密码已锁定"
	fails 4 "unknown option" hufu token pin --pin 135790
}

@test "a key that the token would give away is none" {
	refused key_exportable faulty HUFU_TEST_LIE=extractable -- token keygen "$(two)"
	did pkcs11-tool --module $module --token-label HUFU-2 --login --pin 135790 --list-objects
	[[ "$output" != *"Private Key"* ]]
}

@test "a token that takes no public data object says so; a blank one that fails there is on record, with its PUK" {
	local serial
	blank() { hufu token init --module "$1" --blank --label HUFU-3 --as alice; }
	refused token_mark faulty HUFU_TEST_FAULT=C_CreateObject=0xd1 -- blank "$build/tests/process/pkcs11_fault.so"
	said "takes no public data object" "不支持公共数据对象"
	serial=$(serial_of HUFU-3)
	did hufu token record "$serial"
	said "state: stock" "PUK: held"
	did hufu token init --module $module --serial "$serial" --label HUFU-3 --escrow "$(dirname "$(key_of alice)")/token.key"
	fails 1 token_full faulty HUFU_TEST_FAULT=C_CreateObject=0x31 -- hufu token init --module "$build/tests/process/pkcs11_fault.so" --serial "$serial" --label HUFU-3 \
		--escrow "$(dirname "$(key_of alice)")/token.key"
	did hufu token init --module $module --serial "$serial" --label HUFU-3 --escrow "$(dirname "$(key_of alice)")/token.key"
}

@test "the inventory: entered, moved, found; an old system's come all or not at all" {
	did hufu token add --model ePass3003 --keeper bob OLD-1
	refused token_unlisted hufu token record NOBODY
	refused token_state hufu token move --to in_use --why x OLD-1
	did hufu token move --to prepared --holder 91330100MAHUFU0179 --why "for a reissue" --as alice OLD-1
	did hufu token move --to in_use --why "at the counter" --as alice --certificate 74C2008800000E01 OLD-1
	did as org hufu token mine
	said OLD-1 74C2008800000E01
	printf 'token,model,state,identifier,puk\nOLD-2,ePass3003,in_use,91330100MAHUFU0179,24680246\nOLD-3,ePass3003,,,\nOLD-2,,,,\n,x,,,\nOLD-4,,gone,,\nOLD-5,,in_use,nobody,a b\n' >"$WORK/bad.csv"
	run hufu token import "$WORK/bad.csv"
	[ "$status" = 2 ]
	said "line 4: refused: token OLD-2 stands in line 2" "line 5: refused" "line 6: refused: state: found \"gone\"" "line 7: refused: the PUK has no" "nothing is written"
	refused token_unlisted hufu token record OLD-3
	sed -n 1,3p "$WORK/bad.csv" >"$WORK/good.csv"
	did hufu --dry-run token import "$WORK/good.csv"
	refused token_unlisted hufu token record OLD-3
	did hufu token import "$WORK/good.csv"
	said "all are taken"
	same "$(puk_of OLD-2)" 24680246
	did hufu token import "$WORK/good.csv"
	said "line 2: unchanged"
	did hufu token list --holder 91330100MAHUFU0179
	said OLD-1 OLD-2
	printf 'colour\nblue\n' >"$WORK/bad.csv"
	fails 1 "csv_header" hufu token import "$WORK/bad.csv"
	echo token >"$WORK/bad.csv"
	fails 1 "csv_empty" hufu token import "$WORK/bad.csv"
}

@test "the token key: sealed by a passphrase, made once, and not for others to read" {
	did hufu token escrow --passphrase-fd 4 "$WORK/t.key" 4<<<"a passphrase of the tests"
	same "$(stat -c %a "$WORK/t.key")" 600
	same "$(wc -c <"$WORK/t.key.pub")" 65
	run hufu token escrow --plain "$WORK/t.key"
	[ "$status" = 2 ]
	refused sealed_open hufu token init --module $module --serial "$(two)" --label X --escrow "$WORK/t.key" --passphrase-fd 5 5<<<wrong
	refused puk_key hufu token init --module $module --serial "$(two)" --label X --escrow "$WORK/t.key" --passphrase-fd 5 5<<<"a passphrase of the tests"
	# What clients seal to is the key of their own configuration, whatever the desk would like.
	sed "s|^token_key: .*|token_key: $WORK/t.key.pub|" "$HUFU_CONFIG" >"$DIR/etc/hufu/other.yaml"
	refused puk_sealed hufu --config "$DIR/etc/hufu/other.yaml" token add --puk-fd 4 OTHER-1 4<<<24680246
	chmod 644 "$WORK/t.key"
	fails 4 "lets others read it" hufu token init --module $module --serial "$(two)" --label X --escrow "$WORK/t.key"
}
