#!/usr/bin/env bats
# hufu-gate with the real programs and real clients: a certificate is issued, held, released and revoked, and each relying party hears what the ledger says.
# One story: each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../gate

setup_file() {
	gate_begin p256
}

teardown_file() {
	gate_down
	second down
	! mountpoint -q "$WORK/second" || umount "$WORK/second"
	live_end
}

# second COMMAND…: the same for a second gate, whose state folder is a small disk of its own; the proxy's ports are free until there is one.
second() {
	local HTTP=$PROXY ADMIN=$PROXY_TLS
	"second_$@"
}
second_up() {
	mkdir "$WORK/second"
	mount -t tmpfs -o size=512k,uid="$(id -u hufu-gate)",mode=700 tmpfs "$WORK/second"
	sed "s|^listen: .*|listen: $HTTP|; s|^metrics: .*|metrics: $ADMIN|; s|^state: .*|state: $WORK/second/state|" "$WORK/gate.yaml" >"$WORK/second.yaml"
	setpriv --reuid hufu-gate --regid hufu-gate --init-groups env PATH=/usr/bin:/bin "$gate" --config "$WORK/second.yaml" 2>>"$WORK/second.log" 3>&- &
	echo $! >"$WORK/second.pid"
	eventually ready
}
second_down() {
	[ -e "$WORK/second.pid" ] || return 0
	kill "$(cat "$WORK/second.pid")"
	until_gone "$(cat "$WORK/second.pid")"
	rm "$WORK/second.pid"
}
second_says() { openssl_says "$1"; }
second_state() { curl -s "http://$ADMIN/readyz" | field state; }
second_tries_later() { ask -no_nonce -cert "$WORK/org.pem" | grep -q trylater; }

@test "without a responder's certificate: tryLater, and readiness says why" {
	configure
	responder_key
	gate_up
	gate_certificate
	run ready
	[ "$status" -ne 0 ]
	run curl -s "http://$ADMIN/readyz"
	said '"state":"responder"' '"ready":false'
	run ask -no_nonce -cert "$WORK/org.pem"
	said "trylater"
	grep -q 'event=responder_not_renewed.*responder_unknown' "$WORK/gate.log"
}

@test "once the roster lists its key the gate fetches its certificate by itself, and all clients hear good" {
	responder_listed
	eventually ready || { tail -n 5 "$WORK/gate.log"; false; }
	all_say good
	run openssl ocsp -respin "$WORK/answer.der" -noverify -resp_text
	said "OCSP No Check" "OCSP responder ocsp-1"
}

@test "caches are told what the answer says" {
	by_get "$WORK/org.pem"
	grep -qi '^cache-control: max-age=300, public, no-transform, must-revalidate' "$WORK/headers"
	grep -qi '^content-type: application/ocsp-response' "$WORK/headers"
	grep -qi '^etag: "[0-9a-f]*"' "$WORK/headers"
	tag=$(grep -i '^etag:' "$WORK/headers" | cut -d' ' -f2 | tr -d '\r')
	url=http://$HTTP/ocsp/$(base64 -w0 <"$WORK/req.der" | sed 's/+/%2B/g; s/\//%2F/g; s/=/%3D/g')
	same "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "$url")" 304
	same "$(curl -s -o /dev/null -w '%{http_code}' -H 'If-None-Match: "other"' "$url")" 200
	same "$(curl -s "$url" | sha256sum)" "$(sha256sum <"$WORK/answer.der")"
}

@test "a hold is revoked by certificateHold, and its release is good again" {
	local serial begin
	serial=$(serial_of_org)
	begin=$(date +%s%N)
	as officer hufu officer hold --as carol "$serial"
	eventually curl_says revoked
	# Told and not asserted: how long it takes is the machine's too.
	echo "# from the officer's command to the changed answer: $((($(date +%s%N) - begin) / 1000000)) ms" >&3
	all_say revoked
	openssl_says revoked
	grep -q "Reason: certificateHold" "$WORK/said"
	released
	all_say good
}

