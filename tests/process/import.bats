#!/usr/bin/env bats
# Taking an old system over: each line of its export is told apart, what can be taken is taken, and a second run changes nothing.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	# A second old authority, which the policy does not pin; and a third, which it does.
	for n in zjca-oca2:unpinned zjca-oca2:second; do
		mkdir -p "$WORK/${n#*:}"
		(
			cd "$WORK/${n#*:}" || exit 1
			sed "s#$WORK/old#$WORK/${n#*:}#" "$WORK/old/ca.conf" >ca.conf
			mkdir issued
			: >index.txt
			echo 01 >crlnumber
			openssl req -new -x509 -utf8 -config ca.conf -extensions root -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout zjca-oca2.key \
				-out zjca-oca2.pem -days 7300 -subj "/C=CN/O=${n#*:}/CN=${n#*:} CA" 2>/dev/null
			openssl ca -config ca.conf -gencrl -out zjca-oca2.crl 2>/dev/null
		)
	done
	make_certificates
	hufu init --ca-user hufu-ca --ra-user hufu-ra --passphrase-fd 4 --issuer "$WORK/old/zjca-oca2.pem" --issuer "$WORK/second/zjca-oca2.pem" "$DIR" \
		4<"$WORK/pass" >/dev/null
	up
}

# of AUTHORITY old_cert…: as that authority would.
of() {
	local real=$WORK
	(WORK=$real/$1.as && mkdir -p "$WORK" && ln -sfn "$real/$1" "$WORK/old" && "${@:2}")
	mv "$WORK/$1/$3".{pem,key} "$WORK/old/"
}

make_certificates() {
	old_cert good 74C2008800000D01 杭州导入甲有限公司 91330100MAHUFU0179
	old_cert titled 74C2008800000D02 杭州导入乙有限公司 91330100MAHUFU0254
	old_cert wrongserial 74C2008800000D03 杭州导入丙有限公司 91330100MAHUFU033Y
	old_cert revoked 74C2008800000D04 杭州导入丁有限公司 91330100MAHUFU041R
	old_cert ended 74C2008800000D05 杭州导入戊有限公司 91330100MAHUFU05XH p256 "-30 days"
	of unpinned old_cert stranger 74C2008800000D06 杭州导入己有限公司 91330100MAHUFU068H
	of second old_cert cousin 74C2008800000D07 杭州导入庚有限公司 91330100MAHUFU076C
	sed 's/^MII[A-Za-z0-9]*/MIIBADBADBAD/' "$WORK/old/good.pem" >"$WORK/old/damaged.pem"
	openssl x509 -in "$WORK/old/good.pem" -outform DER | head -c 200 | openssl base64 | sed '1i-----BEGIN CERTIFICATE-----' | sed '$a-----END CERTIFICATE-----' >"$WORK/old/short.pem"
	OLD_EXTENSIONS=odd old_cert odd 74C2008800000D19 杭州导入卯有限公司 91330100MAHUFU0847
	old_revoke revoked
	old_crl
}

teardown_file() { live_end; }

# row IDENTIFIER NAME SERVICE SERIAL PEM [PROJECT] [BEGINS] [ENDS] [ISSUER]
row() {
	echo "$1,$2,张三,13800000000,${6-jinhua},$3,机构证书,${7-2026-01-01 00:00:00},${8-2027-01-01 00:00:00},$2,$4,${9-ZJCA OCA2},$5" >>"$WORK/old/accounts.csv"
}

one_row() {
	csv_begin
	row "$@"
}

adopted() { [ "$(hufu --json status "$1" | field answers.0.state)" != unknown ]; }
not_adopted() { same "$(hufu --json status "$1" | field answers.0.state)" unknown; }

