#!/usr/bin/env bats
# The portal role of hufu-gate with the real programs: what a page's call must be, whose it is, and what no page may ask. curl is the browser.
# One story: each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../portal

setup_file() { portal_begin; }
teardown_file() {
	[ ! -e "$WORK/demo.pid" ] || kill "$(cat "$WORK/demo.pid")" 2>/dev/null || : # it may have ended by itself
	portal_end
}

# page OPTIONS…: curl to /rpc as a page of this portal would; headers in $WORK/headers, the status in $code.
page() {
	local usual=()
	[[ "$*" == *Origin:* ]] || usual+=(-H "Origin: http://$HTTP")
	[[ "$*" == *Content-Type:* ]] || usual+=(-H "Content-Type: application/json")
	code=$(curl -s -D "$WORK/headers" -o "$WORK/answer" -w '%{http_code}' "${usual[@]}" "$@" "http://$HTTP/rpc")
	output=$(cat "$WORK/answer")
}
# call METHOD [PARAMS [OPTIONS…]]
call() { page "${@:3}" --data-binary "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"$1\",\"params\":${2:-{\}}}"; }
# refuses CODE REASON: of the last call.
refuses() {
	same "$code" "$1" && said "\"reason\":\"$2\"" '"zh":"' '"en":"'
}
cookie() { sed -n 's/^set-cookie: hufu-session=\([^;]*\);.*/\1/Ip' "$WORK/headers"; }

@test "the pages: one that is asked for anew, all others for good, each with the strict policy" {
	curl -si "http://$HTTP/" >"$WORK/index"
	grep -qi "^content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' http://127.0.0.1:27183; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" "$WORK/index"
	grep -qi '^x-content-type-options: nosniff' "$WORK/index"
	grep -qi '^referrer-policy: no-referrer' "$WORK/index"
	grep -qi '^cache-control: no-cache' "$WORK/index"
	! sed '1,/^\r*$/d' "$WORK/index" | grep -E '<script>|style=|https?://' || false
	path=$(grep -o '/a/[0-9a-f]*/main.js' "$WORK/index")
	curl -si "http://$HTTP$path" >"$WORK/main"
	grep -qi '^cache-control: max-age=31536000, public, no-transform, immutable' "$WORK/main"
	tag=$(grep -i '^etag:' "$WORK/index" | cut -d' ' -f2 | tr -d '\r')
	same "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "http://$HTTP/")" 304
	same "$(curl -s --compressed "http://$HTTP$path" | sha256sum)" "$(sha256sum <"$root/ra/gate/pages/main.js")"
	curl -s -D "$WORK/headers" -o /dev/null -H "Accept-Encoding: gzip" "http://$HTTP${path%main.js}style.css"
	grep -qi '^content-encoding: gzip' "$WORK/headers"
	grep -qi '^vary: accept-encoding' "$WORK/headers"
	same "$(curl -s "http://$HTTP/agent.json")" '{"agent":"http://127.0.0.1:27183"}'
	for other in /a/0000000000000000/main.js /a/../main.js /index.html /desk.html /ocsp /v1/status/0BAD; do
		same "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' "http://$HTTP$other")" 404
	done
}

