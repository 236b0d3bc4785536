#!/usr/bin/env bats
# The guide's main job, from an empty folder, as people do it: an old certificate is taken over, its service renewed and paid, the certificate
# extended and changed, others withdrawn and revoked. Two programs under two Unix users; every step is a `hufu` command of somebody.
# One story: each part goes on where the one before ended.

load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	# The story's organisation, with the identifier that fails its check and the mobile of ten digits.
	old_cert tiangu 74C2008800000AE9 擎洲测试投标人6 35353550-9 rsa
	csv_row 35353550-9 杭州田谷 20353 "-300 days" 擎洲测试投标人6 74C2008800000AE9 tiangu
	# Somebody else.
	old_cert other 74C2008800000B01 杭州另一家示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州另一家示例有限公司 20354 "+200 days" 杭州另一家示例有限公司 74C2008800000B01 other
	# One account with many certificates: an agent who serves several organisations.
	local n codes=(0254 033Y 041R 05XH 068H)
	for n in 1 2 3 4 5; do
		old_cert "many$n" "74C2008800000C0$n" "杭州多证示例${n}有限公司" "91330100MAHUFU${codes[n - 1]}"
		csv_row 91330100MAHUFU0254 杭州多证示例1有限公司 2040$n "+200 days" "杭州多证示例${n}有限公司" "74C2008800000C0$n" "many$n"
	done
	old_crl
}

teardown_file() { live_end; }

# What one part leaves for the next.
keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# The verifier key of a key file: name, a hash, type and key.
vkey_of() {
	python3 -c '
import base64, hashlib, sys
f = dict(l.split(": ", 1) for l in open(sys.argv[1]).read().splitlines() if ": " in l)
key = b"\x01" + base64.b64decode(f["public"])
print("%s+%s+%s" % (f["name"], hashlib.sha256(f["name"].encode() + b"\n" + key).hexdigest()[:8], base64.b64encode(key).decode()))' "$1"
}

@test "hufu init lays out a CA: ceremonies with transcripts, roster and policy signed by three officers" {
	did init
	verified "$DIR/etc/hufu/issuing.crt"
	for name in root issuing; do
		did hufu note verify --key "$(vkey_of "$DIR/home/operator/operator.key")" "$DIR/etc/hufu/ceremonies/$name.note"
		told 'operator +holds'
	done
	did hufu note verify --roster "$DIR/etc/hufu/roster.note" "$DIR/etc/hufu/policies/policy.note"
	said "3 signed, its quorum is 2"
	refused folder_not_empty init # a tree is never written over
}

@test "hufu up starts two programs, and says when both are ready" {
	fails 3 "no answer" hufu health
	up
	both_live
	did hufu health
	said "state: open"
}

@test "hufu import: a dry run changes nothing, the import takes accounts and certificates, and finds nothing to do again" {
	did import --dry-run
	said "7 certificates would be adopted" \
		'line 2: created: identifier 35353550-9 fails its check: kept, flagged; mobile "1300000000" is malformed: kept, flagged, never sent to'
	same "$(hufu --json status 74C2008800000AE9 | field answers.0.state)" unknown
	did import
	said "7 of 7 certificates newly adopted, 0 refused" "7 rows, 0 with problems"
	did import
	said "0 of 7 certificates newly adopted" "line 2: unchanged"
	did hufu status 74C2008800000AE9 74C2008800000FFF
	told '74C2008800000AE9 +good' '74C2008800000FFF +unknown'
}

@test "登录 log in with the identifier of first issue and the initial password: what is shown is masked, and nothing is open" {
	refused session_missing as tiangu hufu service list
	refused login_wrong as tiangu hufu login --password-fd 4 35353550-9 4<<<12345678
	fails 5 "set your own first" as tiangu hufu login --password-fd 4 35353550-9 4<<<88888888
	refused reset_first as tiangu hufu service list
	did as tiangu hufu account
	said "organisation: 杭州田谷" "identifier: 35353550-9" "agent: 张*" "mobile: 130***0000"
}

