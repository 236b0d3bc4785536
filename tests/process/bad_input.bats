#!/usr/bin/env bats
# Malformed, oversized and hostile input to the running programs, by every road that leads in. Each gets a refusal that names object, field, found and
# wanted; after each test both programs are the ones that ran before, and no certificate was made.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	local n codes=(0179 0254 033Y 041R 05XH)
	for n in 1 2 3 4 5; do
		old_cert "org$n" "74C2008800000F0$n" "杭州坏料示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row 91330100MAHUFU0179 杭州坏料示例1有限公司 2060$n "+200 days" "杭州坏料示例${n}有限公司" "74C2008800000F0$n" "org$n"
	done
	old_crl
	# An issuing CA of three years, so that an extension by three ends after it.
	cp -r "$root/policies" "$WORK/policies"
	sed -i 's/not_after: 2035-/not_after: 2029-/' "$WORK/policies/ceremonies/issuing.yaml"
	init --policies "$WORK/policies" >/dev/null
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	paid_order org 20601 >"$WORK/order"
	issued >"$WORK/issued"
	base_notes
	export PYTHONPATH=$WORK
}

teardown_file() { live_end; }

teardown() {
	both_live || { echo "a program has ended"; return 1; }
	same "$(issued)" "$(cat "$WORK/issued")"
}

# --- JSON-RPC, byte by byte