@test "what is no page's call is refused: method, content type, origin, site, body" {
	same "$(curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/rpc")" 405
	call calendar.show '{}'
	same "$code" 200
	echo "$output"; cat "$WORK/demo.log" | tail -5; said '"result"'
	call calendar.show '{}' -H "Content-Type: text/plain"
	refuses 415 content_type
	call calendar.show '{}' -H "Content-Type: application/x-www-form-urlencoded"
	refuses 415 content_type
	call calendar.show '{}' -H "Origin: https://evil.example.test"
	refuses 403 origin
	call calendar.show '{}' -H "Origin: http://$HTTP.evil.example.test"
	refuses 403 origin
	call calendar.show '{}' -H "Origin: null"
	refuses 403 origin
	call calendar.show '{}' -H "Origin:"
	refuses 403 origin
	call calendar.show '{}' -H "Sec-Fetch-Site: cross-site"
	refuses 403 origin
	for body in '' '[' '[]' 'null' '{"jsonrpc":"2.0","id":1}' '{"jsonrpc":"1.0","id":1,"method":"calendar.show"}' '{"jsonrpc":"2.0","method":"calendar.show"}' \
		'{"jsonrpc":"2.0","id":1,"method":"calendar.show","params":[]}' '[{"jsonrpc":"2.0","id":1,"method":"calendar.show"}]' '{"id":1,"id":1}'; do
		page --data-binary "$body"
		same "$code" 400
		told '"reason":"(json|call)"'
	done
	head -c 1048577 /dev/zero | tr '\0' ' ' >"$WORK/huge"
	page --data-binary "@$WORK/huge"
	same "$code" 413
	page -H "Transfer-Encoding: chunked" --data-binary "@$WORK/huge"
	same "$code" 413
	python3 -c 'print("[" * 100000)' >"$WORK/deep"
	page --data-binary "@$WORK/deep"
	refuses 400 json
}

@test "a page may ask for what is its reader's, and nothing else" {
	for method in import.accounts notice.take edge.feed order.callback order.confirm review.queue review.approve audit.list account.find rpc.discover no.such; do
		call "$method"
		refuses 200 method
	done
	for params in '{"session":"abc"}' '{"address":"192.0.2.1"}' '{"wait_ms":30000}'; do
		call account.show "$params"
		refuses 200 param_reserved
	done
	call project.search '{"query":"金华市公共资源中心"}'
	said "金华市公共资源交易中心"
}

@test "the session is a cookie that no script reads; without one, with a foreign or a broken one, nobody is in" {
	call account.show
	refuses 200 session_missing
	call account.show '{}' -H "Cookie: hufu-session=somebodyelses"
	refuses 200 session_unknown
	grep -qi '^set-cookie: hufu-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict' "$WORK/headers"
	call account.show '{}' -H 'Cookie: hufu-session=a"b{}'
	refuses 200 session_missing
	call account.login '{"identifier":"35353550-9","password":"wrong"}'
	same "$code" 200
	said '"error"' '"zh"'
	! grep -qi '^set-cookie' "$WORK/headers" || false
	call account.login '{"identifier":"35353550-9","password":"88888888"}'
	said '"must_reset":true'
	[[ "$output" != *'"session"'* ]]
	grep -qi '^set-cookie: hufu-session=[A-Za-z0-9_-]*; Path=/; HttpOnly; Secure; SameSite=Strict' "$WORK/headers"
	cookie >"$WORK/cookie"
	call account.show '{}' -H "Cookie: hufu-session=$(cat "$WORK/cookie")"
	said '"must_reset":true' "杭州田谷"
	# Bound to the portal's Unix user: the token opens nothing at the desk itself.
	run hufu --json rpc account.show "{\"session\":\"$(cat "$WORK/cookie")\"}"
	[ "$status" != 0 ]
	said session_unknown
	# and is nowhere in the portal's log
	! grep -q "$(cat "$WORK/cookie")" "$WORK/portal.log" || false
}

@test "the desk hears where a person is, from the proxy that is named and from nobody else" {
	call account.login '{"identifier":"35353550-9","password":"88888888"}' -H "X-Real-IP: 203.0.113.5"
	hufu --json audit list >"$WORK/audit"
	grep -q '"address": *"127.0.0.1"' "$WORK/audit"
	! grep -q 203.0.113.5 "$WORK/audit" || false
	gate_down
	portal_up 'portal: {address_header: X-Real-IP, agent: "http://127.0.0.1:17000"}'
	call account.login '{"identifier":"35353550-9","password":"88888888"}' -H "X-Real-IP: 203.0.113.5"
	hufu --json audit list >"$WORK/audit"
	grep -q '203.0.113.5' "$WORK/audit"
	call account.login '{"identifier":"35353550-9","password":"88888888"}' -H "X-Real-IP: not an address"
	said '"must_reset"'
	curl -si "http://$HTTP/" | grep -qi "connect-src 'self' http://127.0.0.1:17000;"
}