@test "the initial password is published: the certificate's key shows who it is, and then agent and mobile are shown" {
	refused proof_first as tiangu hufu account sms --for bind --mobile 13858011084
	refused subscriber_signature as tiangu hufu account prove --key "$WORK/old/other.key" --yes
	did as tiangu hufu account prove --key "$WORK/old/tiangu.key" --yes
	said "purpose: first-log-in" "identifier: 35353550-9" "\"agent\":\"张三\"" "\"mobile\":\"1300000000\""
}

@test "补录并重置 back-fill and reset: the mobile number, the code of its SMS, a new password; they log in from now on" {
	refused mobile_form as tiangu hufu account sms --for bind --mobile 1300000000
	did as tiangu hufu account sms --for bind --mobile 13858011084
	said "sent: true" "wait_seconds: 60" "mobile: 138****1084"
	code=$(sms_code 13858011084)
	did as tiangu hufu account sms --for bind --mobile 13858011084
	said "sent: false"
	reset() { as tiangu hufu password --mobile 13858011084 --sms-code-fd 5 --password-fd 4; }
	refused password_weak reset 4<<<88888888 5<<<"$code"
	refused password_weak reset 4<<<short 5<<<"$code"
	refused sms_code_wrong reset 4<<<"the password of tiangu" 5<<<"$(printf '%06d' $(((10#$code + 1) % 1000000)))"
	did reset 4<<<"the password of tiangu" 5<<<"$code"
	refused login_wrong as tiangu hufu login --password-fd 4 35353550-9 4<<<88888888
	did as tiangu hufu login --password-fd 4 35353550-9 4<<<"the password of tiangu"
	did as tiangu hufu login --password-fd 4 13858011084 4<<<"the password of tiangu"
	same "$(stat -c %a "$WORK"/people/tiangu/hufu/session-*)" 600
	at_home other 91330100MAHUFU0179
	at_home many 91330100MAHUFU0254
}

@test "我的服务, 我的证书 my services and my certificates are mine" {
	did as tiangu hufu service list
	told '20353.*擎洲测试投标人6.*74C2008800000AE9.*expired.*renew' '1 in all'
	did as tiangu hufu cert list
	told '74C2008800000AE9.*擎洲测试投标人6.*ZJCA OCA2' '1 in all'
	did as many hufu cert list --search 示例4
	said "1 in all" 74C2008800000C04
	as tiangu hufu cert show --pem 74C2008800000AE9 >"$WORK/shown.pem"
	cmp <(openssl x509 -in "$WORK/shown.pem" -outform DER) <(openssl x509 -in "$WORK/old/tiangu.pem" -outform DER)
	refused certificate_unknown as tiangu hufu cert show 74C2008800000B01
}

extend() { prepare "$1" --kind extend --way same-key --months 12 "${@:2}"; }

@test "延期 extend: refused, because the service has expired" {
	refused service_expired extend tiangu 74C2008800000AE9
	said "服务已到期" "the service has expired"
	same "$(issued)" 0
}

@test "续费 renew: order, bank transfer, an officer confirms the bank's reference; the service runs on" {
	first=$(as tiangu hufu --json order renew 20353 | field order)
	refused order_open as tiangu hufu order renew 20353
	refused service_unknown as tiangu hufu order renew 20354 # somebody else's service
	did as tiangu hufu order pay "$first"
	said "reference: $first" "state: created"
	refused order_unknown as other hufu order show "$first"
	did as officer hufu order confirm --bank-reference ICBC-1 "$first"
	said "state: paid"
	did as officer hufu order confirm --bank-reference ICBC-1 "$first" # the same again: the same answer
	did as tiangu hufu service list
	told '20353.*active'
	keep first "$first"
}