@test "the desk: bytes that are no JSON, no request, or no call of this method" {
	session=$(cat "$WORK"/people/org/hufu/session-*)
	python3 - "$DIR/run/hufu/ra/desk.sock" "$session" <<'PY'
import json, sys
import wire

path, session = sys.argv[1:]
call = lambda method, **params: json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}, ensure_ascii=False).encode()
mine = lambda method, **params: call(method, session=session, **params)
change = lambda method, **params: mine(method, call_id="bad-input-%d" % id(params), **params)
request = b'{"jsonrpc": "2.0", "id": 7, "method": "project.search", "params": {"query": "x"}'
prepare = dict(kind="extend", way="same-key", project="jinhua", serial="74C2008800000F01", months=12)
rows = [
    # bytes                                                            code, reason, field, what the text names
    (b"", -32700, "json_syntax", "", []),
    (b"{", -32700, "json_syntax", "", []),
    (request, -32700, "json_syntax", "", []),
    (request + b"} {", -32700, "json_syntax", "", []),
    (b"\xef\xbb\xbf" + request + b"}", -32700, "json_syntax", "", []),
    (request.replace(b'"x"', b'"\xff\xfe"') + b"}", -32700, "json_utf8", "", []),
    (request.replace(b'"x"', b'"\xed\xa0\x80"') + b"}", -32700, "json_utf8", "", []),
    (request.replace(b'"x"', b'"\xc0\xaf"') + b"}", -32700, "json_utf8", "", []),
    (request.replace(b'"x"', b'"a\x00b"') + b"}", -32700, "json_nul", "", []),
    (request.replace(b'"x"', b'"a\\u0000b"') + b"}", -32700, "json_nul", "", []),
    (request.replace(b'"x"', b'"a\\ud800b"') + b"}", -32700, "json_syntax", "", []),
    (request.replace(b'"query": "x"', b'"query": "x", "query": "y"') + b"}", -32700, "json_duplicate_key", "", ["query"]),
    (request.replace(b'"x"', b"[" * 40 + b"]" * 40) + b"}", -32600, "json_depth", "", ["16"]),
    (request.replace(b'"x"', b"[" + b"1," * 70000 + b"1]") + b"}", -32600, "json_values", "", ["65536"]),
    (request.replace(b'"x"', b"1" * 500) + b"}", None, None, None, []),
    (b"7", -32600, "rpc_invalid", "", ["object"]),
    (b'"text"', -32600, "rpc_invalid", "", ["object"]),
    (b"null", -32600, "rpc_invalid", "", []),
    (b"[]", -32600, "rpc_batch", "", ["32"]),
    (b"[" + b",".join([request + b"}"] * 33) + b"]", -32600, "rpc_batch", "", ["33", "32"]),
    (request.replace(b'"2.0"', b'"1.0"') + b"}", -32600, "rpc_invalid", "jsonrpc", ["2.0"]),
    (request.replace(b'"id": 7', b'"id": {}') + b"}", -32600, "rpc_invalid", "id", []),
    (request.replace(b'"id": 7', b'"id": "' + b"x" * 200 + b'"') + b"}", -32600, "rpc_invalid", "id", ["128"]),
    (request.replace(b'"id": 7', b'"id": 7.5') + b"}", -32600, "rpc_invalid", "id", []),
    (request.replace(b'"project.search"', b"5") + b"}", -32600, "rpc_invalid", "method", []),
    (request.replace(b'{"query": "x"}', b'["x"]') + b"}", -32602, "param_type", "params", ["by name"]),
    (request + b', "extra": 1}', -32600, "rpc_invalid", "", ["extra"]),
    (call("project.serach", query="x"), -32601, "method_unknown", "method", ["project.serach", "project.search"]),
    (call("x" * 5000, query="x"), -32600, "rpc_invalid", "method", ["64"]),
    (call("project.search"), -32602, "param_missing", "query", ["query"]),
    (call("project.search", qeury="x"), -32602, None, None, ["qu"]),
    (call("project.search", query="x", extra=1), -32602, "param_unknown", "extra", ["extra"]),
    (call("project.search", query=5), -32602, "param_type", "query", ["string"]),
    (call("project.search", query=None), -32602, "param_type", "query", ["string"]),
    (call("project.search", query={"a": 1}), -32602, "param_type", "query", ["string"]),
    (call("project.search", query=""), -32602, "param_range", "query", ["0", "1"]),
    (call("project.search", query="x" * 601), -32602, "param_range", "query", ["601", "600"]),
    (call("status.query", serials=[]), -32602, "param_range", "serials", ["0", "1"]),
    (call("status.query", serials=["01"] * 1001), -32602, "param_range", "serials", ["1001", "1000"]),
    (call("status.query", serials=[1]), -32602, "param_type", "serials", []),
    (call("status.query", serials=["0x01"]), None, "serial_form", None, ["0x01", "upper-case hex"]),
    (call("status.query", serials=["ab"]), None, "serial_form", None, ["ab"]),
    (call("status.query", serials=["00AB"]), None, "serial_form", None, ["00AB"]),
    (call("status.query", serials=["AB" * 21]), None, "serial_form", None, []),
    (call("status.query", refs=[{"issuer": "zz", "serial": "AB"}]), None, "issuer_form", None, ["zz"]),
    (call("status.query", refs=["AB"]), -32602, "param_type", "refs", []),
    (call("status.query"), None, "status_nothing", None, []),
    (call("crl.get", shard=-1), -32602, "param_range", "shard", ["-1", "0"]),
    (call("crl.get", shard=5000), -32602, "param_range", "shard", ["5000", "4095"]),
    (call("crl.get", shard=1.5), -32602, "param_type", "shard", ["integer"]),
    (call("crl.get", shard=2**80), None, None, None, []),
    (call("service.list"), -32602, "param_missing", "session", []),
    (call("service.list", session="x"), None, "session_unknown", None, []),
    (call("service.list", session="0" * 64), None, "session_unknown", None, []),
    (call("service.list", session=[session]), -32602, "param_type", "session", []),
    (mine("service.list", page=0), -32602, "param_range", "page", ["0", "1"]),
    (mine("service.list", per_page=101), -32602, "param_range", "per_page", ["101", "100"]),
    (mine("request.prepare", **prepare), -32602, "param_missing", "call_id", []),
    (mine("request.prepare", call_id="x", **prepare), None, None, "call_id", ["8"]),
    (mine("request.prepare", call_id="no spaces here", **prepare), None, None, "call_id", []),
    (change("request.prepare", **{**prepare, "kind": "mint"}), -32602, "param_word", "kind", ["mint", "extend"]),
    (change("request.prepare", **{**prepare, "months": "12"}), -32602, "param_type", "months", ["integer"]),
    (change("request.prepare", **{**prepare, "months": 1201}), -32602, "param_range", "months", ["1201", "1200"]),
    (change("request.prepare", **{**prepare, "serial": "74C2008800000FFF"}), None, "certificate_unknown", None, ["74C2008800000FFF"]),
    (change("request.prepare", **{**prepare, "way": "free-of-charge"}), None, "way_unknown", None, ["free-of-charge"]),
    (change("request.prepare", **{**prepare, "project": "nowhere"}), None, "project_unknown", None, ["nowhere"]),
    (change("request.prepare", **{**prepare, "profile": "root-ca"}), None, "profile_unknown", None, ["root-ca"]),
    (change("request.prepare", **{**prepare, "request": "0" * 32}), None, "request_unknown", None, []),
    (change("request.prepare", **{**prepare, "subject": [{"attribute": "O"}]}), None, None, None, ["value"]),
    (change("request.prepare", **{**prepare, "subject": [{"attribute": "OO", "value": "x"}]}), None, "subject_attribute", None, ["OO"]),
    (change("request.prepare", **{**prepare, "subject": [{"attribute": "O", "value": "x"}] * 17}), -32602, "param_range", "subject", ["17", "16"]),
    (change("request.prepare", **{**prepare, "reason": "keyCompromise"}), None, "reason_form", None, []),
    (change("request.prepare", **{**prepare, "kind": "revoke", "way": "by-subscriber", "reason": "boredom"}), None, "reason_form", None, ["boredom"]),
    (mine("request.show", request="../../etc/passwd"), None, "request_unknown", None, ["../../etc/passwd"]),
    (mine("request.show", request="../../../../../../../../../../etc/passwd"), -32602, "param_range", "request", ["32"]),
    (mine("request.show", request="z" * 32), None, "request_unknown", None, []),
    (mine("request.show", request="0" * 32, wait_ms=10**6), -32602, "param_range", "wait_ms", ["10000"]),
    (change("request.prove", request="0" * 32, lines=["a", "b", "c"]), -32602, "param_range", "lines", ["3", "2"]),
    (change("order.create", service_id="20601", kind="steal"), -32602, "param_word", "kind", ["steal", "renew"]),
    (change("order.create", service_id="' OR 1=1 --", kind="renew"), None, "service_unknown", None, ["OR 1=1"]),
    (change("material.put", request="0" * 32, name="x", content="!!!!"), None, None, None, []),
    (call("order.confirm", order="1", bank_reference="x" * 1000, call_id="bad-input-confirm"), -32602, "param_range", "bank_reference", ["1000"]),
    (call("material.get", request="0" * 32, name="../../../etc/shadow", sha256="0" * 64), None, None, None, []),
    (call("import.accounts", rows=[{"line": 1}], call_id="bad-input-import", dry_run=True), "report", None, None, ["account_identifier"]),
]
bad = []
w = wire.open_wire(path)
for body, code, reason, field, names in rows:
    answer = json.loads(w.ask(body))
    error = answer.get("error") or {}
    data, whole = error.get("data", {}), json.dumps(answer, ensure_ascii=False)
    why = None
    if code == "report":
        pass
    elif not error or not error.get("message") or not data.get("reason") or not data.get("zh") or not data.get("en"):
        why = "no error with reason, zh and en"
    elif code is not None and error["code"] != code:
        why = "code"
    elif reason is not None and data["reason"] != reason:
        why = "reason"
    elif field and data.get("field", "").split(".")[-1] != field:
        why = "field"
    elif "ref" in data or data.get("kind") == "internal":
        why = "internal"
    if not why and any(n not in whole for n in names):
        why = "names"
    if why:
        bad.append("%-10s %s\n           %s" % (why, body[:160], whole[:400]))
print("%d rows" % len(rows))
print("\n".join(bad))
sys.exit(bool(bad))
PY
}

