#!/usr/bin/env bats
# tools/bench runs the real programs and says what it measured. How fast they are is judged nowhere here.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	export HUFU_BUILD=${HUFU_BUILD:-$PWD/build}
}

# some WORD: unless the suite may be long, only those cases that have the word in their names; python finds it as $ONLY.
some() {
	only=() && export ONLY=
	[ "${HUFU_LONG:-0}" = 1 ] || { only=(--only "$1") && ONLY=$1; }
}

@test "tools/bench issue --json: one object, every case with a rate, a limit, and the ratio of the two" {
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	some p256
	TMPDIR=$disk tools/bench issue --seconds 0.5 --runs 1 "${only[@]}" --json 2>"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/said"; false; }
	python3 - "$BATS_TEST_TMPDIR/out" <<'PY'
import json, os, sys
o = json.load(open(sys.argv[1]))
assert o["name"] == "issue" and o["cpus"] >= 1 and o["commit"], o
cases = ["signer-p256-hsm-128"] + [f"{road}-{key}-{n}" for road, n in (("signer", 128), ("signer", 1), ("desk", 128)) for key in ("p256", "rsa2048", "sm2")]
assert sorted(r["case"] for r in o["rows"]) == sorted(c for c in cases if os.environ["ONLY"] in c), o
for r in o["rows"]:
    assert set(r) == {"case", "hufu_per_s", "limit_per_s", "ratio", "peers", "p50_ms", "p99_ms", "rss_mib", "runs"}, r
    peers = {"cfssl-sqlite", "cfssl"} if r["case"] == "signer-p256-128" else set()
    assert r["runs"] == 1 and set(r["peers"]) == peers and all(n > 0 for n in r["peers"].values()), r
    assert r["ratio"] > 0 and 0 < r["p50_ms"] <= r["p99_ms"] and r["rss_mib"] > 0, r
    assert abs(r["ratio"] - r["hufu_per_s"] / r["limit_per_s"]) < 0.001, r
PY
	[ -z "$(ls -A "$disk")" ] # nothing is left behind
	TMPDIR=$disk tools/bench issue --seconds 0.3 --runs 2 --only signer-rsa2048 --json 2>"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/said"; false; }
	python3 -c 'import json, sys; assert [r["case"] for r in json.load(sys.stdin)["rows"]] == ["signer-rsa2048-128", "signer-rsa2048-1"]' <"$BATS_TEST_TMPDIR/out"
	run tools/bench issue --only nosuch
	[ "$status" -eq 1 ]
	[[ "$output" == *'no case has "nosuch" in its name'* ]]
}

@test "tools/bench desk --json: status and every list, first and late pages and searches, beside both echo servers; pages through the gate beside the desk" {
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	some token
	TMPDIR=$disk tools/bench desk --seconds 0.1 --runs 1 --certificates 20000 "${only[@]}" --json 2>"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/said"; false; }
	python3 - "$BATS_TEST_TMPDIR/out" <<'PY'
import json, os, sys
o = json.load(open(sys.argv[1]))
assert o["name"] == "desk", o
cases = """status-64 status-32x64 cert-list-16 cert-list-late cert-list-search service-list-16 service-list-late service-list-search
order-list-16 order-list-late request-list-16 request-list-late queue-16 queue-late queue-page-50 queue-project
queue-kind-late queue-overdue pending-late account-find account-find-town account-find-form account-find-code order-find-name
order-find-number order-find-unpaid payments-late audit-object audit-who audit-late parcel-list-16 parcel-list-late parcel-received token-list-late token-list-state health-16
narrow-accounts narrow-account-none narrow-account-town narrow-orders narrow-order-number narrow-order-unpaid narrow-order-name narrow-payments narrow-tokens narrow-tokens-late
narrow-tokens-state narrow-queue narrow-parcels portal-services portal-certs portal-cert-search portal-orders portal-requests portal-request portal-parcels portal-tokens portal-search
officers-queue officers-request officers-find officers-find-town officers-orders officers-payments officers-parcels officers-tokens officers-audit officers-figures officers-outlook""".split()
assert [r["case"] for r in o["rows"]] == [c for c in cases if os.environ["ONLY"] in c], o
for r in o["rows"]:
    page = r["case"].split("-")[0] in ("portal", "officers")
    assert r["runs"] == 1 and set(r["peers"]) == ({"desk"} if page else {"echo", "echo-nng"}), r
    assert r["hufu_per_s"] > 0 and r["limit_per_s"] >= max(r["peers"].values()) - 1, r
PY
	[ -z "$(ls -A "$disk")" ]
}

@test "tools/bench import --json: an import and the same again, each of all rows" {
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	TMPDIR=$disk tools/bench import --rows 300 --json 2>"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/said"; false; }
	python3 - "$BATS_TEST_TMPDIR/out" <<'PY'
import json, sys
o = json.load(open(sys.argv[1]))
assert o["name"] == "import" and [r["case"] for r in o["rows"]] == ["import", "import-again"], o
for r in o["rows"]:
    assert r["runs"] == 1 and r["hufu_per_s"] > 0 and r["limit_per_s"] > 0, r
    assert abs(r["hufu_per_s"] * r["p50_ms"] / 1000 - 300) < 1, r
assert [p["program"] for p in o["programs"]] == ["hufu-ca", "hufu-ra", "hufu import"] and all(p["peak_mib"] > 0 for p in o["programs"]), o
PY
	grep -q '^import: 300 accounts in ' "$BATS_TEST_TMPDIR/said"
	[ -z "$(ls -A "$disk")" ]
}

@test "tools/bench names what it does not know" {
	run tools/bench nosuch
	[ "$status" = 4 ]
	[[ "$output" == *'no benchmark named nosuch'* && "$output" == *issue* ]]
	for wrong in 0 0.0 61 60.001 1. .5 1e1 0.0001 -1 1s ''; do
		run tools/bench issue --seconds "$wrong"
		[ "$status" = 4 ]
		[[ "$output" == *'--seconds'* ]]
	done
	run tools/bench
	[ "$status" = 4 ]
}

@test "tools/bench status --json: kept answers beside nginx, openssl and cfssl, signed ones beside signatures, the table by its size, a revocation until it is told, a CRL beside openssl's" {
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	TMPDIR=$disk tools/bench status --seconds 0.5 --runs 1 --certificates 2000 --json 2>"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/said"; false; }
	python3 - "$BATS_TEST_TMPDIR/out" <<'PY'
import json, sys
o = json.load(open(sys.argv[1]))
assert o["name"] == "status" and [r["case"] for r in o["rows"]] == ["ocsp-get", "ocsp-post", "ocsp-nonce", "snapshot", "look-up", "look-up-bare", "revocation", "crl"], o
for r in o["rows"]:
    assert r["runs"] == 1 and r["hufu_per_s"] > 0 and r["limit_per_s"] > 0, r
    peers = {"ocsp-get": {"nginx"}, "ocsp-post": {"nginx", "openssl-ocsp", "cfssl-ocspserve"}, "crl": {"openssl-ca"}}.get(r["case"], set())
    assert set(r["peers"]) == peers and all(n > 0 for n in r["peers"].values()), r
PY
	[ -z "$(ls -A "$disk")" ]
}