@test "an order that is not paid, another service's, another account's, or one that is not there pays for nothing" {
	unpaid=$(as tiangu hufu --json order renew 20353 | field order)
	refused order_unpaid extend tiangu --order "$unpaid" 74C2008800000AE9
	refused bank_reference_used as officer hufu order confirm --bank-reference ICBC-1 "$unpaid"
	as tiangu hufu order cancel "$unpaid"
	refused order_cancelled extend tiangu --order "$unpaid" 74C2008800000AE9
	refused order_unknown extend other --order "$(kept first)" 74C2008800000B01
	refused order_unknown extend tiangu --order 20991231-NOSUCHORDER2 74C2008800000AE9
	keep many1 "$(paid_order many 20401)"
	refused order_other_service extend many --order "$(kept many1)" 74C2008800000C02
	same "$(issued)" 0
}

@test "延期 extend again, same key: proved with the old certificate's key, issued at once, same subject, old end + 12 months" {
	id=$(prepared tiangu --kind extend --way same-key --months 12 --order "$(kept first)" 74C2008800000AE9)
	refused subscriber_missing as tiangu hufu request submit "$id"
	refused subscriber_signature as tiangu hufu request prove --key "$WORK/old/other.key" --yes "$id"
	refused not_confirmed as tiangu hufu request prove --key "$WORK/old/tiangu.key" "$id" <<<no
	refused request_unknown as other hufu request show "$id"
	fails 5 "request $id: drafted" as tiangu hufu request show --wait 0 "$id"
	said "missing: proof by the current key" "subject: = O 擎洲测试投标人6"
	as tiangu hufu request prove --key "$WORK/old/tiangu.key" "$id" <<<yes
	as tiangu hufu request submit "$id"
	keep extended "$(issued_to tiangu "$id" extended)"
	verified "$WORK/extended.pem"
	same "$(public_key "$WORK/extended.pem")" "$(public_key "$WORK/old/tiangu.pem")"
	same "$(subject "$WORK/extended.pem")" "$(subject "$WORK/old/tiangu.pem")"
	same "$(ends "$WORK/extended.pem")" "$(ends_later "$WORK/old/tiangu.pem" "1 year")"
	same "$(issued)" 1
}

@test "the tally of the extension verifies offline; a changed byte does not" {
	did hufu tally verify --roster "$DIR/etc/hufu/roster.note" --cert "$WORK/old/tiangu.pem" "$WORK/extended.note"
	sed 's/^validity: add 12/validity: add 24/' "$WORK/extended.note" >"$WORK/wider.note"
	fails 2 "DOES NOT HOLD" hufu tally verify --roster "$DIR/etc/hufu/roster.note" --cert "$WORK/old/tiangu.pem" "$WORK/wider.note"
	did hufu tally show "$WORK/extended.note"
	said "signature line: ra-1"
}

@test "an order pays once; an extended certificate has its successor and is extended no more" {
	refused validity_window extend tiangu --order "$(kept first)" "$(kept extended)"
	refused order_used change tiangu --months 12 --order "$(kept first)" --subject O=杭州再用示例有限公司 --subject CN=杭州再用示例有限公司 "$(kept extended)"
	refused predecessor_succeeded extend tiangu --order "$(kept first)" 74C2008800000AE9
	did hufu status 74C2008800000AE9 "$(kept extended)"
	told "74C2008800000AE9 +good.*$(kept extended)" "$(kept extended) +good"
}

# extended_with ALGORITHM N ORDER: certificate N of `many` goes over to a new key: both keys sign, one officer looks.
extended_with() {
	local n=$2 id
	csr "new$n" "$1"
	id=$(prepared many --kind extend --way new-key --months 24 --order "$3" --files no --csr "$WORK/new$n.csr" "74C2008800000C0$n")
	as many hufu request prove --key "$WORK/old/many$n.key" --yes "$id"
	refused new_key_missing as many hufu request submit "$id"
	refused new_key_signature as many hufu request prove --new-key "$WORK/old/other.key" --yes "$id"
	as many hufu request prove --new-key "$WORK/new$n.key" --yes "$id"
	as many hufu request submit "$id"
	approved alice "$id"
	keep "new$n" "$(issued_to many "$id" "new$n")"
	verified "$WORK/new$n.pem"
	same "$(public_key "$WORK/new$n.pem")" "$(openssl pkey -in "$WORK/new$n.key" -pubout)"
	same "$(subject "$WORK/new$n.pem")" "$(subject "$WORK/old/many$n.pem")" # not what the CSR says
	same "$(ends "$WORK/new$n.pem")" "$(ends_later "$WORK/old/many$n.pem" "2 years")"
}