@test "the desk: a call id is one call's; a session is one user's" {
	session=$(cat "$WORK"/people/org/hufu/session-*)
	call="{\"session\": \"$session\", \"call_id\": \"one-call-only\", \"service_id\": \"20602\", \"kind\": \"renew\"}"
	did hufu rpc order.create "$call"
	first=$output
	did hufu rpc order.create "$call"
	same "$output" "$first"
	refused call_id_reused hufu rpc order.create "${call/20602/20603}"
	as org hufu order cancel "$(field order <<<"$first")" >/dev/null
	# A user whom ra.yaml does not list reaches the socket and hears nothing.
	install -m 755 "$hufu" "$WORK/hufu-bin"
	fails 3 "desk.sock" as_ra "$WORK/hufu-bin" rpc project.search '{"query": "x"}'
}

@test "the sockets: greetings, frames and lengths that are none; each is hung up on, the next caller is served" {
	for socket in ra/desk ca/ra operator/ca; do
		python3 - "$DIR/run/hufu/$socket.sock" "$(id -u hufu-ra)" <<'PY'
import os, pwd, socket, struct, sys
import wire

path, ra = sys.argv[1], pwd.getpwuid(int(sys.argv[2]))
if path.endswith("/ca/ra.sock"):
    os.setgroups([]), os.setgid(ra.pw_gid), os.setuid(ra.pw_uid)
hello = b"\0SP\0\0\x30\0\0"
frame = lambda n, body, kind=1, id=0x80000001: struct.pack(">BQI", kind, n, id) + body
rows = {
    "nothing": b"",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a greeting": hello[:4],
    "another protocol's greeting": b"\0SP\0\0\x10\0\0",
    "a version to come": b"\0SP\1\0\x30\0\0",
    "reserved octets set": b"\0SP\0\0\x30\0\1",
    "a frame of another kind": hello + frame(8, b"abcd", kind=2),
    "length 0": hello + struct.pack(">BQ", 1, 0),
    "length 3, no room for an id": hello + struct.pack(">BQ", 1, 3) + b"abc",
    "length 2^63": hello + frame(2**63, b""),
    "length 2^64 - 1": hello + frame(2**64 - 1, b""),
    "one byte more than the limit": hello + frame(13 * 1024 * 1024, b"x" * 65536),
    "an id without the highest bit": hello + frame(8, b"abcd", id=1),
    "a frame cut short": hello + frame(100, b"abc"),
    "random bytes": bytes((i * 7919 + i * i) % 256 for i in range(5000)),
}
for name, sent in rows.items():
    w = wire.Wire(path, timeout=15)
    try:
        w.s.sendall(sent)
        w.s.shutdown(socket.SHUT_WR)
        while w.s.recv(65536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    except socket.timeout:
        sys.exit("%s: not hung up on" % name)
    again = wire.open_wire(path)
    answer = again.ask(b"{}" if "desk" in path else b"\1\4\0" if "/ca/ra" in path else b"\1\x14\0")
    assert answer[:1] == b"{" or answer[:2] == b"\1\x44", (name, answer[:80])
print("%d rows" % len(rows))
PY
	done
}

@test "the signer's wire: unknown, cut, longer, too long; only what the socket serves" {
	for socket in ca/ra operator/ca; do
		python3 - "$DIR/run/hufu/$socket.sock" "$(id -u hufu-ra)" <<'PY'
import os, pwd, random, struct, sys
import wire

path, ra = sys.argv[1], pwd.getpwuid(int(sys.argv[2]))
of_ra = path.endswith("/ca/ra.sock")
if of_ra:
    os.setgroups([]), os.setgid(ra.pw_gid), os.setuid(ra.pw_uid)
w = wire.open_wire(path)
bad = []


def wants(name, body, *rules):
    said = wire.say(w.ask(body))
    if not said.startswith("fault ") or said.split()[2].rstrip(":") not in rules or said.split()[1] == "internal":
        bad.append("%s: wanted %s, said %s" % (name, "/".join(rules), said))


note, F = b"hufu/tally/v1\n\n", wire.field
u32, u64 = (lambda n: struct.pack(">I", n)), (lambda n: struct.pack(">Q", n))
tally = wire.tally(note)
health = b"\1\4\0" if of_ra else b"\1\x14\0"
wants("empty", b"", "wire_truncated", "wire_version")
wants("version 0", b"\0" + tally[1:], "wire_version")
wants("version 2", b"\2" + tally[1:], "wire_version")
for n in (0, 9, 15, 27, 63, 77, 95, 100, 127, 143, 255):
    wants("type %d" % n, bytes([1, n]) + b"\0" * 64, "wire_type")
for n in (*range(64, 77), 96, 99, 128, 133, 136, 141, 142):
    wants("an answer or entry, type %d" % n, bytes([1, n]) + b"\0" * 64, "message_not_served")
for n in (range(16, 27) if of_ra else (3, 4, 6, 7)):
    wants("the other socket's type %d" % n, bytes([1, n]) + b"\0" * 64, "message_not_served")
for n in range(1, len(tally)):
    wants("cut to %d" % n, tally[:n], "wire_truncated", "wire_version")
wants("a byte more", tally + b"\0", "wire_trailing")
wants("a note longer than all", b"\1\1" + u32(0xFFFFFFFF) + note, "wire_bytes", "wire_truncated")
wants("a note over the limit", wire.tally(b"x" * 49153), "wire_bytes")
wants("a CSR over the limit", wire.tally(note, b"x" * 16385), "wire_bytes")
piece = u64(0) + b"\0" * 32
wants("CRL of nobody", b"\1\2" + b"\0" * 20 + u32(0xFFFFFFFF) + piece, "issuer_unknown")
wants("CRL of a shard far out", b"\1\2" + b"\0" * 20 + u32(70000) + piece, "issuer_unknown", "shard_unknown")
if of_ra:
    wants("follow too many", b"\1\3" + u64(0) + u32(1025) + u32(0), "wire_number")
    wants("follow too long", b"\1\3" + u64(0) + u32(1) + u32(1001), "wire_number")
else:
    wants("no order", b"\1\x17" + F(b""), "note_size", "note_form", "signer_locked")
    wants("an order too long", b"\1\x17" + F(b"x" * 4097), "wire_bytes")
    wants("no share", b"\1\x18" + F(b""), "note_size", "note_form")
    wants("a share too long", b"\1\x18" + F(b"x" * 4097), "wire_bytes")
    wants("a tally as a share", b"\1\x18" + F(note), "note_unsigned")
    wants("no passphrase", b"\1\x13" + F(b""), "passphrase_empty")
    wants("a passphrase too long", b"\1\x13" + F(b"x" * 1025), "wire_bytes")
    wants("257 files", b"\1\x12" + F(note) + u32(257) + F(b"x") * 257, "wire_list")
    wants("a path without its bytes", b"\1\x12" + F(note) + u32(1) + F(b"profiles/a.yaml"), "policy_files")
    wants("a path that climbs", b"\1\x12" + F(note) + u32(2) + F(b"../../x") + F(b""), "policy_path", "note_form", "note_unsigned", "text_form", "text_kind")
    wants("a count of 2^32 - 1", b"\1\x12" + F(note) + u32(0xFFFFFFFF), "wire_list", "wire_truncated")
    wants("a roster of no text", b"\1\x11" + F(b"\xff\xfe"), "note_form", "text_utf8", "note_unsigned", "text_form")
    wants("an adoption of nothing", b"\1\x10" + F(note) + F(b"") + u64(0) + u32(0) + u32(0), "note_unsigned", "note_form", "text_kind", "text_form")
rng = random.Random(20261123)
for i in range(400):
    body = bytearray(rng.choice([tally, health, b"\1\2" + b"\0" * 24, wire.tally(b"hufu/tally/v1\nkind: extend\n\n")]))
    for _ in range(rng.randint(1, 4)):
        body[rng.randrange(2, len(body))] = rng.randrange(256)
    said = wire.say(w.ask(bytes(body)))
    if said.startswith(("done", "fault internal")):
        bad.append("%s: %s" % (bytes(body).hex(), said))
assert w.ask(health)[:2] == b"\1\x44"
print("\n".join(bad))
sys.exit(bool(bad))
PY
	done
}

# --- tallies, as one who holds the desk's user and key

# resign SUBSCRIBER_KEY PEOPLE NOTE…: signs the texts anew; the subscriber's line keeps its name and key id. PEOPLE: "alice bob ra".
resign() {
	local paths=() who
	for who in $2; do
		[ "$who" = ra ] && paths+=("$DIR/var/lib/hufu-ra/ra.key") || paths+=("$(key_of "$who")")
	done
	python3 - "$hufu" "$1" "${paths[*]}" "${@:3}" <<'PY'
import base64, subprocess, sys
hufu, key, people, notes = sys.argv[1], sys.argv[2], sys.argv[3].split(), sys.argv[4:]
for path in notes:
    text, lines = open(path, "rb").read().split(b"\n\n", 1)
    line = next(l for l in lines.splitlines() if l.startswith("— sub:".encode()))
    _, name, value = line.decode().split(" ")
    sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text + b"\n", stdout=subprocess.PIPE, check=True).stdout
    value = base64.b64encode(base64.b64decode(value)[:4] + sig).decode()
    open(path, "wb").write(text + b"\n\n" + ("— %s %s\n" % (name, value)).encode())
    for p in people:
        subprocess.run([hufu, "note", "sign", "--yes", "--key", p, path], stdout=subprocess.DEVNULL, check=True)
PY
}