@test "two gates on one desk: both hear at once; one whose disk is full never tells as good what was told, and goes on when there is room" {
	second up
	second says good
	as officer hufu officer hold --as carol "$(serial_of_org)"
	eventually openssl_says revoked
	eventually second says revoked
	released
	eventually openssl_says good
	eventually second says good
	head -c 600k /dev/zero >"$WORK/second/filling" 2>/dev/null || :
	as officer hufu officer hold --as carol "$(serial_of_org)"
	eventually openssl_says revoked
	eventually second tries_later
	same "$(second state)" disk
	grep -q disk_full "$WORK/second.log"
	rm "$WORK/second/filling"
	eventually second says revoked
	same "$(second state)" ok
	second down
	released
	eventually openssl_says good
}

@test "killed and started again without the desk: what is still true is served, a change that was told is never forgotten" {
	gate_down -TERM
	gate_up
	openssl_says good
	hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$(serial_of_org)"
	all_say revoked
	openssl_says revoked
	grep -q "Reason: keyCompromise" "$WORK/said"
	# The snapshot is from before the revocation, and the desk is away.
	gate_down -KILL
	kill -STOP "$(cat "$WORK/ra.pid")"
	gate_up
	run ask -no_nonce -cert "$WORK/org.pem"
	kill -CONT "$(cat "$WORK/ra.pid")"
	said trylater
	all_say revoked
}

@test "the CRL: at once after a compromised key, with ETag, ranges and conditions; a shard has its own" {
	crl_has() { curl -sf -o "$WORK/full.der" "http://$HTTP/crl/$ISSUER/full.crl" && openssl crl -inform DER -in "$WORK/full.der" -noout -text | grep -q "Key Compromise"; }
	eventually crl_has
	url=http://$HTTP/crl/$ISSUER/full.crl
	openssl crl -inform DER -in "$WORK/full.der" -CAfile "$WORK/chain.pem" -noout 2>"$WORK/said"
	grep -q "verify OK" "$WORK/said"
	curl -s -D "$WORK/headers" -o /dev/null "$url"
	tag=$(grep -i '^etag:' "$WORK/headers" | cut -d' ' -f2 | tr -d '\r')
	modified=$(grep -i '^last-modified:' "$WORK/headers" | cut -d' ' -f2- | tr -d '\r')
	same "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "$url")" 304
	same "$(curl -s -o /dev/null -w '%{http_code}' -H "If-Modified-Since: $modified" "$url")" 304
	curl -s -r 0-9 "$url" >"$WORK/a"
	curl -s -r 10- "$url" >"$WORK/b"
	same "$(cat "$WORK/a" "$WORK/b" | sha256sum)" "$(sha256sum <"$WORK/full.der")"
	same "$(curl -s -r -5 "$url" | wc -c)" 5
	same "$(curl -s -o /dev/null -w '%{http_code}' -r 99999999- "$url")" 416
	# The certificate's own distribution point, by its path.
	shard=$(openssl x509 -in "$WORK/org.pem" -noout -ext crlDistributionPoints | grep -o '/crl/[0-9a-f]*/[0-9]*.crl')
	curl -sf -o "$WORK/shard.der" "http://$HTTP$shard"
	openssl crl -inform DER -in "$WORK/shard.der" -noout -text | grep -q "Issuing Distribution Point: critical"
	openssl crl -inform DER -in "$WORK/shard.der" -noout -text | grep -q "Key Compromise"
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/crl/$ISSUER/4096.crl")" 404
}

