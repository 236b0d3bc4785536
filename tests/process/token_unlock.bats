#!/usr/bin/env bats
# A USB key whose PIN is forgotten, unlocked through both people's clients and the desk, with SoftHSM2: the PIN is really set anew, and so is the PUK.

load ../live

module=/usr/lib/softhsm/libsofthsm2.so

setup_file() {
	live_begin
	export SOFTHSM2_CONF=$WORK/softhsm2.conf
	mkdir "$WORK/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	old_authority
	csv_begin
	old_cert org 74C2008800000E01 杭州解锁示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州解锁示例有限公司 20801 "+200 days" 杭州解锁示例有限公司 74C2008800000E01 org
	old_cert other 74C2008800000E02 杭州无码示例有限公司 91330100MAHUFU0254
	csv_row 91330100MAHUFU0254 杭州无码示例有限公司 20802 "+200 days" 杭州无码示例有限公司 74C2008800000E02 other
	old_crl
	init >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	up
	import >"$WORK/import.log" 2>&1 || { cat "$WORK/import.log"; return 1; }
	at_home org 91330100MAHUFU0179 >/dev/null
	at_home other 91330100MAHUFU0254 >/dev/null
	did hufu token init --module $module --blank --label HUFU-1 --pin-out "$WORK/start" --as alice
	did hufu token init --module $module --blank --label HUFU-2 --as alice
	serial_of HUFU-1 >"$WORK/one"
	serial_of HUFU-2 >"$WORK/two"
	did hufu token keygen --module $module --serial "$(one)" --algorithm rsa --pin-fd 4 4<"$WORK/start"
	did hufu token move --to prepared --holder 91330100MAHUFU0179 --why x --as alice "$(one)"
	did hufu token move --to in_use --certificate 74C2008800000E01 --why x --as alice "$(one)"
	did hufu token add --state in_use --holder 91330100MAHUFU0254 --certificate 74C2008800000E02 --as alice NOPUK-1
}

teardown_file() { live_end; }

serial_of() { pkcs11-tool --module $module -L | grep -A6 "token label *: $1\$" | sed -n 's/.*serial num *: //p'; }
one() { cat "$WORK/one"; }
two() { cat "$WORK/two"; }
escrow() { echo "$(dirname "$(key_of alice)")/token.key"; }
# waiting COMMAND…: exit code 5, which says that somebody else is next.
waiting() {
	run "$@"
	echo "$output"
	[ "$status" = 5 ]
}
ask() { waiting as org hufu token unlock --module $module --serial "$(one)"; }
keep_answer() {
	number=$(sed -n 's/^unlock \([^ ]*\) .*/\1/p' <<<"$output" | head -n1)
	code=$(sed -n 's/^code: //p' <<<"$output")
	[ -n "$number" ]
	[ -n "$code" ]
}
# agree NUMBER CODE…: the officer types them, one after the other.
agree() { hufu officer unlock --escrow "$(escrow)" --as alice "$1" < <(printf '%s\n' "${@:2}"); }
# unlock NUMBER PIN
unlock() { as org hufu token unlock --module "${front:-$module}" --new-pin-fd 4 "$1" 4<<<"$2"; }
signs() { hufu token test --module $module --serial "$(one)" --pin-fd 4 4<<<"$1"; }
state_of() { as org hufu --json request show "$1" | field state; }
faulty() {
	local env=(HUFU_TEST_PKCS11=$module) front=$build/tests/process/pkcs11_fault.so
	while [ "$1" != -- ]; do env+=("$1") && shift; done
	shift
	export "${env[@]}"
	"$@"
}
puk_of() {
	hufu --json rpc token.show "{\"token\": \"$1\"}" | python3 -c '
import base64, ctypes, ctypes.util, json, re, sys
na = ctypes.CDLL(ctypes.util.find_library("sodium"))
text = open(sys.argv[1]).read()
pub, sec = bytes.fromhex(re.search("public: (.*)", text)[1]), base64.b64decode(re.search("secret: (.*)", text)[1])
box = base64.b64decode(json.load(sys.stdin)[sys.argv[2]])[8:]
out = ctypes.create_string_buffer(len(box) - 48)
assert na.crypto_box_seal_open(out, box, ctypes.c_ulonglong(len(box)), pub, sec) == 0
print(re.search("puk: (.*)", out.raw.decode())[1])' "$(escrow)" "${2:-puk}"
}
so_login() { pkcs11-tool --module $module --token-label HUFU-1 --login --login-type so --so-pin "$1" --change-pin --new-pin "$1" >/dev/null 2>&1; }