# captured NAME N PREPARE-OPTIONS…: the note of a request for certificate N that its key has signed, before it is handed in.
captured() {
	local id
	id=$(prepared org "${@:3}" "74C2008800000F0$2")
	as org hufu request prove --key "$WORK/old/org$2.key" --yes "$id" >/dev/null
	as org hufu --json request show "$id" | field note >"$WORK/$1.note"
}

base_notes() {
	local five
	mapfile -t five < <(five_materials)
	captured change 1 --kind change --way name-or-code --files no --accept-notice --subject O=杭州坏料新名有限公司 --subject CN=杭州坏料新名有限公司 "${five[@]}"
	captured extend 1 --kind extend --way same-key --months 12 --order "$(cat "$WORK/order")"
	captured revoke 1 --kind revoke --way by-subscriber --reason superseded
}

@test "tallies that everybody signed: each is refused by the rule that it breaks, in the signer's own words" {
	issuer=$(sed -n 's/^predecessor: \([0-9a-f]*\) .*/\1/p' "$WORK/change.note")
	zero=$(printf '0%.0s' $(seq 64))
	day() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
	mkdir "$WORK/edited"
	while IFS='|' read -r base rule edit; do
		n=$((${n:-100} + 1))
		sed "$edit" "$WORK/$base.note" >"$WORK/edited/$base.$n.$rule"
	done <<-TABLE
		change|tally_expired|s/^made: .*/made: $(day -40days)/; s/^dies: .*/dies: $(day -20days)/
		change|tally_not_yet|s/^made: .*/made: $(day +2days)/; s/^dies: .*/dies: $(day +20days)/
		change|tally_life|s/^dies: .*/dies: $(day +40days)/
		extend|tally_life|s/^dies: .*/dies: $(day +3days)/
		change|tally_window|s/^dies: .*/dies: $(day -40days)/
		change|ca_unknown|s/^ca: .*/ca: ${zero:0:40}/
		change|policy_hash|s/^policy: .*/policy: $zero/
		change|project_unknown|s/^project: .*/project: nowhere/
		change|profile_unknown|s/^profile: .*/profile: root-ca/
		change|way_unknown|s/^way: .*/way: free-of-charge/
		change|way_unknown|s/^way: .*/way: same-key/
		change|predecessor_unknown|s/^predecessor: .*/predecessor: $issuer 74C2008800000FFF/
		change|predecessor_unknown|s/^predecessor: .*/predecessor: ${zero:0:40} 74C2008800000F01/
		change|signer_unknown|s/^predecessor: .*/predecessor: $issuer 74C2008800000F02/
		change|subject_before|s/^subject: - O .*/subject: - O 杭州别人有限公司/
		change|subject_before|/^subject: = organizationIdentifier/s/ 9.*/ 91330100MAHUFU0254/
		change|subject_difference|s/^subject: + O .*/subject: + O 杭州坏料示例1有限公司/; s/^subject: + CN .*/subject: + CN 杭州坏料示例1有限公司/
		change|subject_attribute|s/^subject: + CN .*/subject: + CN 杭州另一个有限公司/
		change|subject_attribute|s/^subject: + O .*/subject: + O 杭/; s/^subject: + CN .*/subject: + CN 杭/
		change|identifier_check|s/^subject: = organizationIdentifier .*/subject: - organizationIdentifier 91330100MAHUFU0179\nsubject: + organizationIdentifier 91330100MAHUFU0170/
		change|line_occupied|s/^subject: = organizationIdentifier .*/subject: - organizationIdentifier 91330100MAHUFU0179\nsubject: + organizationIdentifier 91330100MAHUFU0254/
		extend|field_value|s/^subject: = O .*/subject: - O 杭州坏料示例1有限公司\nsubject: + O 杭州坏料新名有限公司/
		change|key_hash|s/^key: same .*/key: same $zero/
		change|csr_missing|s/^key: same .*/key: new $zero/
		extend|validity_length|s/^validity: add 12/validity: add 13/
		extend|validity_length|s/^validity: add 12/validity: add 1200/
		extend|field_value|s/^validity: add 12 months/validity: keep/
		extend|validity_issuer|s/^validity: add 12/validity: add 36/; s/^latest: .*/latest: $(day +2000days)/
		extend|validity_latest|s/^latest: .*/latest: $(day +100days)/
		change|validity_latest|s/^latest: .*/latest: $(day +1days)/
		extend|order_missing|/^order: /d
		change|order_unwanted|s/^latest: \(.*\)/latest: \1\norder: 20261123-AAAAAAAAAAAA/
		change|materials_missing|/^material: risk-notice/d
		change|material_unknown|s/^material: change-proof/material: change-praise/
		change|notice_missing|/^notice: /d
		change|notice_missing|s/^notice: .*/notice: risk-2026-11 $zero/
		change|files_unsaid|/^encrypted-files: /d
		revoke|field_value|s/^reason: .*/reason: boredom/
		revoke|officers_short|s/^way: .*/way: by-officer/
	TABLE
	resign "$WORK/old/org1.key" "alice bob ra" "$WORK"/edited/change.*
	resign "$WORK/old/org1.key" "ra" "$WORK"/edited/[er]*.*
	run as_ra python3 "$WORK/wire.py" "$DIR/run/hufu/ca/ra.sock" tallies "$WORK"/edited/*
	echo "$output"
	same "$(wc -l <<<"$output")" 39
	while read -r file fault kind rule _; do
		same "$fault ${rule%:}" "fault ${file##*.}"
		[ "$kind" != internal ]
	done <<<"$output"
}

@test "halves that are short, twice, strangers' or moved from another text" {
	hufu officer key --plain --out "$WORK/mallory.key" mallory >/dev/null
	by_rule() { echo "$2" && [[ "$2" == "fault "*" $1 "* ]]; } # RULE ANSWER
	resigned() { cp "$WORK/change.note" "$WORK/half.note" && resign "$WORK/old/org1.key" "$*" "$WORK/half.note"; }
	try() { # RULE PEOPLE…
		resigned "${@:2}"
		by_rule "$1" "$(to_signer "$WORK/half.note")"
	}
	try officers_short alice ra
	try officers_short ra
	try ra_signature alice bob
	# Nobody's line, the same officer's twice, and the desk as an officer.
	resigned alice
	hufu note sign --yes --key "$WORK/mallory.key" "$WORK/half.note" >/dev/null
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/half.note" >/dev/null
	by_rule signer_unknown "$(to_signer "$WORK/half.note")"
	resigned alice ra
	grep '^— alice' "$WORK/half.note" >"$WORK/alice.line"
	cat "$WORK/alice.line" >>"$WORK/half.note"
	by_rule note_signature_twice "$(to_signer "$WORK/half.note")"
	resigned alice ra
	sed 's/^— alice/— bob/' "$WORK/alice.line" >>"$WORK/half.note"
	by_rule signature "$(to_signer "$WORK/half.note")"
	# Another subscriber's key under this certificate's name; no subscriber at all.
	cp "$WORK/change.note" "$WORK/half.note"
	resign "$WORK/old/org2.key" "alice bob ra" "$WORK/half.note"
	by_rule subscriber_signature "$(to_signer "$WORK/half.note")"
	sed -i '/^— sub:/d' "$WORK/half.note"
	by_rule subscriber_missing "$(to_signer "$WORK/half.note")"
	# Lines of one text under another.
	resigned alice bob ra
	sed -i 's/^subject: + O .*/subject: + O 杭州移花接木有限公司/; s/^subject: + CN .*/subject: + CN 杭州移花接木有限公司/' "$WORK/half.note"
	by_rule ra_signature "$(to_signer "$WORK/half.note")"
}