@test "延期 extend with a new P-256 key: both keys sign, one officer approves" {
	extended_with p256 1 "$(kept many1)"
}

@test "延期 extend with a new RSA key" {
	extended_with rsa 2 "$(paid_order many 20402)"
}

@test "a key that is another organisation's certifies nobody else" {
	openssl req -new -key "$WORK/old/other.key" -subj /CN=x -out "$WORK/theirs.csr" 2>/dev/null
	id=$(prepared many --kind extend --way new-key --months 12 --order "$(paid_order many 20403)" --files no --csr "$WORK/theirs.csr" 74C2008800000C03)
	as many hufu request prove --key "$WORK/old/many3.key" --new-key "$WORK/old/other.key" --yes "$id"
	as many hufu request submit "$id"
	approved alice "$id"
	fails 2 "refused by rule key_other_subject" as many hufu request show --wait 30 "$id"
	same "$(issued)" 3
}

change() { # NAME [OPTIONS…] SERIAL
	prepare "$1" --kind change --way name-or-code --files no --accept-notice "${@:2}"
}
# changed_to NAME O [OPTIONS…] SERIAL: a change of the name with the five materials is drafted; prints its id.
changed_to() {
	local five
	mapfile -t five < <(five_materials)
	change "$1" --json --subject "O=$2" --subject "CN=$2" "${five[@]}" "${@:3}" | field request
}

@test "变更 change of the name alone: two officers, the old end stays, the certificate before is revoked affiliationChanged" {
	id=$(changed_to many 杭州多证示例一有限公司 "$(kept new1)")
	proved many "$WORK/new1.key" "$id"
	did as officer hufu officer review
	told "$(as many hufu --json request show --wait 0 "$id" | field number).*change.*name-or-code.*0/2"
	did as officer hufu officer review --materials "$WORK/looked-at" "$id"
	said "- O 杭州多证示例1有限公司" "+ O 杭州多证示例一有限公司" "SHA-256 as in the tally"
	same "$(ls "$WORK/looked-at" | wc -l)" 5
	approved alice "$id"
	refused officer_twice approved alice "$id"
	hufu officer key --plain --out "$WORK/stranger.key" alice >/dev/null # another key under the same name
	refused officer_signature as officer hufu officer approve --yes --key "$WORK/stranger.key" "$id"
	hufu officer key --plain --out "$WORK/mallory.key" mallory >/dev/null
	refused signer_unknown as officer hufu officer approve --yes --key "$WORK/mallory.key" "$id"
	refused signer_unknown as officer hufu officer approve --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$id" # the desk is nobody's officer
	fails 5 awaiting_officers as many hufu request show --wait 0 "$id"
	approved bob "$id"
	keep renamed1 "$(issued_to many "$id" renamed1)"
	verified "$WORK/renamed1.pem"
	same "$(ends "$WORK/renamed1.pem")" "$(ends "$WORK/new1.pem")"
	[[ "$(subject "$WORK/renamed1.pem")" == *"O=杭州多证示例一有限公司"* ]]
	did hufu status "$(kept new1)" "$(kept renamed1)"
	told "$(kept new1) +revoked +affiliationChanged" "$(kept renamed1) +good"
}

@test "a change changes something, and each of the five materials is wanted" {
	refused subject_empty_change change many "$(kept renamed1)"
	mapfile -t five < <(five_materials)
	id=$(change many --json --subject O=杭州改名示例有限公司 --subject CN=杭州改名示例有限公司 "${five[@]:0:4}" "$(kept renamed1)" | field request)
	did as many hufu request show "$id"
	said "missing: material risk-notice"
	refused materials_missing as many hufu request prove --key "$WORK/new1.key" --yes "$id"
	as many hufu request withdraw "$id"
	did as many hufu request show --wait 10 "$id"
	said "request $id: withdrawn"
}