# marks: how many marks of a start PIN stand on the token.
marks() { pkcs11-tool --module $module --token-label HUFU-1 --list-objects --type data 2>/dev/null | grep -c "label: *'start PIN'" || :; }

@test "the whole road, of a start PIN that went astray: the new PIN works, the old one is refused and its mark gone, the same key signs, the PUK is another one" {
	local before key start
	start=$(cat "$WORK/start")
	before=$(puk_of "$(one)")
	same "$(marks)" 1
	key=$(signs "$start" | sed -n 's/.*key \([0-9a-f]*\).*/\1/p')
	ask && keep_answer
	[[ "$code" =~ ^[A-Z2-7]{4}-[A-Z2-7]{4}$ ]]
	waiting unlock "$number" 246801
	said "$code"
	did agree "$number" "$code"
	did unlock "$number" 246801
	said "keys are the same and work"
	same "$(marks)" 0
	refused pin_wrong signs "$start"
	did signs 246801
	said "$key" "deciphers"
	same "$(state_of "$number")" done
	[ "$before" != "$(puk_of "$(one)")" ]
	run so_login "$before"
	[ "$status" != 0 ]
	did so_login "$(puk_of "$(one)")"
	same "$(find "$WORK/people" -name 'unlock-*' | wc -l)" 0
	did hufu token record "$(one)"
	said "解锁：重新设置了 PIN"
	run grep -rlaF -e "$before" -e "$(puk_of "$(one)")" "$DIR/var" "$WORK/up.log"
	[ "$status" = 1 ]
	[ -z "$output" ]
}

@test "a token whose PUK the desk does not hold says so before anything is handed in" {
	run as other hufu --json cert list
	same "$(python3 -c 'import json, sys; print(*[(o["reason"], o["possible"], o["instead"]) for c in json.load(sys.stdin) for o in c["offers"] if o["action"] == "unlock"])' <<<"$output")" \
		"('unlock_puk_unknown', False, ['recover', 'reissue'])"
	refused unlock_puk_unknown as other hufu --json rpc --session --call-id unlock.open "{\"token\": \"NOPUK-1\", \"key\": \"$(printf '%064d' 9)\"}"
	said "reissue" "补办"
	refused token_unlisted as other hufu token unlock --module $module --serial "$(one)"
}

@test "the code that is typed wrong opens nothing; typed right at the third time, it does" {
	ask && keep_answer
	refused code_wrong agree "$number" AAAA-AAAA BBBB "${code}X"
	same "$(state_of "$number")" opened
	[[ "$output" != *"$code"* ]]
	did agree "$number" AAAA-AAAA wrong "$(tr A-Z a-z <<<"${code/-/ }")"
	same "$(state_of "$number")" sealed
	did unlock "$number" 135790
}

@test "a desk that puts its own key in the place of the client's is found out by the code" {
	ask && keep_answer
	id=$(as org hufu --json request show "$number" | field request)
	python3 -S - "$DIR/var/lib/hufu-ra/desk.db" "$id" <<-'PY'
		import sqlite3, sys
		c = sqlite3.connect(sys.argv[1])
		c.execute("UPDATE unlocks SET client_key = ? WHERE request = ?", (bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), sys.argv[2]))
		c.commit()
	PY
	refused code_wrong agree "$number" "$code" "$code" "$code"
	said "somebody put another key in its place"
	as org hufu request withdraw "$number" >/dev/null
}