@test "notes that are no notes: form, order, characters, size; refused before anybody's signature is looked at" {
	cp "$WORK/change.note" "$WORK/whole.note"
	resign "$WORK/old/org1.key" "alice bob ra" "$WORK/whole.note"
	as_ra env PYTHONPATH="$WORK" python3 -c '
import re, sys
import wire
note = sys.stdin.buffer.read()
w = wire.open_wire(sys.argv[1])
text, sigs = note.split(b"\n\n", 1)
lines = text.split(b"\n")
put = lambda old, new: note.replace(old, new, 1)
value = lambda v: re.sub(rb"(?m)^subject: \+ O .*$", b"subject: + O " + v, note)
rows = [
    ("empty", b"", "note_form"),
    ("no newline at the end", note[:-1], "note_form note_signature_line"),
    ("no signature", text + b"\n\n", "note_unsigned note_form"),
    ("no empty line", note.replace(b"\n\n", b"\n"), "note_form note_unsigned"),
    ("two empty lines", note.replace(b"\n\n", b"\n\n\n"), "text_form"),
    ("CR LF", note.replace(b"\n", b"\r\n"), "note_form text_character text_form"),
    ("BOM", b"\xef\xbb\xbf" + note, "text_kind text_character note_form"),
    ("another kind of note", put(b"hufu/tally/v1", b"hufu/policy/v1"), "text_kind"),
    ("a version to come", put(b"hufu/tally/v1", b"hufu/tally/v2"), "text_kind"),
    ("a tab", put(b"kind: ", b"kind:\t"), "text_form text_character field_value note_form"),
    ("a space more", put(b"kind: ", b"kind:  "), "not_canonical field_value field_form text_form"),
    ("a trailing space", put(lines[4], lines[4] + b" "), "not_canonical field_value field_form text_form"),
    ("NUL", value(b"ab\0cd"), "note_form text_character text_utf8"),
    ("invalid UTF-8", value(b"ab\xff\xfecd"), "text_utf8 note_form"),
    ("overlong UTF-8", value(b"ab\xc0\xafcd"), "text_utf8 note_form"),
    ("a surrogate", value(b"ab\xed\xa0\x80cd"), "text_utf8 note_form"),
    ("right to left", value("杭州\u202e司公限有".encode()), "name_code_point text_character subject_value"),
    ("isolate", value("杭州\u2066有限公司".encode()), "name_code_point text_character subject_value"),
    ("zero width", value("杭州\u200b有限公司".encode()), "name_code_point text_character subject_value"),
    ("joiner", value("杭州\u200d有限公司".encode()), "name_code_point text_character subject_value"),
    ("BOM inside", value("杭州\ufeff有限公司".encode()), "name_code_point text_character subject_value"),
    ("private use", value("杭州\ue000有限公司".encode()), "name_code_point text_character subject_value"),
    ("unassigned", value("杭州\u0378有限公司".encode()), "name_code_point text_character subject_value"),
    ("noncharacter", value("杭州\uffff有限公司".encode()), "name_code_point text_character subject_value text_utf8"),
    ("control", value(b"ab\x1b[2Jcd"), "name_code_point text_character note_form subject_value"),
    ("65 characters", value("杭".encode() * 65), "name_length subject_value subject_attribute ra_signature"),
    ("a value of 5,000 bytes", value(b"x" * 5000), "name_length subject_value text_form text_size"),
    ("a field unknown", put(b"project: ", b"colour: blue\nproject: "), "field_order field_extra field_missing field_value"),
    ("a field twice", put(b"project: ", b"ca: " + b"0" * 40 + b"\nproject: "), "field_order field_extra field_missing"),
    ("a field missing", note.replace(lines[5] + b"\n", b""), "field_order field_missing"),
    ("fields swapped", b"\n".join([lines[0], lines[2], lines[1]] + lines[3:]) + b"\n\n" + sigs, "field_order field_missing"),
    ("upper-case hex", put(lines[2], lines[2].upper().replace(b"ID: ", b"id: ")), "field_value field_form not_canonical id_form"),
    ("short id", put(lines[2], lines[2][:-2]), "field_value field_form"),
    ("a serial with leading zeros", re.sub(rb"(?m)^(predecessor: \S+) ", rb"\1 00", note), "field_value serial_form"),
    ("a serial in lower case", re.sub(rb"(?m)^(predecessor: \S+) .*$", rb"\1 74c2008800000f01", note), "field_value serial_form"),
    ("a serial of 21 octets", re.sub(rb"(?m)^(predecessor: \S+) .*$", rb"\1 " + b"7F" * 21, note), "field_value serial_form"),
    ("a kind of its own", put(b"kind: change", b"kind: mint"), "field_value kind_unknown"),
    ("30 February", re.sub(rb"(?m)^made: .*$", b"made: 2026-02-30T00:00:00Z", note), "field_value field_form"),
    ("a leap second", re.sub(rb"(?m)^made: .*$", b"made: 2026-12-31T23:59:60Z", note), "field_value field_form"),
    ("local time", re.sub(rb"(?m)^made: .*$", b"made: 2026-11-23T00:00:00+08:00", note), "field_value field_form"),
    ("year 9999999", re.sub(rb"(?m)^dies: .*$", b"dies: 9999999-01-01T00:00:00Z", note), "field_value field_form"),
    ("1,000 materials", put(b"notice: ", b"".join(b"material: m%d " % i + b"0" * 64 + b"\n" for i in range(1000)) + b"notice: "), "wire_bytes"),
    ("too large", note + b"x" * 60000, "wire_bytes"),
    ("a signature line without base64", note + "— x !!!!\n".encode(), "note_signature_line"),
    ("a signature line of four bytes", note + "— x AAAA\n".encode(), "note_signature_line note_signature_size"),
    ("a signature line without a name", note + "—  AAAAAAAA\n".encode(), "note_signature_line note_name"),
    ("another dash", note + "- x AAAAAAAAAAAA\n".encode(), "note_signature_line"),
    ("17 signatures", note + b"".join("— x{} {}\n".format(i, "AAAAAAAAAAAA").encode() for i in range(17)), "note_signatures note_signature_line"),
]
bad = []
for name, sent, rules in rows:
    try:
        said = wire.say(w.ask(wire.tally(sent)))
    except EOFError:
        said, w = "hung up", wire.open_wire(sys.argv[1])
    rule = said.split()[2].rstrip(":") if said.startswith("fault ") else ""
    if rule not in rules.split() or said.startswith("fault internal"):
        bad.append("%s: wanted %s, said %s" % (name, rules, said))
print("%d rows" % len(rows))
print("\n".join(bad))
sys.exit(bool(bad))' "$DIR/run/hufu/ca/ra.sock" <"$WORK/whole.note"
}

