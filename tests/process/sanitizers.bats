#!/usr/bin/env bats
# The real programs, built with sanitizers, on real work: the whole demo and a mixed day under ASan and UBSan; the desk under TSan with many clients
# at once. Not a line of a sanitizer's report may be in any log, and everybody ends with 0.

bats_require_minimum_version 1.5.0
load ../live
load ../usb

asan=${HUFU_BUILD_ASAN:-$root/build-asan}
tsan=${HUFU_BUILD_TSAN:-$root/build-tsan}

# with BUILD: this test's programs.
with() {
	[ -x "$1/tools/hufu" ] && [ -x "$1/ca/hufu-ca" ] && [ -x "$1/ra/hufu-ra" ] || skip "no programs in $1"
	build=$1
	hufu=$1/tools/hufu
}

setup() {
	live_begin
	cp "$root/tests/tsan.supp" "$WORK/tsan.supp" # where the programs' users can read it
	export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	export TSAN_OPTIONS=halt_on_error=0:suppressions=$WORK/tsan.supp
}

teardown() { live_end; }

# built_with LIBRARY BUILD: its three programs are.
built_with() {
	local program
	for program in tools/hufu ca/hufu-ca ra/hufu-ra; do
		ldd "$2/$program" | grep -q "$1" || { echo "$2/$program is not built with $1"; return 1; }
	done
}

# no_report FILE…: there is something in each, and no sanitizer has spoken.
no_report() {
	local file
	for file in "$@"; do
		[ -s "$file" ] || { echo "$file is empty"; return 1; }
	done
	! grep -nE -A40 'Sanitizer|runtime error:' "$@" || return 1
}

# scene UP: an account with four certificates, logged in, a paid order for each in $WORK/order.N. UP: the `hufu` that starts the two programs.
scene() {
	local n codes=(0179 0254 033Y 041R)
	old_authority
	csv_begin
	for n in 1 2 3 4; do
		old_cert "org$n" "74C2008800000A1$n" "杭州并行示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row 91330100MAHUFU0179 "杭州并行示例1有限公司" 2070$n "+200 days" "杭州并行示例${n}有限公司" "74C2008800000A1$n" "org$n"
	done
	old_crl
	init >/dev/null
	hufu=$1 up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	for n in 1 2 3 4; do paid_order org "2070$n" >"$WORK/order.$n"; done
}

@test "the programs are built with the sanitizers that the names say" {
	with "$asan"
	built_with libasan "$asan"
	built_with libubsan "$asan"
	with "$tsan"
	built_with libtsan "$tsan"
}