@test "two shards swapped are found out: a relying party takes no other shard for the certificate's own" {
	shard=$(openssl x509 -in "$WORK/org.pem" -noout -ext crlDistributionPoints | grep -o '/crl/[0-9a-f]*/[0-9]*.crl')
	number=${shard##*/}
	other=$(((${number%.crl} + 1) % 16))
	by_shard() { openssl verify -crl_check -CAfile "$WORK/chain.pem" -CRLfile <(curl -sf "http://$HTTP/crl/$ISSUER/$1" | openssl crl -inform DER) "$WORK/org.pem" 2>&1; }
	run by_shard "$number"
	said "certificate revoked"
	run by_shard "$other.crl"
	[ "$status" != 0 ]
	told "(unable to get certificate CRL|different CRL scope|Different CRL scope)"
}

@test "CA certificates and texts are where certificates say" {
	path=$(openssl x509 -in "$WORK/org.pem" -noout -ext authorityInfoAccess | grep -o '/ca/[0-9a-f]*.crt')
	same "$(curl -sf "http://$HTTP$path" | sha256sum)" "$(openssl x509 -in "$DIR/etc/hufu/issuing.crt" -outform DER | sha256sum)"
	same "$(curl -sf "http://$HTTP/ca/$ISSUER.pem" | grep -c BEGIN)" 2
	same "$(curl -sf "http://$HTTP/documents/cps.txt")" "what this CA promises"
	for path in /documents/../gate.yaml /documents/%2e%2e/gate.yaml /documents/ /ca/ /ca/../ca/x /crl/ "/crl/$ISSUER/../full.crl" /%00 /etc/passwd; do
		[[ "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' "http://$HTTP$path")" == 404 ]] || { echo "$path"; false; }
	done
}

@test "a key is replaced: the old one signs until the roster lists the new one, then that does" {
	signer_of() {
		ask -no_nonce -cert "$WORK/org.pem" -respout "$WORK/answer.der" >/dev/null
		openssl ocsp -respin "$WORK/answer.der" -noverify -resp_text | grep -o 'OCSP responder ocsp-[0-9]'
	}
	signs() { [ "$(signer_of)" = "OCSP responder $1" ]; }
	gate_down -TERM
	setpriv --reuid hufu-gate --regid hufu-gate --init-groups bash -c "umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out '$WORK/gate/next.key'" 2>/dev/null
	sed -i "s|keys: \[|&$WORK/gate/next.key, |" "$WORK/gate.yaml"
	: >"$WORK/gate.log"
	gate_up
	refused_once() { grep -q 'event=responder_not_renewed.*responder_unknown' "$WORK/gate.log"; }
	eventually refused_once
	signs ocsp-1
	openssl_says revoked
	openssl pkey -in "$WORK/gate/next.key" -pubout -out "$WORK/next.pub"
	listed ocsp-2 "$WORK/next.pub" "$WORK/3.note"
	eventually signs ocsp-2
	openssl_says revoked
}

@test "bad requests: the standard's word, or a 4xx" {
	post() { curl -s -o "$WORK/answer.der" -w '%{http_code}' --data-binary "@$1" -H 'Content-Type: application/ocsp-request' "http://$HTTP/ocsp"; }
	malformed() { same "$(post "$1")" 200 && same "$(openssl ocsp -respin "$WORK/answer.der" -noverify 2>&1 | head -n1)" "Responder Error: malformedrequest (1)"; }
	head -c 100 /dev/urandom >"$WORK/noise"
	malformed "$WORK/noise"
	: >"$WORK/nothing"
	malformed "$WORK/nothing"
	head -c 70000 /dev/zero >"$WORK/large"
	same "$(post "$WORK/large")" 413
	# Another CA's certificate.
	run openssl ocsp -issuer "$WORK/old/zjca-oca2.pem" -cert "$WORK/old/org.pem" -no_nonce -url "http://$HTTP/ocsp"
	said "unauthorized"
	# The issuing CA's own: the root's CRL speaks of it, and no answer here does.
	run openssl ocsp -issuer "$DIR/etc/hufu/root.crt" -cert "$DIR/etc/hufu/issuing.crt" -no_nonce -url "http://$HTTP/ocsp"
	said "unauthorized"
	# A serial that nobody has; and several in one request.
	run ask -no_nonce -serial 0x1234567890
	said "0x1234567890: unknown"
	run ask -cert "$WORK/org.pem" -serial 0x1234567890
	said "Response verify OK" "org.pem: revoked" "unknown"
	same "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "http://$HTTP/ocsp")" 405
	# As long a path as a request for 32 certificates has is read; it is no request.
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/ocsp/$(head -c 4000 /dev/zero | tr '\0' A)")" 200
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/ocsp/$(head -c 9000 /dev/zero | tr '\0' A)")" 414
	same "$(curl -s -o /dev/null -w '%{http_code}' -H "X: $(head -c 60000 /dev/zero | tr '\0' A)" "http://$HTTP/ocsp")" 431
}

@test "idle and slow connections hold up nobody" {
	python3 -c '
import resource, socket, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
host, port = sys.argv[1].split(":")
idle = [socket.create_connection((host, int(port))) for _ in range(3000)]
for i, s in enumerate(idle):
    if i % 2: s.send(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc")
    else: s.send(b"GET /ocsp/" + b"M" * (i % 300))
code = subprocess.run(["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://" + sys.argv[1] + "/documents/cps.txt"], capture_output=True, text=True).stdout
assert code == "200", code' "$HTTP"
	openssl_says revoked
}

@test "status for portals: by serial, in a batch, and by identifier and hash from the desk" {
	serial=$(serial_of_org)
	url=http://$HTTP/v1/status
	curl -sf "$url/$serial" >"$WORK/json"
	same "$(field answers.0.state <"$WORK/json")" revoked
	same "$(field answers.0.reason <"$WORK/json")" keyCompromise
	same "$(field answers.0.zh <"$WORK/json")" 已吊销
	same "$(curl -sf "$url/${serial,,}?issuer=$ISSUER" | field answers.0.issuer)" "$ISSUER"
	# The old authority's certificate that this one replaced is known too, and its successor.
	same "$(curl -sf "$url/74C2008800000F01" | field answers.0.successor)" "$serial"
	same "$(curl -sf "$url/$serial" | field answers.0.predecessor)" 74C2008800000F01
	same "$(curl -sf "$url/$serial" | field answers.0.predecessor_issuer)" "$(curl -sf "$url/74C2008800000F01" | field answers.0.issuer)"
	[ "$(curl -sf "$url/74C2008800000F01" | grep -c predecessor)" = 0 ]
	same "$(curl -sf "$url/0A0B0C" | field answers.0.state)" unknown
	curl -sf -d "{\"serials\": [\"$serial\", \"0A\"], \"refs\": [{\"serial\": \"$serial\", \"issuer\": \"$ISSUER\"}]}" "$url" >"$WORK/json"
	same "$(field answers.0.state <"$WORK/json") $(field answers.1.state <"$WORK/json") $(field answers.2.state <"$WORK/json")" "revoked unknown revoked"
	hash=$(openssl x509 -in "$WORK/org.pem" -outform DER | sha256sum | cut -d' ' -f1)
	same "$(curl -sf "$url?sha256=$hash" | field answers.0.en)" revoked
	same "$(curl -sf "$url?sha256=$hash" | field answers.0.predecessor)" 74C2008800000F01
	same "$(curl -sf -d "{\"hashes\": [\"$hash\"]}" "$url" | field answers.0.serial)" "$serial"
	code() { curl -s -o "$WORK/json" -w '%{http_code}' "$@"; }
	same "$(code "$url?identifier=91330100MAHUFU0179")" 403
	same "$(code -H 'Authorization: Bearer somebody-elses' "$url?identifier=91330100MAHUFU0179")" 403
	same "$(code -H 'Authorization: Bearer the-token-of-the-portal' "$url?identifier=91330100MAHUFU0179")" 200
	grep -q "$serial" "$WORK/json"
	for bad in "$url/XYZ" "$url" "$url/00" "$url/$serial?issuer=12" "$url/../status/1"; do same "$(code --path-as-is "$bad")" 400; done
	same "$(code -d '{"serials": []}' "$url") $(code -d '[1]' "$url") $(code -d '{"serials": [1]}' "$url") $(code -d '{' "$url")" "400 400 400 400"
}

@test "a receipt checked by the gate: what holds, what was not looked at, and what does not hold" {
	as org hufu receipt --out "$WORK/org.receipt" "$(serial_of_org)"
	checks() { # CERT RECEIPT: $WORK/json
		python3 -c 'import json, sys; print(json.dumps({"certificate": open(sys.argv[1]).read(), "receipt": open(sys.argv[2]).read()}))' "$1" "$2" >"$WORK/asked.json"
		curl -s -o "$WORK/json" -w '%{http_code}' --data-binary "@$WORK/asked.json" "http://$HTTP/v1/status/receipt"
	}
	because() { same "$(field good <"$WORK/json") $(field reason <"$WORK/json")" "false $1"; }
	same "$(checks "$WORK/org.pem" "$WORK/org.receipt")" 200
	same "$(field good <"$WORK/json") $(field serial <"$WORK/json") $(field issuer <"$WORK/json")" "true $(serial_of_org) $ISSUER"
	grep -q "wants the roster" "$WORK/json"
	same "$(field ledger <"$WORK/json")" "$(sed 's/+.*//' "$DIR/etc/hufu/log.vkey")"
	# The issuing CA's certificate is another one; the old authority's receipt there is not.
	same "$(checks "$DIR/etc/hufu/issuing.crt" "$WORK/org.receipt")" 200
	because receipt_mismatch
	python3 - "$WORK/org.receipt" "$WORK/bad.receipt" "$WORK/thief.receipt" <<-'PY'
		import base64, re, sys
		text = open(sys.argv[1]).read()
		def changed(m):
		    entry = bytearray(base64.b64decode(m[2])); entry[-1] ^= 1
		    return m[1] + base64.b64encode(entry).decode()
		open(sys.argv[2], "w").write(re.sub(r"(?m)^(outcome: [0-9]+ )(\S+)", changed, text))
		head, sig = text.rsplit(" ", 1)
		bytes_ = bytearray(base64.b64decode(sig)); bytes_[-1] ^= 1
		open(sys.argv[3], "w").write(head + " " + base64.b64encode(bytes_).decode() + "\n")
	PY
	checks "$WORK/org.pem" "$WORK/bad.receipt" >/dev/null
	because receipt_inclusion
	checks "$WORK/org.pem" "$WORK/thief.receipt" >/dev/null
	because log_signature
	head -c 700 "$WORK/org.receipt" >"$WORK/cut.receipt"
	checks "$WORK/org.pem" "$WORK/cut.receipt" >/dev/null
	because receipt_form
	checks "$WORK/cut.receipt" "$WORK/org.receipt" >/dev/null
	same "$(field good <"$WORK/json")" false
	for bad in '' '{' '[]' '{"certificate": "x"}' '{"certificate": 1, "receipt": []}' '{"certificate": {"a": 1}, "receipt": "x"}'; do
		same "$(curl -s -o "$WORK/json" -w '%{http_code}' --data-binary "$bad" "http://$HTTP/v1/status/receipt")" 400
		grep -q receipt_body "$WORK/json"
	done
	same "$(head -c 70000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' --data-binary @- "http://$HTTP/v1/status/receipt")" 413
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/v1/status/receipt")" 400
}

@test "pages of named origins may ask, others not" {
	origin() { curl -s -D - -o /dev/null -H "Origin: $1" "${@:2}" "http://$HTTP/v1/status/0A" | tr -d '\r' | grep -i '^access-control-allow-origin' || true; }
	same "$(origin https://portal.example.test)" "Access-Control-Allow-Origin: https://portal.example.test"
	same "$(origin https://portal.example.test -X OPTIONS)" "Access-Control-Allow-Origin: https://portal.example.test"
	same "$(origin https://evil.example.test)" ""
	same "$(curl -s -o /dev/null -w '%{http_code}' -X OPTIONS "http://$HTTP/v1/status/0A")" 204
}

@test "the page for people: its own files, nothing inline, nothing from elsewhere" {
	curl -sf -D "$WORK/headers" -o "$WORK/page.html" "http://$HTTP/status"
	grep -qi "^content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" "$WORK/headers"
	grep -qi '^content-type: text/html; charset=utf-8' "$WORK/headers"
	grep -qi '^x-content-type-options: nosniff' "$WORK/headers"
	grep -q '证书状态查询' "$WORK/page.html"
	grep -q 'Certificate status' "$WORK/page.html"
	python3 - "$WORK/page.html" >"$WORK/files" <<-'PY'
		import html.parser, sys
		class Page(html.parser.HTMLParser):
		    def handle_starttag(self, tag, attrs):
		        a = dict(attrs)
		        assert tag not in ("style", "iframe", "img", "base") and "style" not in a and not any(k.startswith("on") for k in a), (tag, a)
		        assert tag != "script" or a.get("src"), "a script inline"
		        for k in ("src", "href", "action"):
		            if k in a: print(a[k])
		Page().feed(open(sys.argv[1]).read())
	PY
	same "$(sort "$WORK/files" | tr '\n' ' ')" "/status/status.css /status/status.js "
	same "$(curl -sf -o "$WORK/page.js" -w '%{content_type}' "http://$HTTP/status/status.js")" "text/javascript; charset=utf-8"
	same "$(curl -sf -o "$WORK/page.css" -w '%{content_type}' "http://$HTTP/status/status.css")" "text/css; charset=utf-8"
	! grep -E 'https?://|innerHTML|eval|@import|url\(' "$WORK/page.js" "$WORK/page.css" "$WORK/page.html" || false
	cmp "$WORK/page.js" "$root/ra/gate/page/status.js"
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/status/other.js") $(curl -s -o /dev/null -w '%{http_code}' -d x "http://$HTTP/status")" "404 404"
}

# What a browser makes of the page, at a telephone's width.
window() { timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$WORK/chromium" --window-size=360,640 --virtual-time-budget=8000 "$@" 2>/dev/null; }

@test "the page in a browser: state, reason and the whole chain of a serial number; what is none is said" {
	window --dump-dom "http://$HTTP/status?serial=74c2008800000f01" >"$WORK/dom"
	grep -q '<dl class="ended">' "$WORK/dom"
	grep -q '<dl class="revoked">' "$WORK/dom"
	grep -q '已吊销 / revoked' "$WORK/dom"
	grep -q '密钥泄露 keyCompromise' "$WORK/dom"
	grep -q "$(serial_of_org)" "$WORK/dom"
	grep -q '后来的证书 / what followed it' "$WORK/dom"
	! grep -q '以前的证书' "$WORK/dom" || false
	window --dump-dom "http://$HTTP/status?serial=0A0B0C" >"$WORK/dom"
	grep -q '没有这张证书 / no such certificate' "$WORK/dom"
	window --dump-dom "http://$HTTP/status?serial=%3Cb%3Ehello" >"$WORK/dom"
	grep -q '序列号应为十六进制数字' "$WORK/dom"
	! grep -q '<b>hello' "$WORK/dom" || false
}

@test "files dropped onto the page: a certificate's state and chain; with its receipt, what that proves" {
	SERIAL=$(serial_of_org) run timeout 120 node "$root/tests/browser/status.mjs"
	echo "$output"
	[ "$status" = 0 ]
}

@test "the log: its checkpoint holds, and its hashes give the checkpoint's root" {
	curl -sf "http://$HTTP/log/checkpoint" >"$WORK/checkpoint"
	size=$(sed -n 2p "$WORK/checkpoint")
	grep -q "^hufu/log/$ISSUER$" "$WORK/checkpoint"
	[ "$size" -gt 5 ]
	[ "$size" -lt 256 ]
	curl -sf "http://$HTTP/log/tile/0/000.p/$size" >"$WORK/tile"
	python3 -c '
import base64, hashlib, sys
lines = open(sys.argv[1]).read().split("\n")
data = open(sys.argv[2], "rb").read()
leaves = [data[i:i + 32] for i in range(0, len(data), 32)]
def root(v):
    if len(v) == 1: return v[0]
    k = 1
    while k * 2 < len(v): k *= 2
    return hashlib.sha256(b"\1" + root(v[:k]) + root(v[k:])).digest()
assert len(leaves) == int(lines[1]) and root(leaves) == base64.b64decode(lines[2]), "the root is another"' "$WORK/checkpoint" "$WORK/tile"
	code() { curl -s --path-as-is -o /dev/null -w '%{http_code}' "http://$HTTP/log/$1"; }
	same "$(code tile/0/000) $(code tile/0/001.p/1) $(code tile/1/000.p/1)" "404 404 404"
	same "$(code tile/0/0) $(code tile/0/000.p/0) $(code tile/0/000.p/256) $(code tile/9/000) $(code tile/0/x000/000) $(code entries)" "404 404 404 404 404 404"
}

@test "behind nginx, by the example of docs/gate.md: OCSP by POST and GET over HTTP, status over HTTPS" {
	mkdir -p "$WORK/nginx/logs"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/nginx/tls.key" -out "$WORK/nginx/tls.pem" -days 2 -subj /CN=pki.example.test \
		-addext subjectAltName=DNS:pki.example.test 2>/dev/null
	awk '/^```nginx$/ {on = ++n == 1; next} /^```$/ {on = 0} on' "$root/docs/gate.md" | sed -e "s/127.0.0.1:8080/$HTTP/" -e "s/listen 80;/listen $PROXY;/" \
		-e "s/listen 443 ssl;/listen $PROXY_TLS ssl;/" -e "s|/etc/ssl/pki.example.test|$WORK/nginx/tls|" >"$WORK/nginx/site.conf"
	[ "$(grep -c 'listen 127.0.0.1' "$WORK/nginx/site.conf")" = 2 ]
	printf 'pid %s/pid; error_log %s/error.log; events {}\nhttp { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s; include %s/site.conf; }\n' \
		"$WORK/nginx" "$WORK/nginx" "$WORK/nginx" "$WORK/nginx" "$WORK/nginx" "$WORK/nginx" "$WORK/nginx" "$WORK/nginx" >"$WORK/nginx/nginx.conf"
	nginx -e "$WORK/nginx/error.log" -p "$WORK/nginx" -c "$WORK/nginx/nginx.conf" 3>&-
	direct=$HTTP
	HTTP=$PROXY
	run openssl_says revoked
	[ "$status" = 0 ] || { cat "$WORK/said"; stop_nginx; false; }
	run curl_says revoked
	[ "$status" = 0 ] || { cat "$WORK/said"; stop_nginx; false; }
	run curl -sf --cacert "$WORK/nginx/tls.pem" --resolve "pki.example.test:${PROXY_TLS#*:}:127.0.0.1" "https://pki.example.test:${PROXY_TLS#*:}/v1/status/0A"
	plain=$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/v1/status/0A")
	admin=$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/metrics")
	stop_nginx
	HTTP=$direct
	said '"state":"unknown"'
	same "$plain $admin" "404 404"
}

stop_nginx() {
	kill -QUIT "$(cat "$WORK/nginx/pid")"
	while [ -e "$WORK/nginx/pid" ]; do :; done
}

@test "metrics count what was answered, and who is late says so" {
	run curl -s "http://$ADMIN/metrics"
	told 'hufu_gate_requests_total\{kind="ocsp",result="malformed"\} [1-9]' 'hufu_gate_requests_total\{kind="ocsp",result="kept"\} [1-9]' \
		'hufu_gate_request_seconds_bucket\{le="\+Inf"\} [1-9]' 'hufu_gate_request_seconds_count [1-9]' 'hufu_gate_crl_age_seconds [0-9]' 'hufu_gate_crl_left_seconds [1-9]' \
		'hufu_gate_feed_beat_age_seconds [0-9]' 'hufu_gate_ready 1' 'hufu_gate_responder_left_seconds 6[0-9]{5}' 'hufu_gate_feed_behind_entries 0'
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/metrics")" 404
}

@test "another ledger is refused, for good" {
	gate_down -TERM
	# Followed further than the ledger goes: an older copy of it, or another.
	sed -i '2s/.*/999999/' "$WORK/gate/state/followed"
	gate_up
	forked() { curl -s "http://$ADMIN/readyz" | grep -q '"state":"forked"'; }
	eventually forked
	run ask -no_nonce -cert "$WORK/org.pem"
	said trylater
	grep -q 'event=ledger_fork audit=1' "$WORK/gate.log"
	# Neither time nor a new start helps, nor its status over HTTP.
	gate_down -TERM
	gate_up
	eventually forked
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/v1/status/$(serial_of_org)")" 503
}

@test "after the operator's word: an empty state folder, and the gate reads the ledger anew" {
	gate_down -TERM
	mv "$WORK/gate/state" "$WORK/gate/state.before"
	gate_up
	eventually ready
	openssl_says revoked
	same "$(curl -sf "http://$HTTP/v1/status/$(serial_of_org)" | field answers.0.reason)" keyCompromise
	grep -q 999999 "$WORK/gate/state.before/followed"
}

@test "SIGTERM ends it, and its sockets" {
	gate_down -TERM
	grep -q 'event=stopping' "$WORK/gate.log"
	! grep -q 'error\|SIGSYS' <(grep '^<[0-3]>' "$WORK/gate.log" | grep -v ledger_fork | grep -v follow_failed) || false
}

@test "the gate.yaml of hufu init starts as it is, for whoever laid the tree out: status and CRL; OCSP waits for a key" {
	same "$(stat -c '%a %U' "$DIR/var/lib/hufu-gate")" "700 $(id -un)"
	sed -i "s/127.0.0.1:8080/$HTTP/; s/127.0.0.1:8081/$ADMIN/" "$DIR/etc/hufu/gate.yaml"
	"$gate" --config "$DIR/etc/hufu/gate.yaml" 2>"$WORK/gate.log" 3>&- &
	echo $! >"$WORK/gate.pid"
	known() { curl -s "http://$HTTP/v1/status/$(serial_of_org)" | grep -q '"state":"revoked"'; }
	eventually known
	served() { curl -sf -o "$WORK/full.der" "http://$HTTP/crl/$ISSUER/full.crl"; }
	eventually served
	run ask -no_nonce -cert "$WORK/org.pem"
	said trylater
	gate_down -TERM
}