@test "… and the same note unspoilt is taken: it was the spoiling that was refused" {
	did to_signer "$WORK/whole.note"
	said "done certificate="
	echo $(($(cat "$WORK/issued") + 1)) >"$WORK/issued"
	did to_signer "$WORK/whole.note"
	said "again=1"
}

@test "a predecessor that has its successor, was ended, or was revoked is followed by nothing" {
	issuer=$(sed -n 's/^predecessor: \([0-9a-f]*\) .*/\1/p' "$WORK/change.note")
	resign "$WORK/old/org1.key" ra "$WORK/extend.note"
	did to_signer "$WORK/extend.note"
	said "fault rule predecessor_ended" # by the change that was just taken
	captured first 4 --kind extend --way same-key --months 12 --order "$(paid_order org 20604)"
	captured second 4 --kind extend --way same-key --months 12 --order "$(paid_order org 20604)"
	resign "$WORK/old/org4.key" ra "$WORK/first.note" "$WORK/second.note"
	did to_signer "$WORK/first.note"
	said "done certificate="
	echo $(($(cat "$WORK/issued") + 1)) >"$WORK/issued"
	did to_signer "$WORK/second.note"
	said "fault rule predecessor_succeeded"
	captured ended 5 --kind change --way name-or-code --files no --accept-notice --subject O=杭州已结束有限公司 --subject CN=杭州已结束有限公司 \
		$(five_materials)
	resign "$WORK/old/org5.key" "alice bob ra" "$WORK/ended.note"
	did hufu cert revoke --operator --yes --issuer "$issuer" --reason keyCompromise --key "$(key_of alice)" 74C2008800000F05
	did to_signer "$WORK/ended.note"
	said "fault rule predecessor_ended"
	serial=$(hufu --json status 74C2008800000F01 | field answers.0.successor)
	id=$(prepare org --json --kind revoke --way by-subscriber --reason superseded "$serial" | field request)
	as org hufu request prove --key "$WORK/old/org1.key" --yes "$id" >/dev/null
	as org hufu --json request show "$id" | field note >"$WORK/again.note"
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/again.note" >/dev/null
	did hufu cert revoke --operator --yes --reason keyCompromise --key "$(key_of bob)" "$serial"
	did to_signer "$WORK/again.note"
	said "fault rule predecessor_revoked"
}

