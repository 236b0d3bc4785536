#!/usr/bin/env bats
# hufu-gate as time goes by: its clock is set wrong, its responder's certificate is renewed, a certificate expires. The programs' clocks are shifted, the
# clients' with them. One story.

bats_require_minimum_version 1.5.0
load ../gate

setup_file() {
	gate_begin p256
	configure
	responder_key
	responder_listed
	gate_up
	gate_certificate
	eventually ready
}

teardown_file() {
	gate_down
	live_end
}

openssl() { shifted command openssl "$@"; }
ocsptool() { shifted command ocsptool "$@"; }
seconds_of() { date -u -d "$(sed -n "s/^ *$1: //p" "$WORK/text" | head -n1)" +%s; }
# The answer's own words about time, in $WORK/text.
look() {
	ask -no_nonce -cert "$WORK/org.pem" -respout "$WORK/answer.der" >"$WORK/said"
	openssl ocsp -respin "$WORK/answer.der" -noverify -resp_text >"$WORK/text"
}
certificate_of_responder() { openssl x509 -in "$(ls "$WORK"/gate/state/responder-*.crt)" -noout -enddate; }

@test "a clock 23 hours ahead: good, and not beyond the last beat and a day; 25 hours: tryLater; right again: good" {
	gate_down
	ahead $((23 * 3600))
	gate_up_shifted
	openssl_says good
	look
	[ "$(seconds_of 'Next Update')" -le $(($(date +%s) + DAY)) ]
	gate_down
	ahead $((25 * 3600))
	gate_up_shifted
	run ask -no_nonce -cert "$WORK/org.pem"
	said trylater
	same "$(curl -s "http://$ADMIN/readyz" | field state)" stale
	gate_down
	ahead 0
	gate_up_shifted
	eventually openssl_says good
}

@test "half of the responder's week is over: refused, the old certificate signs on; listed again, a new one comes and signs" {
	local before note=$WORK/unlisted.note
	before=$(certificate_of_responder)
	hufu roster note --remove ocsp-1 "$note" >/dev/null
	hufu roster sign --yes --key "$(key_of alice)" "$note" >/dev/null
	hufu roster sign --yes --key "$(key_of bob)" "$note" >/dev/null
	hufu roster submit "$note" >/dev/null
	cp "$note" "$DIR/etc/hufu/roster.note"
	all_up_shifted $((4 * DAY))
	refused_once() { grep -q 'event=responder_not_renewed.*responder_unknown' "$WORK/gate.log"; }
	eventually refused_once
	eventually openssl_says good
	same "$(certificate_of_responder)" "$before"
	shifted_listed() { listed ocsp-1 "$WORK/ocsp.pub" "$WORK/again.note"; }
	shifted_listed
	renewed() { grep -q 'event=responder_renewed' "$WORK/gate.log"; }
	eventually renewed
	[ "$(seconds "${before#notAfter=}")" -lt "$(seconds "$(certificate_of_responder | cut -d= -f2)")" ]
	openssl_says good
	gnutls_says good
	look
	[ "$(seconds_of 'Next Update')" -le "$(seconds "$(certificate_of_responder | cut -d= -f2)")" ]
}

# The CRLs that lie in the gate's folder: is that one another than before, and are all that are whole?
is_new() { [ "$1" -nt "$WORK/state.before/${1#"$WORK/gate/state/"}" ]; }
all_new() {
	local file
	for file in "${files[@]}"; do is_new "$file" || return 1; done
}
whole() {
	local file
	for file in "${files[@]}"; do
		! is_new "$file" || openssl crl -inform DER -in "$file" -CAfile "$WORK/chain.pem" -noout 2>&1 | grep -q "verify OK" || return 1
	done
}

@test "killed at each flush while new CRLs come: the one that lies there is whole, the old or the new; the next start has them all" {
	local n kills=0 files each=5
	[ "${HUFU_LONG:-0}" = 0 ] || each=1
	gate_down
	rm -rf "$WORK/state.before"
	cp -a "$WORK/gate/state" "$WORK/state.before"
	files=("$WORK/gate/state/crl/$ISSUER"/*.crl)
	[ ${#files[@]} -gt 1 ]
	down
	ahead $((6 * DAY)) # each is due anew
	LD_PRELOAD=$build/tests/process/clock_shift.so up
	for ((n = 1; n < 60; n += each)); do
		rm -rf "$WORK/gate/state"
		cp -a "$WORK/state.before" "$WORK/gate/state"
		setpriv --reuid hufu-gate --regid hufu-gate --init-groups env PATH=/usr/bin:/bin HUFU_TEST_CLOCK_AHEAD="$HUFU_TEST_CLOCK_AHEAD" HUFU_TEST_KILL_FLUSH=$n \
			LD_PRELOAD="$build/tests/process/clock_shift.so $build/tests/process/kill_flush.so" "$gate" --config "$WORK/gate.yaml" 2>>"$WORK/gate.log" 3>&- &
		echo $! >"$WORK/gate.pid"
		killed_or_done() { ! kill -0 "$(cat "$WORK/gate.pid")" 2>/dev/null || all_new; }
		eventually killed_or_done
		whole
		kill -0 "$(cat "$WORK/gate.pid")" 2>/dev/null && break
		kills=$((kills + 1))
	done
	[ $((kills * each)) -ge ${#files[@]} ]
	gate_down -KILL
	gate_up_shifted
	eventually all_new
	whole
	same "$(ls "$WORK/gate/state/crl/$ISSUER" | grep -vc '\.crl$')" 0
	eventually openssl_says good
}

@test "expired: the answer keeps the last state, its status says so, and clients refuse the certificate for its date" {
	all_up_shifted $((450 * DAY))
	eventually openssl_says good
	gnutls_says good
	same "$(curl -sf "http://$HTTP/v1/status/$(serial_of_org)" | field answers.0.state)" expired
	run openssl verify -CAfile "$WORK/chain.pem" "$WORK/org.pem"
	said "certificate has expired"
	# A key that is found compromised afterwards is told all the same.
	shifted hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$(serial_of_org)"
	eventually openssl_says revoked
	gnutls_says revoked
}