@test "the demo under ASan, LeakSanitizer and UBSan" {
	with "$asan"
	run_demo "$WORK/demo"
	no_report "$WORK/demo.log" "$WORK"/demo/var/log/*.log
	[[ "$(tail -n1 "$WORK/demo.log")" == "done in "* ]]
}

@test "a mixed day under ASan: refusals, withdrawals, bad bytes, a policy, a restart" {
	with "$asan"
	scene "$hufu"
	refused order_missing proved_without_order 1
	id=$(prepared org --kind extend --way same-key --months 12 --order "$(cat "$WORK/order.1")" 74C2008800000A11)
	proved org "$WORK/old/org1.key" "$id"
	did as org hufu request show --wait 60 "$id"
	mapfile -t five < <(five_materials)
	id=$(prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州并行新名有限公司 --subject CN=杭州并行新名有限公司 "${five[@]}" \
		74C2008800000A12)
	proved org "$WORK/old/org2.key" "$id"
	approved alice "$id"
	refused officer_twice approved alice "$id"
	as org hufu request withdraw "$id"
	csr new p256
	id=$(prepared org --kind extend --way new-key --months 24 --order "$(cat "$WORK/order.2")" --files no --csr "$WORK/new.csr" 74C2008800000A12)
	as org hufu request prove --key "$WORK/old/org2.key" --new-key "$WORK/new.key" --yes "$id"
	as org hufu request submit "$id"
	approved bob "$id"
	did as org hufu request show --wait 60 "$id"
	for socket in ra/desk operator/ca; do
		head -c 3000 /dev/urandom | python3 "$WORK/wire.py" "$DIR/run/hufu/$socket.sock" stream
	done
	printf '{"jsonrpc": "2.0", "id": 1, "method": "crl.get", "params": {"shard": 1e9}}' | python3 "$WORK/wire.py" "$DIR/run/hufu/ra/desk.sock" body
	hufu policy note --until 2099-01-01T00:00:00Z >/dev/null
	for who in alice bob; do hufu policy sign --yes --key "$(key_of $who)" "$DIR/etc/hufu/policies/policy.note" >/dev/null; done
	did hufu policy submit
	kill -HUP "$(cat "$WORK/up.pid")"
	did hufu crl --out "$WORK/crl.pem"
	down
	up
	did hufu status 74C2008800000A11 74C2008800000A12
	down
	no_report "$DIR"/var/log/*.log
	[ "$(grep -c event=stopped "$DIR/var/log/hufu-ca.log")" = 2 ] # both ended as they should: no exit of a sanitizer's
}

# tok COMMAND OPTIONS…: hufu token, on the one that is plugged in.
tok() { hufu token "$1" --module "${front:-$module}" --serial "$serial" "${@:2}"; }
# waits COMMAND…: exit code 5, which says that somebody else is next; number and code are what was said.
waits() {
	run "$@"
	echo "$output"
	same "$status" 5
	number=$(sed -n 's/^unlock \([^ ]*\) .*/\1/p' <<<"$output" | head -n1)
	code=$(sed -n 's/^code: //p' <<<"$output")
}
agree() { hufu officer unlock --escrow "$escrow" --as alice "$number" < <(printf '%s\n' "$@"); }
pulled_out_behind_puk() {
	export HUFU_TEST_PKCS11=$module HUFU_TEST_FAULT='C_SetPIN!=0x32' front=$build/tests/process/pkcs11_fault.so
	"$@"
}
unlock() { as org hufu token unlock --module "${front:-$module}" --new-pin-fd 4 "$number" 4<<<"$1"; }
no_such_object() {
	export HUFU_TEST_PKCS11=$module HUFU_TEST_FAULT=C_CreateObject=0xd1 front=$build/tests/process/pkcs11_fault.so
	"$@"
}