@test "变更 + 延期 change of name and code with an ordered extension in one tally: five materials, two officers, one certificate" {
	id=$(changed_to tiangu 杭州虎符示例科技有限公司 --subject organizationIdentifier=913301003535355023 --months 12 --order "$(paid_order tiangu 20353)" "$(kept extended)")
	proved tiangu "$WORK/old/tiangu.key" "$id"
	approved alice "$id"
	approved bob "$id"
	keep changed "$(issued_to tiangu "$id" changed)"
	verified "$WORK/changed.pem"
	[[ "$(subject "$WORK/changed.pem")" == *"O=杭州虎符示例科技有限公司"*913301003535355023* ]]
	same "$(ends "$WORK/changed.pem")" "$(ends_later "$WORK/extended.pem" "1 year")"
	did hufu tally verify --roster "$DIR/etc/hufu/roster.note" --cert "$WORK/extended.pem" "$WORK/changed.note"
	told 'alice +holds' 'bob +holds' 'ra-1 +holds'
	same "$(issued)" 5
}

@test "a change into a code whose check fails, or that somebody else holds, is refused" {
	refused identifier_check change tiangu --subject organizationIdentifier=913301003535355024 "$(kept changed)"
	refused line_occupied change tiangu --subject organizationIdentifier=91330100MAHUFU0179 "$(kept changed)"
}

@test "an officer rejects: the subscriber reads why, and nobody approves it any more" {
	id=$(changed_to many 杭州驳回示例有限公司 "$(kept new2)")
	proved many "$WORK/new2.key" "$id"
	approved alice "$id"
	as officer hufu officer reject --reason 营业执照不清晰 "$id"
	fails 2 营业执照不清晰 as many hufu request show --wait 10 "$id"
	refused request_state approved bob "$id"
}

queue_is_empty() { [ "$(hufu --json health --desk | field desk.queue)" = 0 ]; }

@test "撤回 withdraw: the tally is dead at the signer too, whoever holds the desk and all the signatures" {
	id=$(changed_to many 杭州撤回示例有限公司 74C2008800000C03)
	proved many "$WORK/old/many3.key" "$id"
	approved alice "$id"
	hufu rpc review.show "{\"request\": \"$id\"}" | field note >"$WORK/captured.note"
	as many hufu request withdraw "$id"
	eventually queue_is_empty
	# The last officer signs all the same, and somebody with the desk's own key brings it to the signer.
	hufu note sign --yes --key "$(key_of bob)" "$WORK/captured.note" >/dev/null
	hufu note sign --yes --key "$DIR/var/lib/hufu-ra/ra.key" "$WORK/captured.note" >/dev/null
	did to_signer "$WORK/captured.note"
	said "fault rule tally_withdrawn"
	refused request_state as many hufu request withdraw "$id"
	same "$(issued)" 5
}

@test "吊销 a subscriber revokes: an own certificate is revoked, an old authority's is ended here" {
	id=$(prepared many --kind revoke --way by-subscriber --reason cessationOfOperation "$(kept renamed1)")
	proved many "$WORK/new1.key" "$id"
	did as many hufu request show --wait 30 "$id"
	id=$(prepared many --kind revoke --way by-subscriber --reason keyCompromise 74C2008800000C05)
	proved many "$WORK/old/many5.key" "$id"
	did as many hufu request show --wait 30 "$id"
	did hufu status "$(kept renamed1)" 74C2008800000C05
	told "$(kept renamed1) +revoked +cessationOfOperation" '74C2008800000C05 +ended +keyCompromise'
	refused predecessor_ended prepare many --kind revoke --way by-subscriber --reason keyCompromise 74C2008800000C05
}

has_state() { [ "$(hufu --json status "$1" | field answers.0.state)" = "$2" ]; }