@test "one line of each sort: the good ones are taken, each other line is refused by its own reason" {
	csv_begin
	row 91330100MAHUFU0179 杭州导入甲有限公司 3001 74C2008800000D01 good.pem                              # 2
	row 91330100MAHUFU0254 杭州导入乙有限公司 3002 74C2008800000D02 titled.pem 金华市公共资源交易中心      # 3: the project by its title
	row 91330100MAHUFU033Y 杭州导入丙有限公司 3003 74C2008800000DFF wrongserial.pem                       # 4
	row 91330100MAHUFU041R 杭州导入丁有限公司 3004 74C2008800000D04 revoked.pem                           # 5
	row 91330100MAHUFU05XH 杭州导入戊有限公司 3005 74C2008800000D05 ended.pem                             # 6
	row 91330100MAHUFU068H 杭州导入己有限公司 3006 74C2008800000D06 stranger.pem jinhua "2026-01-01 00:00:00" "2027-01-01 00:00:00" "unpinned CA" # 7
	row 91330100MAHUFU076C 杭州导入庚有限公司 3007 74C2008800000D07 cousin.pem jinhua "2026-01-01 00:00:00" "2027-01-01 00:00:00" "second CA"     # 8
	row 91330100MAHUFU0847 杭州导入辛有限公司 3008 74C2008800000D08 not-there.pem                         # 9
	row 91330100MAHUFU0922 杭州导入壬有限公司 3009 74C2008800000D09 damaged.pem                           # 10
	row 91330100MAHUFU105P 杭州导入癸有限公司 3010 74C2008800000D10 short.pem                             # 11
	row "" 杭州无名有限公司 3011 "" ""                                                                    # 12
	row 91330100MAHUFU113J 杭州导入子有限公司 3012 "" "" 没有的项目                                       # 13
	row 91330100MAHUFU121D 杭州导入丑有限公司 3013 "" "" jinhua yesterday                                 # 14
	row 91330100MAHUFU13X5 杭州导入寅有限公司 3014 "" "" jinhua "2027-01-01 00:00:00" "2026-01-01 00:00:00" # 15
	echo "91330100MAHUFU13X5,too,few" >>"$WORK/old/accounts.csv"                                          # 16
	row 91330100MAHUFU0179 杭州导入甲有限公司 3015 zz ""                                                  # 17
	row 91330100MAHUFU0254 杭州导入乙有限公司 3001 "" ""                                                  # 18: the service of line 2
	row 91330100MAHUFU0847 杭州导入卯有限公司 3016 74C2008800000D19 odd.pem                               # 19
	cp "$WORK/old/accounts.csv" "$WORK/mixed.csv"
	run --separate-stderr import --crl "$WORK/second/zjca-oca2.crl"
	echo "$output" "$stderr"
	same "$status" 2
	told 'line 2: created' 'line 3: created' 'line 8: created' 'line 6: created' '18 rows, '
	while IFS='|' read -r line reason; do
		told "(^|"$'\n'")line $line: refused: [^"$'\n'"]*$reason"
	done <<-'TABLE'
		4|serial: found 74C2008800000DFF, the certificate has 74C2008800000D03
		5|adopt_revoked
		7|no pinned issuer
		9|No such file
		10|pem_file
		11|pem_file
		12|account_identifier is empty
		13|project: found
		14|service_begins: found "yesterday"
		15|service_ends: wanted a time after service_begins
		16|3 fields; the header has 13
		17|serial: found "zz"
		18|service_id: 3001 belongs to another account
		19|pem_file: .*1.2.3.4.* critical
	TABLE
	for serial in 74C2008800000D01 74C2008800000D02 74C2008800000D05 74C2008800000D07; do adopted "$serial"; done
	for serial in 74C2008800000D03 74C2008800000D04 74C2008800000D06 74C2008800000D08 74C2008800000D10 74C2008800000D19; do not_adopted "$serial"; done
}

@test "the same file again: nothing is adopted twice, nothing is changed, the same lines are refused" {
	entries=$(hufu --json health --signer | field signer.ledger_size)
	cp "$WORK/mixed.csv" "$WORK/old/accounts.csv"
	run import --crl "$WORK/second/zjca-oca2.crl" --json
	same "$status" 2
	same "$(field adopted <<<"$output")" 0
	python3 - "$output" <<'PY'
import collections, json, sys
report = json.loads(sys.argv[1])["report"]
assert collections.Counter(e["result"] for e in report) == {"unchanged": 4, "refused": 14}, report
assert sorted(e["line"] for e in report) == list(range(2, 20)), report
PY
	# Beats, but neither a certificate nor an adoption note.
	[ "$(hufu --json health --signer | field signer.ledger_size)" -le $((entries + 2)) ]
}

