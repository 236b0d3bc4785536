# hufu-gate beside a live tree, and its clients: for the stories of tests/process and tests/clients.

source "$(dirname "${BASH_SOURCE[0]}")/live.bash"

gate=$build/ra/gate/hufu-gate

# Stories run side by side: each has ports of its own, that nobody listens on.
take_ports() {
	local ports
	ports=$(python3 -c '
import socket
all = [socket.socket() for _ in range(4)]
for s in all: s.bind(("127.0.0.1", 0))
print(*["127.0.0.1:%d" % s.getsockname()[1] for s in all])')
	read -r HTTP ADMIN PROXY PROXY_TLS <<<"$ports"
	export HTTP ADMIN PROXY PROXY_TLS
}

# The desk admits the gate; before `up`.
gate_admitted() {
	id hufu-gate >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin hufu-gate
	cat >>"$WORK/gate-caller" <<-YAML
		  - uid: $(id -u hufu-gate)
		    roles: [gate]
	YAML
	sed -i "/^callers:/r $WORK/gate-caller" "$DIR/etc/hufu/ra.yaml"
	printf 'portals:\n  - {name: portal, token_sha256: %s}\n' "$(printf %s the-token-of-the-portal | sha256sum | cut -d' ' -f1)" >>"$DIR/etc/hufu/ra.yaml"
	# The socket gets the folder's group, which is who may connect.
	chgrp hufu-gate "$DIR/run/hufu/ra" && chmod g+s "$DIR/run/hufu/ra"
}

# gate_begin ALGORITHM: a tree of that kind of CA with one organisation, and nothing of the gate yet.
gate_begin() {
	live_begin
	take_ports
	old_authority
	csv_begin
	old_cert org 74C2008800000F01 杭州旧证示例1有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州旧证示例1有限公司 20601 "+200 days" 杭州旧证示例1有限公司 74C2008800000F01 org
	old_crl
	init --algorithm "$1" >/dev/null
	gate_admitted
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	cat "$DIR/etc/hufu/issuing.crt" "$DIR/etc/hufu/root.crt" >"$WORK/chain.pem"
	ISSUER=$(issuer_id)
	export ISSUER
}

# The issuing CA's key id, as paths have it.
issuer_id() { openssl x509 -in "$DIR/etc/hufu/issuing.crt" -noout -ext subjectKeyIdentifier | tail -n1 | tr -d ' :' | tr A-F a-f; }

serial_of_org() { openssl x509 -in "$WORK/org.pem" -noout -serial | cut -d= -f2; }

# The organisation's certificate of ours: org.pem.
gate_certificate() {
	local id
	id=$(prepared org --kind extend --way same-key --months 12 --order "$(paid_order org 20601)" 74C2008800000F01)
	proved org "$WORK/old/org.key" "$id" >/dev/null
	issued_to org "$id" org
}

# A release from its hold, by two officers.
released() {
	local id
	id=$(as officer hufu --json officer release --as carol "$(serial_of_org)" | field request)
	approved alice "$id" >/dev/null
	approved bob "$id" >/dev/null
}

responder_key() {
	setpriv --reuid hufu-gate --regid hufu-gate --init-groups bash -c "umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out '$WORK/gate/ocsp.key'" 2>/dev/null
	openssl pkey -in "$WORK/gate/ocsp.key" -pubout -out "$WORK/ocsp.pub"
}

# listed NAME PUBLIC NOTE: the officers' next roster has that responder.
listed() {
	hufu roster note --add responder:"$1"="$2" "$3" >/dev/null
	hufu roster sign --yes --key "$(key_of alice)" "$3" >/dev/null
	hufu roster sign --yes --key "$(key_of bob)" "$3" >/dev/null
	hufu roster submit "$3" >/dev/null
	cp "$3" "$DIR/etc/hufu/roster.note"
}
responder_listed() { listed ocsp-1 "$WORK/ocsp.pub" "$WORK/2.note"; }

configure() {
	mkdir -p "$WORK/gate" "$WORK/documents"
	echo "what this CA promises" >"$WORK/documents/cps.txt"
	chmod 755 "$WORK/documents" && chmod 644 "$WORK/documents/cps.txt"
	chown hufu-gate: "$WORK/gate" && chmod 700 "$WORK/gate"
	cat >"$WORK/gate.yaml" <<-YAML
		role: status
		root: $DIR
		desk_socket: run/hufu/ra/desk.sock
		state: $WORK/gate/state
		log_key: etc/hufu/log.vkey
		issuer: etc/hufu/issuing.crt
		root_certificate: etc/hufu/root.crt
		documents: $WORK/documents
		listen: $HTTP
		metrics: $ADMIN
		responder: {keys: [$WORK/gate/ocsp.key]}
		crl_minutes: 1
		origins: ["https://portal.example.test"]
		log: debug
	YAML
	chmod 644 "$WORK/gate.yaml"
}

gate_up() {
	local i
	setpriv --reuid hufu-gate --regid hufu-gate --init-groups env PATH=/usr/bin:/bin "$gate" --config "$WORK/gate.yaml" 2>>"$WORK/gate.log" 3>&- &
	echo $! >"$WORK/gate.pid"
	eventually healthy || { tail -n 20 "$WORK/gate.log"; return 1; }
}

gate_down() {
	[ -e "$WORK/gate.pid" ] || return 0
	kill "${1:--TERM}" "$(cat "$WORK/gate.pid")" 2>/dev/null || :
	until_gone "$(cat "$WORK/gate.pid")"
	rm -f "$WORK/gate.pid"
}

# --- later ---

DAY=86400
# ahead SECONDS: from here on, for programs and clients that start.
ahead() {
	export HUFU_TEST_CLOCK_AHEAD=$1
}
shifted() { LD_PRELOAD=$build/tests/process/clock_shift.so "$@"; }
gate_up_shifted() {
	: >"$WORK/gate.log"
	as_gate=(setpriv --reuid hufu-gate --regid hufu-gate --init-groups env PATH=/usr/bin:/bin "HUFU_TEST_CLOCK_AHEAD=$HUFU_TEST_CLOCK_AHEAD" "LD_PRELOAD=$build/tests/process/clock_shift.so")
	"${as_gate[@]}" "$gate" --config "$WORK/gate.yaml" 2>>"$WORK/gate.log" 3>&- &
	echo $! >"$WORK/gate.pid"
	eventually healthy
}
# Signer, desk and gate, all of them later.
all_up_shifted() {
	gate_down
	down
	ahead "$1"
	LD_PRELOAD=$build/tests/process/clock_shift.so up
	gate_up_shifted
}

healthy() { curl -sf "http://$ADMIN/healthz"; }
ready() { curl -sf "http://$ADMIN/readyz"; }

# ask OPTIONS…: by POST, openssl's client.
ask() {
	openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -CAfile "$WORK/chain.pem" -url "http://$HTTP/ocsp" "$@" 2>&1
}
# by_get CERT: the answer's DER, by curl.
by_get() {
	openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -cert "$1" -no_nonce -reqout "$WORK/req.der" >/dev/null 2>&1
	curl -sf -D "$WORK/headers" -o "$WORK/answer.der" "http://$HTTP/ocsp/$(base64 -w0 <"$WORK/req.der" | sed 's/+/%2B/g; s/\//%2F/g; s/=/%3D/g')"
}
# openssl_says WORD, nonce_says WORD, curl_says WORD, gnutls_says WORD
said_of_org() { grep -q "Response verify OK" "$WORK/said" && grep -q "org.pem: $1" "$WORK/said"; }
openssl_says() { ask -no_nonce -cert "$WORK/org.pem" >"$WORK/said"; said_of_org "$1"; }
nonce_says() { ask -cert "$WORK/org.pem" >"$WORK/said"; said_of_org "$1" && ! grep -qi nonce "$WORK/said"; }
curl_says() {
	by_get "$WORK/org.pem" || return 1
	openssl ocsp -issuer "$DIR/etc/hufu/issuing.crt" -CAfile "$WORK/chain.pem" -cert "$WORK/org.pem" -no_nonce -respin "$WORK/answer.der" >"$WORK/said" 2>&1
	said_of_org "$1"
}
gnutls_says() {
	ocsptool --ask="http://$HTTP/ocsp" --load-cert="$WORK/org.pem" --load-issuer="$DIR/etc/hufu/issuing.crt" --load-trust="$WORK/chain.pem" >"$WORK/said" 2>&1
	grep -q "Certificate Status: $1" "$WORK/said" && grep -q "Verifying OCSP Response: Success" "$WORK/said"
}
all_say() {
	eventually openssl_says "$1" && nonce_says "$1" && curl_says "$1" && gnutls_says "$1" || { cat "$WORK/said"; tail -n 5 "$WORK/gate.log"; return 1; }
}