# --- requests of a new key, keys, values

new_key() { prepare org --kind extend --way new-key --months 12 --order "$order" --files no --csr "$1" 74C2008800000F02; }

@test "certificate requests: weak, damaged, of another sort, cut, too large" {
	order=$(paid_order org 20602)
	cd "$WORK"
	openssl ecparam -name secp521r1 -genkey -noout -out p521.pem
	csr rsa1024 -newkey rsa:1024
	csr rsa3 -newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3
	csr p224 -newkey ec -pkeyopt ec_paramgen_curve:secp224r1
	csr k1 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1
	csr explicit -newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit
	csr ed448 -newkey ed448
	csr p521 -key p521.pem
	csr good p256
	csr fat -newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext "1.2.3.4=ASN1:UTF8String:$(printf 'x%.0s' $(seq 20000))"
	python3 - <<'PY'
import base64
import wire
der = wire.der_of(open("good.csr", "rb").read())
pem = lambda b, label=b"CERTIFICATE REQUEST": b"-----BEGIN " + label + b"-----\n" + base64.encodebytes(b) + b"-----END " + label + b"-----\n"
put = lambda name, b: open(name + ".csr", "wb").write(b)
put("signature", pem(der[:-1] + bytes([der[-1] ^ 1])))
put("cut", pem(der[:-20]))
put("longer", pem(der + b"\0"))
put("indefinite", pem(b"\x30\x80" + der[4:] + b"\0\0"))
put("version", pem(der.replace(b"\x02\x01\x00", b"\x02\x01\x05", 1)))
put("zeros", pem(b"\0" * 300))
put("label", pem(der, b"CERTIFICATE"))
put("half", pem(der)[:-20])
put("star", pem(der).replace(b"M", b"*", 1))
put("empty", b"")
put("text", b"please certify me\n")
put("nul", pem(der).replace(b"\n", b"\0", 1))
PY
	while IFS='|' read -r name rule; do
		run new_key "$WORK/$name.csr"
		echo "$name: $output"
		[ "$status" = 1 ] || [ "$status" = 2 ]
		said "[$rule]"
	done <<-'TABLE'
		rsa1024|key_strength
		rsa3|key_strength
		p224|key_algorithm
		k1|key_algorithm
		explicit|key_algorithm
		ed448|key_algorithm
		p521|key_algorithm
		signature|csr_signature
		cut|csr_form
		longer|csr_form
		indefinite|csr_form
		version|csr_form
		zeros|csr_form
		fat|csr_size
		label|pem_none
		half|pem_form
		star|pem_base64
		empty|pem_none
		text|pem_none
		nul|pem_none
	TABLE
	refused file_missing new_key "$WORK/not-there.csr"
	did new_key "$WORK/good.csr"
}

@test "private keys that are none, and ones of somebody else" {
	id=$(prepared org --kind revoke --way by-subscriber --reason superseded 74C2008800000F02)
	openssl pkey -in "$WORK/old/org2.key" -pubout -out "$WORK/public.pem"
	openssl pkey -in "$WORK/old/org2.key" -aes256 -passout pass:secret -out "$WORK/sealed.pem"
	head -c 100 "$WORK/old/org2.key" >"$WORK/cut.pem"
	: >"$WORK/empty.pem"
	for key in public sealed cut empty; do
		run as org hufu request prove --yes --key "$WORK/$key.pem" "$id"
		echo "$output"
		[ "$status" = 1 ] || [ "$status" = 2 ]
		said "$WORK/$key.pem"
	done
	refused file_missing as org hufu request prove --yes --key "$WORK/not-there.pem" "$id"
	refused subscriber_signature as org hufu request prove --yes --key "$WORK/old/org1.key" "$id"
	fails 1 "key_file" hufu policy sign --yes --key "$WORK/old/org2.key" "$DIR/etc/hufu/policies/policy.note"
	cp "$(key_of alice)" "$WORK/open.key"
	chmod 644 "$WORK/open.key"
	fails 4 "0600" hufu policy sign --yes --key "$WORK/open.key" "$DIR/etc/hufu/policies/policy.note"
}