@test "what has been bought since is the desk's to know: a second import takes no period back" {
	at_home good 91330100MAHUFU0179 >/dev/null
	paid_order good 3001 >/dev/null
	before=$(as good hufu --json service list)
	one_row 91330100MAHUFU0179 杭州导入甲有限公司 3001 74C2008800000D01 good.pem
	did import
	same "$(as good hufu --json service list)" "$before"
}

@test "a dry run tells the same lines and changes nothing" {
	csv_begin
	row 91330100MAHUFU033Y 杭州导入丙有限公司 3003 74C2008800000D03 wrongserial.pem
	row 91330100MAHUFU068H 杭州导入己有限公司 3006 74C2008800000D06 stranger.pem
	run import --dry-run
	echo "$output"
	same "$status" 2
	said "1 certificates would be adopted" "line 2: created" "line 3: refused: pem_file: no pinned issuer"
	not_adopted 74C2008800000D03
	refused login_wrong as nobody hufu login --password-fd 4 91330100MAHUFU033Y 4<<<88888888
}

# many FROM N: rows without certificates.
many() {
	local i
	for ((i = $1; i < $1 + $2; i++)); do
		printf '%08d-X,杭州多行%d有限公司,张三,1300000000,jinhua,%d,机构证书,2026-01-01 00:00:00,2027-01-01 00:00:00,,,,\n' "$i" "$i" "$((100000 + i))"
	done >>"$WORK/old/accounts.csv"
}

@test "killed in the middle, the same command completes it, and once more it changes nothing" {
	csv_begin
	row 91330100MAHUFU0179 杭州导入甲有限公司 3001 74C2008800000D01 good.pem
	many 1 1999
	mkfifo "$BATS_TEST_TMPDIR/said"
	exec 5<>"$BATS_TEST_TMPDIR/said"
	"$hufu" import --officer "$(key_of alice)" --officer "$(key_of bob)" --crl "$WORK/old/zjca-oca2.crl" "$WORK/old/accounts.csv" >&5 5>&- &
	# What it says of 2,000 rows does not fit into the pipe: it has begun, and cannot have ended.
	read -r _ <&5
	kill -KILL $!
	wait $! || true
	exec 5>&-
	did import --json
	same "$(field rows <<<"$output")" 2000
	same "$(field problems <<<"$output")" 0
	created=$(field created <<<"$output")
	[ "$created" -gt 0 ]
	[ "$created" -lt 2000 ]
	did import --json
	for n in created:0 changed:0 unchanged:2000 problems:0 adopted:0; do same "$(field "${n%:*}" <<<"$output")" "${n#*:}"; done
	adopted 74C2008800000D01
}

@test "10,000 rows: a line of progress for each step in a log, none for a small import" {
	csv_begin
	many 1 10000
	run --separate-stderr hufu --dry-run import "$WORK/old/accounts.csv"
	same "$status" 0
	said "10000 rows, 0 with problems: 8001 created, 0 changed, 1999 unchanged, 0 refused"
	[[ "$stderr" =~ ^"rows read: 10000, "[0-9]+" s"$'\n'"issuers found: 10000 of 10000, "[0-9]+" s"$'\n'"accounts at the desk: 10000 of 10000, "[0-9]+" s"$ ]]
	csv_begin
	many 1 2
	run --separate-stderr hufu --dry-run import "$WORK/old/accounts.csv"
	same "$stderr" ""
}

@test "on a terminal: one line that is taken away before anything else is written" {
	csv_begin
	many 1 1000
	run python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$hufu" --config "$HUFU_CONFIG" --dry-run import "$WORK/old/accounts.csv"
	printf '%s' "$output" >"$BATS_TEST_TMPDIR/said"
	python3 - "$BATS_TEST_TMPDIR/said" <<'PY'
import re, sys
said = open(sys.argv[1], newline="").read()
drawn = re.findall(r"(rows read|issuers found|accounts at the desk): (\d+)(?: of 1000)?, \d+ s(.{0,4})", said, re.S)
assert [d[:2] for d in drawn] == [(w, n) for w in ("rows read", "issuers found") for n in ("500", "1000")] + [
    ("accounts at the desk", n) for n in ("600", "1000")], drawn
assert all(d[2] == "\r\x1b[K" for d in drawn), drawn
assert "1000 rows, 0 with problems" in said, said[-200:]
PY
}