@test "吊销 an officer revokes at the desk, whoever the certificate belongs to" {
	id=$(as officer hufu --json cert revoke --as alice --reason privilegeWithdrawn "$(kept new2)" | field request)
	did as officer hufu officer review "$id"
	said "kind: revoke" "$(kept new2)"
	approved carol "$id"
	eventually has_state "$(kept new2)" revoked
	did hufu status "$(kept new2)"
	told 'revoked +privilegeWithdrawn'
	refused predecessor_revoked as officer hufu cert revoke --reason superseded "$(kept new2)"
}

@test "状态, CRL: what is revoked is on the CRL with its reason, what is good is not" {
	hufu crl --out "$WORK/crl.pem"
	verified_crl "$WORK/changed.pem"
	for stem in extended new1 renamed1 new2; do
		fails 2 "certificate revoked" verified_crl "$WORK/$stem.pem"
	done
	same "$(reason_on_crl "$(kept extended)")" AffiliationChanged
	same "$(reason_on_crl "$(kept renamed1)")" CessationOfOperation
	same "$(reason_on_crl "$(kept new2)")" PrivilegeWithdrawn
}

@test "the shard that a certificate names is a CRL of that shard" {
	shard=$(openssl x509 -in "$WORK/extended.pem" -noout -ext crlDistributionPoints | grep -o '/[0-9]*\.crl' | tr -dc 0-9)
	hufu crl --shard "$shard" --out "$WORK/shard.pem"
	run openssl crl -in "$WORK/shard.pem" -noout -text
	said "Issuing Distribution Point" "/$shard.crl" "Serial Number: $(kept extended)"
	fails 2 "certificate revoked" verified -crl_check -extended_crl -CRLfile "$WORK/shard.pem" "$WORK/extended.pem"
}

# hufu-ca alone and without a passphrase; returns when it says that it is ready.
signer_alone() {
	install -m 755 "$build/ca/hufu-ca" "$WORK/hufu-ca"
	python3 - "$WORK" "$DIR" 3>&- <<'PY'
import os, socket, subprocess, sys
work, tree = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(work + "/notify")
os.chmod(work + "/notify", 0o666)
as_ca = ["setpriv", "--reuid", "hufu-ca", "--regid", "hufu-ca", "--init-groups"]
p = subprocess.Popen(as_ca + [work + "/hufu-ca", "--config", tree + "/etc/hufu/ca.yaml"], env=dict(os.environ, NOTIFY_SOCKET=work + "/notify"),
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(work + "/alone.log", "w"), start_new_session=True)
open(work + "/alone.pid", "w").write(str(p.pid))
s.settimeout(30)
while b"READY=1" not in s.recv(256):
    pass
PY
}

@test "with the desk stopped, the signer starts locked, is unlocked, and an officer revokes straight through the operator" {
	down
	signer_alone
	fails 5 "state: locked" hufu health --signer
	fails 3 signer_locked hufu cert revoke --operator --yes --reason keyCompromise --key "$(key_of alice)" "$(kept changed)"
	fails 2 "" hufu unlock --passphrase-fd 4 4<<<"not the passphrase"
	did hufu unlock --passphrase-fd 4 4<"$WORK/pass"
	fails 3 "" as tiangu hufu cert list
	refused signer_unknown hufu cert revoke --operator --yes --reason keyCompromise --key "$WORK/mallory.key" "$(kept changed)"
	did hufu cert revoke --operator --yes --reason keyCompromise --key "$(key_of alice)" "$(kept changed)"
	did hufu crl --operator --out "$WORK/crl.pem"
	fails 2 "certificate revoked" verified_crl "$WORK/changed.pem"
	same "$(reason_on_crl "$(kept changed)")" KeyCompromise
	down
}

@test "the desk comes back and learns what was revoked without it" {
	up
	eventually has_state "$(kept changed)" revoked
	did hufu status "$(kept changed)"
	told "$(kept changed) +revoked +keyCompromise"
	same "$(issued)" 5
	run grep -E 'internal_error|level=(error|crit)' "$DIR"/var/log/*.log
	[ "$status" = 1 ] || { echo "$output"; false; }
}