@test "logged out is logged out, and the same call again gets the same answer" {
	call account.logout '{"call_id":"logout-of-the-tests"}' -H "Cookie: hufu-session=$(cat "$WORK/cookie")"
	echo "$output"; cat "$WORK/demo.log" | tail -5; said '"result"'
	grep -qi '^set-cookie: hufu-session=; Max-Age=0' "$WORK/headers"
	call account.logout '{"call_id":"logout-of-the-tests"}' -H "Cookie: hufu-session=$(cat "$WORK/cookie")"
	echo "$output"; cat "$WORK/demo.log" | tail -5; said '"result"'
	call account.show '{}' -H "Cookie: hufu-session=$(cat "$WORK/cookie")"
	refuses 200 session_unknown
}

@test "while the desk is away the portal says so, and goes on by itself" {
	kill -STOP "$(cat "$WORK/ra.pid")"
	! ready || false
	kill -CONT "$(cat "$WORK/ra.pid")"
	eventually ready
	call no.such
	curl -s "http://$ADMIN/metrics" | grep -q '^hufu_gate_requests_total{kind="rpc",result="refused"} [1-9]'
}

@test "an officers' portal has other pages and other methods, and wants to be told who it is" {
	gate_down
	portal_up 'portal: {audience: officers, officer_header: X-Officer}'
	curl -s "http://$HTTP/" | grep -q '/desk.js'
	call account.login '{"identifier":"35353550-9","password":"88888888"}'
	refuses 200 method
	call review.queue
	refuses 403 officer_unknown
	# This gate's Unix user is no officer's: the desk is what refuses.
	call review.queue '{}' -H "X-Officer: alice"
	said '"error"' method_denied
}

@test "a portal that is configured wrongly does not start, and says what is wrong" {
	wrong() { # WORDS LINES…
		printf '%s\n' "role: portal" "desk_socket: /nowhere" "listen: $HTTP" "metrics: $ADMIN" "${@:2}" >"$WORK/wrong.yaml"
		fails 4 "$1" "$gate" --config "$WORK/wrong.yaml"
	}
	wrong origins
	wrong "holds no key" 'origins: ["https://a.example.test"]' "responder: {keys: [/k]}"
	wrong "wanted scheme and host" 'origins: ["https://a.example.test/path"]'
	wrong "wanted scheme and host" 'origins: ["https://a.example.test"]' "portal: {agent: \"http://a; script-src *\"}"
	wrong audience 'origins: ["https://a.example.test"]' "portal: {audience: everybody}"
}

@test "hufu demo --stay: what it prints opens the portal, and it ends with all that it started" {
	gate_down
	"$hufu" demo --dir "$WORK/demo" --ca-user hufu-ca --ra-user hufu-ra --stay "$HTTP" >"$WORK/demo.log" 2>&1 3>&- &
	local demo=$!
	echo "$demo" >"$WORK/demo.pid"
	eventually grep -q "^  codes by SMS" "$WORK/demo.log" || { tail "$WORK/demo.log"; false; }
	grep -q "The portal is at http://$HTTP/" "$WORK/demo.log"
	name=$(awk '/^  log in as/ {print $NF}' "$WORK/demo.log") password=$(awk '/^  password/ {print $NF}' "$WORK/demo.log")
	call account.login "{\"identifier\":\"$name\",\"password\":\"$password\"}"
	said '"result"'
	call account.show '{}' -H "Cookie: hufu-session=$(cookie)"
	said 35353550-9
	kill "$demo"
	until_gone "$demo"
	! pgrep -f "$WORK/demo/etc/hufu/" || false
	! curl -s "http://$HTTP/" || false
}