@test "a wrong token in the slot is noticed by its serial number before anything is asked or written" {
	refused token_absent as org hufu token unlock --module $module --serial 0000000000000000
	ask && keep_answer
	did agree "$number" "$code"
	# Only the other one is plugged in.
	mkdir "$WORK/away"
	for d in "$WORK"/tokens/*; do
		grep -rqaF "$(one)" "$d" && mv "$d" "$WORK/away/"
	done
	refused token_absent unlock "$number" 246801
	said "found \"HUFU-2\" (serial $(two))"
	same "$(state_of "$number")" sealed
	mv "$WORK"/away/* "$WORK/tokens/"
	did unlock "$number" 135790
}

@test "the PUK is handed out once: another asker is refused, and it is on record" {
	ask && keep_answer
	did agree "$number" "$code"
	did as org hufu --json rpc --session --call-id unlock.take "{\"request\": \"$number\"}"
	refused unlock_released unlock "$number" 246801
	refused unlock_released as org hufu --json rpc --session --call-id unlock.take "{\"request\": \"$number\"}"
	did hufu audit list "$number"
	told "unlock_refused"
	did signs 135790
	did as org hufu --json rpc --session --call-id unlock.report "{\"request\": \"$number\", \"result\": \"failed\", \"puk\": \"kept\"}"
	same "$(state_of "$number")" failed
}

# false_puk SERIAL PUK: a box for the token, sealed to the token key as anybody can, put in the place of the desk's.
false_puk() {
	python3 - "$DIR/etc/hufu/token.pub" "$DIR/var/lib/hufu-ra/desk.db" "$1" "$2" <<-'PY'
		import ctypes, ctypes.util, hashlib, sqlite3, sys
		na, pub = ctypes.CDLL(ctypes.util.find_library("sodium")), bytes.fromhex(open(sys.argv[1]).read())
		text = f"hufu-puk/v1\nserial: {sys.argv[3]}\npuk: {sys.argv[4]}\n".encode()
		box = ctypes.create_string_buffer(len(text) + 48)
		assert na.crypto_box_seal(box, text, ctypes.c_ulonglong(len(text)), pub) == 0
		c = sqlite3.connect(sys.argv[2])
		c.execute("UPDATE tokens SET puk = ? WHERE serial = ?", (hashlib.sha256(pub).digest()[:8] + box.raw, sys.argv[3]))
		c.commit()
	PY
}

@test "a PUK that is none of the token's opens nothing: it is said, and the case is closed" {
	local true_puk
	true_puk=$(puk_of "$(one)")
	false_puk "$(one)" 99999999
	ask && keep_answer
	did agree "$number" "$code"
	refused puk_wrong unlock "$number" 246801
	said "管理密码错误"
	same "$(state_of "$number")" failed
	did signs 135790
	false_puk "$(one)" "$true_puk"
	ask && keep_answer
	did agree "$number" "$code"
	did unlock "$number" 135790
	did signs 135790
}

@test "a locked PIN is no hindrance, a locked PUK is the end; too short a PIN may be tried again" {
	ask && keep_answer
	did agree "$number" "$code"
	refused pin_form unlock "$number" 1
	same "$(state_of "$number")" released
	did faulty HUFU_TEST_FLAGS=0x40000 -- unlock "$number" 246801
	did signs 246801
	ask && keep_answer
	did agree "$number" "$code"
	refused puk_locked faulty "HUFU_TEST_FAULT=C_Login(SO)=0xa4" -- unlock "$number" 135790
	said "管理密码已锁定"
	same "$(state_of "$number")" failed
	did signs 246801
}

@test "cut off behind the new PUK, the same command goes on; and the next unlock knows both" {
	local before
	ask && keep_answer
	did agree "$number" "$code"
	before=$(puk_of "$(one)")
	# It is set, and the token is pulled out before it says so.
	fails 1 "token_pulled" faulty 'HUFU_TEST_FAULT=C_SetPIN!=0x32' -- unlock "$number" 135790
	same "$(state_of "$number")" released
	same "$(puk_of "$(one)")" "$before"
	did so_login "$(puk_of "$(one)" puk_next)"
	did unlock "$number" 135790
	same "$(state_of "$number")" done
	did signs 135790
	did so_login "$(puk_of "$(one)")"
	# Its client is gone for good: both PUKs are kept, and the next unlock tries both.
	ask && keep_answer
	did agree "$number" "$code"
	fails 1 "token_pulled" faulty 'HUFU_TEST_FAULT=C_SetPIN!=0x32' -- unlock "$number" 246801
	did as org hufu --json rpc --session --call-id unlock.report "{\"request\": \"$number\", \"result\": \"failed\", \"puk\": \"kept\"}"
	rm "$WORK"/people/org/hufu/unlock-*
	refused unlock_elsewhere unlock "$number" 246801
	ask && keep_answer
	did agree "$number" "$code"
	did unlock "$number" 135790
	did signs 135790
	did so_login "$(puk_of "$(one)")"
}