@test "a CRL of thousands: the revoked are found in it, the others are taken" {
	for ((i = 0; i < 4000; i++)); do
		printf 'R\t360101000000Z\t260101000000Z\t73%012X\tunknown\t/CN=gone\n' "$i"
	done >>"$WORK/old/index.txt"
	old_crl
	[ "$(wc -c <"$WORK/old/zjca-oca2.crl")" -gt 65536 ]
	csv_begin
	row 91330100MAHUFU0179 杭州导入甲有限公司 3001 74C2008800000D01 good.pem
	row 91330100MAHUFU041R 杭州导入丁有限公司 3004 74C2008800000D04 revoked.pem
	run import
	same "$status" 2
	told 'line 2: unchanged' 'line 3: refused: certificate: adopt_revoked'
}

@test "it ends when the desk has the certificates: here the desk finds its signer later than the import does" {
	down
	sed -i 's#run/hufu/ca/ra.sock#run/hufu/ca/later.sock#' "$DIR/etc/hufu/ra.yaml"
	up
	old_cert late 74C2008800000D20 杭州导入辰有限公司 91330100MAHUFU13X5
	one_row 91330100MAHUFU13X5 杭州导入辰有限公司 3020 74C2008800000D20 late.pem
	mkfifo "$BATS_TEST_TMPDIR/late"
	stdbuf -oL "$hufu" import --officer "$(key_of alice)" --officer "$(key_of bob)" "$WORK/old/accounts.csv" >"$BATS_TEST_TMPDIR/late" 2>&1 3>&- &
	exec 5<"$BATS_TEST_TMPDIR/late"
	read -r adoption <&5
	read -r account <&5
	same "$adoption" "signer: 1 of 1 certificates newly adopted, 0 refused"
	same "$account" "line 2: created"
	not_adopted 74C2008800000D20
	ln -s ra.sock "$DIR/run/hufu/ca/later.sock"
	wait $!
	adopted 74C2008800000D20
	same "$(cat <&5)" "1 rows, 0 with problems: 1 created, 0 changed, 0 unchanged, 0 refused"
	exec 5<&-
}

@test "officers: a quorum short by one, the same officer twice, and a stranger adopt nothing" {
	one_row 91330100MAHUFU033Y 杭州导入丙有限公司 3003 74C2008800000D03 wrongserial.pem
	hufu officer key --plain --out "$WORK/mallory.key" mallory >/dev/null
	csv=$WORK/old/accounts.csv
	fails 4 "--officer KEY is missing" hufu import "$csv"
	refused quorum hufu import --officer "$(key_of alice)" "$csv"
	fails 2 "" hufu import --officer "$(key_of alice)" --officer "$(key_of alice)" "$csv"
	fails 2 "" hufu import --officer "$(key_of alice)" --officer "$WORK/mallory.key" "$csv"
	fails 2 "" hufu import --officer "$(key_of alice)" --officer "$DIR/var/lib/hufu-ra/ra.key" "$csv"
	not_adopted 74C2008800000D03
}

@test "a CSV that is none: missing column, no row, broken quotes, too wide, not UTF-8" {
	csv=$WORK/old/accounts.csv
	while IFS='|' read -r said bytes; do
		printf '%b' "$bytes" >"$csv"
		run hufu --dry-run import "$csv"
		echo "$output"
		[ "$status" != 0 ]
		said "accounts.csv" "$said"
	done <<-'TABLE'
		lacks the column "organisation"|account_identifier,x\n1,2\n
		no row behind the header|\n
		lacks the column|\xff\xfe\x00\n
		line 1|"account_identifier,organisation\n
		more than 64 columns|,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n
	TABLE
	csv_begin
	fails 1 "no row behind the header" hufu --dry-run import "$csv"
	row 91330100MAHUFU033Y "$(printf '\xff\xfe')" 3003 "" ""
	row 91330100MAHUFU033Y "$(printf 'x%.0s' $(seq 2000))" 3003 "" ""
	row 91330100MAHUFU033Y "$(printf '杭州\u202e有限公司')" 3003 "" ""
	run hufu --dry-run import "$csv"
	echo "$output"
	same "$status" 2
	told 'line 2: refused: organisation:' 'line 3: refused: organisation:' 'line 4: refused:'
	both_live
}