@test "values of a subject: hidden, bidirectional, unassigned, too short, too long, padded" {
	value() { prepare org --kind change --way name-or-code --files no --accept-notice --subject "O=$1" --subject "CN=$1" 74C2008800000F02; }
	while IFS='|' read -r rule text; do
		run value "$(printf '%b' "$text")"
		echo "$output"
		same "$status" "$([ "$rule" = subject_attribute ] && echo 2 || echo 1)"
		said "[$rule]"
	done <<-'TABLE'
		param_characters|杭州\u202e司公限有
		param_characters|杭州\u2066有限公司
		param_characters|杭州\u200b有限公司
		param_characters|杭州\u200d有限公司
		param_characters|杭州\ufeff有限公司
		param_characters|杭州\x1b[2J有限公司
		param_characters|杭州\n有限公司
		param_characters|杭州\ue000有限公司
		name_code_point|杭州\u0378有限公司
		name_space| 杭州有限公司
		name_space|杭州有限公司 
		subject_attribute|杭
		name_length|杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州杭州
	TABLE
	fails 4 "wanted valid UTF-8" value "$(printf '杭州\xff\xfe')"
	fails 4 "wanted valid UTF-8" value "$(printf '杭州\xed\xa0\x80')"
	fails 1 param_length value "$(printf 'x%.0s' $(seq 3000))"
	refused identifier_check prepare org --kind change --way name-or-code --files no --accept-notice --subject organizationIdentifier=9111000080210043IB 74C2008800000F02 ||
		said "[subject_attribute]"
}

# --- YAML

@test "policies: each fault with file:line:column, what was found, what is allowed, and the nearest word" {
	while IFS='|' read -r place words edit; do
		rm -rf "$WORK/edited-policies"
		cp -r "$root/policies" "$WORK/edited-policies"
		file=profiles/organisation.yaml
		[[ "$place" != *jinhua* ]] || file=projects/jinhua.yaml
		sed -i "$(printf '%b' "$edit")" "$WORK/edited-policies/$file"
		run hufu policy check "$WORK/edited-policies"
		echo "$output"
		[ "$status" = 2 ]
		said "$place" "$words"
	done <<-'TABLE'
		organisation.yaml:31:22|did you mean "p384"|s/p256, p384/p256, p348/
		organisation.yaml:30:1|did you mean "keys"|s/^keys:/kyes:/
		organisation.yaml:33:3|did you mean "rsa_max_bits"|s/rsa_max_bits/rsa_max_bit/
		organisation.yaml:32:17|1024|s/rsa_min_bits: 2048/rsa_min_bits: 1024/
		organisation.yaml:32:17|whole number|s/rsa_min_bits: 2048/rsa_min_bits: many/
		organisation.yaml:32:17|whole number|s/rsa_min_bits: 2048/rsa_min_bits: 0x800/
		organisation.yaml:32:|found|s/rsa_min_bits: 2048/rsa_min_bits: [2048]/
		organisation.yaml:35:3|twice|s/renewal_times: 3/renewal_times: 3\\n  renewal_times: 4/
		organisation.yaml:32:|tab|s/^  rsa_min_bits/\trsa_min_bits/
		organisation.yaml:31:|anchor|s/algorithms: \[/algorithms: \&a [/
		organisation.yaml:33:|alias|s/rsa_max_bits: 4096/rsa_max_bits: *a/
		organisation.yaml:32:|tag|s/rsa_min_bits: 2048/rsa_min_bits: !!int 2048/
		organisation.yaml:8:5|did you mean "attribute"|0,/- attribute: C/s//- atribute: C/
		organisation.yaml:|did you mean "organizationIdentifier"|s/^identifier: organizationIdentifier/identifier: organisationIdentifier/
		organisation.yaml:|did you mean "digitalSignature"|s/usages: \[digitalSignature/usages: [digitalSignatur/
		organisation.yaml:|did you mean "affiliationChanged"|s/reason: affiliationChanged/reason: affiliationChange/
		organisation.yaml:|did you mean "extend"|s/^  extend:/  extends:/
		organisation.yaml:|found|s/officers: 2/officers: two/
		organisation.yaml:|regular expression|s/pattern: CN/pattern: '[C'/
		organisation.yaml:3:7|own name|s/^name: organisation/name: organization/
		jinhua.yaml:11:16|whole number|s/price_fen: 30000/price_fen: 300.00/
		jinhua.yaml:10:14|which the project does not list|s/profile: organisation/profile: organization/
		jinhua.yaml:|did you mean "key"|s/first_login_proof: key/first_login_proof: kye/
		jinhua.yaml:51:15|wanted a name without brackets|$a\\  sms_sender: 【虎符】
		jinhua.yaml:51:15|wanted a name without brackets|$a\\  sms_sender: "[Hufu]"
		jinhua.yaml:51:15|wanted a name without brackets|$a\\  sms_sender: "Hufu\\\\nBcc"
		jinhua.yaml:51:|cannot be seen|$a\\  sms_sender: "Hufu\\\\u0007"
		jinhua.yaml:51:|cannot be seen|$a\\  sms_sender: "Hufu\\\\u202e"
		jinhua.yaml:51:15|no space at either end|$a\\  sms_sender: "Hufu "
		jinhua.yaml:51:15|found|$a\\  sms_sender: x
		jinhua.yaml:|document|s/^name: jinhua/name: jinhua\\n---\\nname: x/
	TABLE
}

@test "configuration of the programs: the place and the nearest word, and no start" {
	for program in ca ra; do
		install -m 755 "$build/$program/hufu-$program" "$WORK/hufu-$program"
		while IFS='|' read -r place words edit; do
			sed "$(printf '%b' "$edit")" "$DIR/etc/hufu/$program.yaml" >"$DIR/etc/hufu/bad.yaml"
			fails 4 "$place" "$WORK/hufu-$program" --config "$DIR/etc/hufu/bad.yaml"
			said "$words"
		done <<-'TABLE'
			bad.yaml:2:1|did you mean|s/^state:/stat:/
			bad.yaml:3:1|twice|s/^state: .*/state: x\\nstate: x/
			bad.yaml:2:|tab|s/^state: /state:\t/
		TABLE
		fails 4 "not-there.yaml" "$WORK/hufu-$program" --config "$DIR/etc/hufu/not-there.yaml"
	done
}