@test "a USB key's life under ASan: start PIN, key, certificate, PUKs, an unlock that is cut off, and what goes wrong on the way" {
	with "$asan"
	local serial number code escrow=$DIR/home/alice/token.key id
	ASAN_OPTIONS+=:exitcode=99 # no exit code of ours
	usb_place slot
	export SOFTHSM2_CONF=$WORK/usb/slot.conf
	scene "$hufu"
	did hufu token init --module $module --blank --label HUFU-1 --pin-out "$WORK/start" --as alice
	serial=$(sed -n 's/^token \([0-9a-f]*\): init.*/\1/p' <<<"$output")
	did hufu token show --module $module
	did tok keygen --algorithm rsa --pin-fd 4 4<"$WORK/start"
	did tok csr --subject CN=x --out "$WORK/t.csr" --pin-fd 4 4<"$WORK/start"
	openssl x509 -req -in "$WORK/t.csr" -CA "$WORK/old/zjca-oca2.pem" -CAkey "$WORK/old/zjca-oca2.key" -set_serial 0x7401 -days 60 -out "$WORK/t.pem" 2>/dev/null
	id=$(prepared org --kind revoke --way by-subscriber --reason cessationOfOperation 74C2008800000A11)
	refused pin_start as org hufu request prove --yes --module $module --token-uri "pkcs11:serial=$serial" --pin-fd 4 "$id" 4<"$WORK/start"
	did tok install "$WORK/t.pem" --pin-fd 4 --new-pin-fd 5 4<"$WORK/start" 5<<<135790
	did tok test --pin-fd 4 4<<<135790
	refused pin_wrong tok pin --pin-fd 4 --new-pin-fd 5 4<<<000000 5<<<246801
	did tok pin --pin-fd 4 --new-pin-fd 5 4<<<135790 5<<<246801
	did hufu token move --to prepared --holder 91330100MAHUFU0179 --why x --as alice "$serial"
	did hufu token move --to in_use --certificate 74C2008800000A11 --why x --as alice "$serial"
	waits as org hufu token unlock --module $module --serial "$serial"
	refused code_wrong agree AAAA-AAAA x ""
	did agree AAAA-AAAA "$code"
	refused pin_form unlock 1
	fails 1 token_pulled pulled_out_behind_puk unlock 135790
	did unlock 135790
	did tok test --pin-fd 4 4<<<135790
	did hufu token escrow --passphrase-fd 4 "$WORK/t.key" 4<<<"a passphrase of the tests"
	did hufu token move --to returned --why x --as alice "$serial"
	refused puk_key tok init --label X --escrow "$WORK/t.key" --passphrase-fd 5 5<<<"a passphrase of the tests"
	refused token_mark no_such_object hufu token init --module "$build/tests/process/pkcs11_fault.so" --blank --label HUFU-2 --as alice
	did tok init --label HUFU-1 --escrow "$escrow"
	printf 'token,model,state,identifier,puk\nOLD-1,ePass3003,,,24680246\nOLD-2,,gone,,\nOLD-3,,,,a b\n' >"$WORK/tokens.csv"
	run hufu token import "$WORK/tokens.csv"
	same "$status" 2
	did hufu token import <(sed -n 1,2p "$WORK/tokens.csv")
	down
	no_report "$DIR"/var/log/*.log
}

proved_without_order() {
	local id
	id=$(prepared org --kind extend --way same-key --months 12 "74C2008800000A1$1")
	as org hufu request prove --key "$WORK/old/org$1.key" --yes "$id"
}

# One subscriber's day; ends with 0 when the certificate is there.
day_of() {
	local n=$1 id serial=74C2008800000A1$1
	id=$(prepared org --kind extend --way same-key --months 12 --order "$(cat "$WORK/order.$n")" "$serial")
	as org hufu service list
	as org hufu cert list
	proved org "$WORK/old/org$n.key" "$id"
	as org hufu request show --wait 120 "$id"
	as org hufu order list
	hufu officer review
	hufu health
	id=$(prepared org --kind revoke --way by-subscriber --reason superseded "$serial")
	proved org "$WORK/old/org$n.key" "$id"
	as org hufu request show --wait 120 "$id"
}

@test "the desk and the signer under TSan, with many clients at once" {
	with "$tsan"
	hufu=${HUFU_BUILD:-$root/build}/tools/hufu # for people's commands: what is watched are the two programs
	scene "$tsan/tools/hufu"
	local n pids=()
	for n in 1 2 3 4; do
		day_of $n >"$WORK/day.$n" 2>&1 3>&- &
		pids+=($!)
	done
	# Eight connections that ask without a pause, and policies that are read anew meanwhile.
	PYTHONPATH=$WORK python3 - "$DIR/run/hufu/ra/desk.sock" "$(cat "$WORK"/people/org/hufu/session-*)" "$(cat "$WORK/up.pid")" <<'PY'
import json, os, signal, sys, threading
import wire

path, session, up = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = [("project.search", {"query": "金华"}), ("status.query", {"serials": ["74C2008800000A1%d" % n for n in range(1, 5)]}), ("crl.get", {}),
         ("desk.health", {}), ("review.queue", {}), ("policy.pending", {}), ("request.list", {"session": session}), ("account.show", {"session": session}),
         ("account.login", {"identifier": "nobody", "password": "wrong"}), ("no.such.method", {})]
failed = []


def ask(seed):
    try:
        w = wire.Wire(path, timeout=60)
        w.greet()
        for i in range(25):
            method, params = calls[(seed + i) % len(calls)]
            answer = json.loads(w.ask(json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params}).encode()))
            assert answer["id"] == i and ("result" in answer or "error" in answer), answer
            if i % 10 == seed:
                os.kill(up, signal.SIGHUP)
    except Exception as e:
        failed.append(repr(e))


threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
sys.exit("\n".join(failed) or 0)
PY
	for n in 1 2 3 4; do wait "${pids[n - 1]}" || { cat "$WORK/day.$n"; return 1; }; done
	both_live
	same "$(issued)" 4
	down
	no_report "$DIR"/var/log/*.log "$WORK"/day.*
}
