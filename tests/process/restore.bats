#!/usr/bin/env bats
# A fire: the machine is gone. What is left are a backup of the CA, the desk's own, a printed checkpoint, and the custodians with their shares. On an
# empty machine the CA is laid out again, custodians open it, the operator gives the word, the desk goes on, and the chain with it. A gate on another
# machine saw it all: what it told as revoked it never tells as good. The real programs.

load ../gate

CODES=(91330100MAHUFU0179 91330100MAHUFU0254 91330100MAHUFU033Y)

setup_file() {
	live_begin
	old_authority
	csv_begin
	local i
	for i in 0 1 2; do
		old_cert "org$i" "74C2008800000C0$i" "杭州备份示例$i有限公司" "${CODES[$i]}"
		csv_row "${CODES[$i]}" "杭州备份示例$i有限公司" "2050$i" "+200 days" "杭州备份示例$i有限公司" "74C2008800000C0$i" "org$i"
	done
	old_crl
	init >/dev/null
	take_ports
	gate_admitted
	up
	import >/dev/null
	for i in 0 1 2; do at_home "org$i" "${CODES[$i]}" >/dev/null; done
	echo "the passphrase of the backup" >"$WORK/backup.pass"
	echo "another passphrase" >"$WORK/wrong.pass"
}

teardown_file() {
	gate_down
	live_end
}

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }
extend() { prepared "org$1" --kind extend --way same-key --months 12 "${@:2}" "74C2008800000C0$1"; }

# extended N: org N's certificate extended; newN.pem, newN.note, newN.receipt.
extended() {
	local id
	id=$(extend "$1" --order "$(paid_order "org$1" "2050$1")")
	proved "org$1" "$WORK/old/org$1.key" "$id" >/dev/null
	issued_to "org$1" "$id" "new$1" >"$WORK/kept.serial$1"
	as "org$1" hufu receipt --out "$WORK/new$1.receipt" "$(kept "serial$1")"
}

restore() { hufu restore --ca-user hufu-ca --ra-user hufu-ra "$@"; }
verify() { hufu verify --log-key "$WORK/log.vkey" --roster "$WORK/roster-2.note" "$@"; }
submit() { hufu custodian submit --key "$WORK/people/$1.key" "$WORK/shares/$1.share"; }
gate_state() { curl -s "http://$ADMIN/readyz" | field state; }
gate_status() { curl -s "http://$HTTP/v1/status/$(kept serial0)" | field answers.0.state; }
gate_is() { [ "$(gate_state)" = "$1" ]; }
revoke_0() { hufu cert revoke --reason keyCompromise --operator --key "$(key_of carol)" --yes "$(kept serial0)"; }

@test "two of three custodians hold the CA key" {
	local unlock add=() names=() who
	unlock=$(hufu --json custodian status | field unlock_key)
	for who in kate liam mona; do
		add+=(--add "custodian:$(hufu --json officer key --plain --out "$WORK/people/$who.key" "$who" | field vkey)")
		names+=(--custodian "$who")
	done
	configure
	responder_key
	hufu roster note "${add[@]}" --add "signer:$unlock" --add responder:ocsp-1="$WORK/ocsp.pub" "$WORK/roster-2.note"
	for who in alice bob; do hufu roster sign --yes --key "$(key_of $who)" "$WORK/roster-2.note"; done
	hufu roster submit "$WORK/roster-2.note"
	install -m 644 "$WORK/roster-2.note" "$DIR/etc/hufu/roster.note"
	hufu custodian order --threshold 2 "${names[@]}" "$WORK/order.note"
	for who in alice bob; do hufu note sign --yes --key "$(key_of $who)" "$WORK/order.note"; done
	mkdir -p "$WORK/shares"
	hufu custodian split --out "$WORK/shares" "$WORK/order.note"
	submit kate || [ $? = 5 ]
	did submit liam
	kill -HUP "$(cat "$WORK/ra.pid")"
}

@test "a certificate, then the backup of a running CA, then another certificate" {
	extended 0
	did hufu backup --passphrase-fd 4 "$WORK/backup" 4<"$WORK/backup.pass"
	told "backup: [0-9]+ ledger entries, [0-9]+ files, keys sealed; root [0-9a-f]{64}"
	entries=$(grep '^entries: ' "$WORK/backup/manifest.note" | cut -d' ' -f2)
	keep entries "$entries"
	fails 1 "rule=backup_exists" hufu backup --passphrase-fd 4 "$WORK/backup" 4<"$WORK/backup.pass"
	extended 1
	hufu ledger head >"$WORK/sheet.note" # printed
	cp "$DIR/etc/hufu/log.vkey" "$WORK/log.vkey"
	did verify "$WORK/new1.pem" "$WORK/new1.receipt"
}

@test "and one is revoked, which the backup knows nothing of, and a gate does" {
	cp "$WORK/new0.pem" "$WORK/org.pem"
	cat "$DIR/etc/hufu/issuing.crt" "$DIR/etc/hufu/root.crt" >"$WORK/chain.pem"
	gate_up
	eventually openssl_says good
	did revoke_0
	eventually openssl_says revoked
	same "$(gate_status)" revoked
}

@test "no secret is in the backup in the clear" {
	local secret
	while read -r secret; do
		run grep -rF "$secret" "$WORK/backup"
		[ "$status" = 1 ]
	done < <(grep -h '^secret: ' "$DIR"/var/lib/hufu-ca/*.key | cut -d' ' -f2; cat "$WORK/pass" "$WORK/backup.pass")
	run grep -c '^secret: ' "$DIR/var/lib/hufu-ca/log.key" # the check itself: there is such a line to look for
	[ "$output" = 1 ]
	[ "$(stat -c %a "$WORK/backup")" = 700 ]
	run find "$WORK/backup" -maxdepth 1 -type f -perm /077
	[ -z "$output" ]
}

@test "the fire" {
	# What waits for a signature when it happens: it was prepared and proved, and never handed in.
	id=$(extend 2 --order "$(paid_order org2 20502)")
	as org2 hufu request prove --key "$WORK/old/org2.key" --yes "$id" >/dev/null
	keep waiting "$id"
	down
	cp -a "$DIR/var/lib/hufu-ra" "$WORK/desk.backup"
	cp -a "$DIR/home" "$WORK/officers" # each has a key of one's own
	rm -rf "$DIR"
	[ ! -e "$DIR" ]
	# On its own machine the gate goes on: what it was told holds.
	same "$(gate_status)" revoked
}

@test "refused: a wrong passphrase, another log's key, an altered file, a place that is not empty" {
	fails 2 "wrong passphrase" restore --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/wrong.pass"
	[ ! -e "$DIR" ]
	(cd "$WORK" && hufu officer key --plain thief >/dev/null)
	python3 - "$WORK/thief.key" "$(sed 's/+.*//' "$WORK/log.vkey")" >"$WORK/thief.vkey" <<'PY'
import base64, hashlib, re, sys
key = base64.b64decode(re.search(r"^public: (\S+)$", open(sys.argv[1]).read(), re.M)[1])
name = sys.argv[2]
print(name + "+" + hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4].hex() + "+" + base64.b64encode(b"\x01" + key).decode())
PY
	refused log_origin restore --log-key "$WORK/thief.vkey" --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/backup.pass"
	local file
	for file in ledger.db private.sealed files/etc/hufu/policies/policy.note files/etc/hufu/ca.yaml; do
		rm -rf "$WORK/altered"
		cp -r "$WORK/backup" "$WORK/altered"
		printf x >>"$WORK/altered/$file"
		refused backup_altered restore --log-key "$WORK/log.vkey" --passphrase-fd 4 "$WORK/altered" "$DIR" 4<"$WORK/backup.pass"
		said "$file"
		[ ! -e "$DIR" ]
	done
	sed -i 's/ 0644 files/ 0666 files/' "$WORK/altered/manifest.note"
	refused log_signature restore --passphrase-fd 4 "$WORK/altered" "$DIR" 4<"$WORK/backup.pass"
	mkdir "$DIR"
	: >"$DIR/something"
	refused folder_not_empty restore --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/backup.pass"
	same "$(ls "$DIR")" something
	rm -r "$DIR"
}

@test "laid out again on an empty machine, each file as it was" {
	did hufu --dry-run restore --log-key "$WORK/log.vkey" --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/backup.pass"
	[ ! -e "$DIR" ]
	did restore --log-key "$WORK/log.vkey" --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/backup.pass"
	said "$(kept entries) entries" "good: every entry, hash and outcome is where it should be" "$(kept entries) ledger entries" "the signer waits for hufu ledger resume"
	same "$(stat -c '%U %a' "$DIR/var/lib/hufu-ca" "$DIR/var/lib/hufu-ca/issuing.key" "$DIR/var/lib/hufu-ca/log.key")" "$(printf 'hufu-ca 700\nhufu-ca 600\nhufu-ca 600')"
	did diff -r "$WORK/backup/files/etc/hufu" "$DIR/etc/hufu"
}

@test "custodians come, and still nothing is signed" {
	rm -rf "$DIR/var/lib/hufu-ra"
	cp -a "$WORK/desk.backup" "$DIR/var/lib/hufu-ra"
	mkdir -p "$DIR/home"
	cp -a "$WORK/officers/." "$DIR/home"
	chgrp hufu-gate "$DIR/run/hufu/ra" && chmod g+s "$DIR/run/hufu/ra"
	up
	run hufu custodian status
	said "the CA key is locked"
	submit mona || [ $? = 5 ]
	did submit liam
	# The desk has shown its checkpoint by itself, which knows of more than this ledger has.
	eventually seen
	run hufu health
	said "ledger_waits: true" "ledger_waits"
	[ "$status" = 5 ]
	eventually worried ledger_fork
	fails 3 "[ledger_waits]" hufu crl --operator --out "$WORK/none.crl"
	fails 3 "[ledger_fork]" as org2 hufu request submit "$(kept waiting)"
	same "$(issued)" 1
	# What it was told, or no word at all, once it has seen that this ledger is an older one.
	[[ "$(gate_status)" =~ ^(revoked)?$ ]]
}

worried() { hufu --json health --desk | grep -q "\"$1\""; }
seen() { [ "$(hufu --json health --signer | field signer.newest_checkpoint)" -gt "$(kept entries)" ]; }

@test "the operator's word: how many entries are lost must be said" {
	newest=$(hufu --json health --signer | field signer.newest_checkpoint)
	size=$(hufu --json health --signer | field signer.ledger_size)
	same "$size" "$(kept entries)"
	lost=$((newest - size))
	[ $lost -ge 2 ]
	fails 4 "--word is missing" hufu ledger resume --lost $lost
	refused restore_lost hufu ledger resume --word fire
	refused restore_alone hufu ledger resume --nobody-holds-one --word fire
	fails 3 "[ledger_waits]" hufu desk resume
	did hufu --dry-run ledger resume
	said "the ledger waits; $size entries, newest checkpoint shown: $newest"
	did hufu ledger resume --checkpoint "$WORK/sheet.note" --lost $lost --word "fire on the old machine; decided by the operator"
	said "the ledger goes on with entry $size; $lost entries are lost"
	did hufu desk resume
	told "by the word of entry $size: $lost entries are lost, and [0-9]+ certificates or states"
	did hufu desk lost
	said "$(kept serial1)" certificate
	refused not_waiting hufu desk resume
	eventually settled
	did hufu health
}

settled() { run hufu health; [ "$status" = 0 ]; }

tries_later() { ask -no_nonce -cert "$WORK/org.pem" | grep -q trylater; }

@test "the gate that followed further takes the restored ledger for another one, by itself and after a new start: it says nothing" {
	local i
	eventually gate_is forked
	for i in 1 2; do
		did tries_later
		same "$(curl -s -o "$WORK/json" -w '%{http_code}' "http://$HTTP/v1/status/$(kept serial0)")" 503
		gate_down
		gate_up
		eventually gate_is forked
	done
	grep -q 'event=ledger_fork audit=1' "$WORK/gate.log"
}

@test "the lost revocation is handed in again, then the gate begins anew: revoked, as it was" {
	did hufu desk lost
	told "$(kept serial0) .*revoked"
	did revoke_0
	gate_down
	mv "$WORK/gate/state" "$WORK/gate/state.before"
	gate_up
	eventually ready
	eventually openssl_says revoked
	grep -q "Reason: keyCompromise" "$WORK/said"
	same "$(gate_status)" revoked
	by_crl() { curl -sf "http://$HTTP/crl/$(issuer_id)/full.crl" | openssl crl -inform DER -noout -text | grep -q "Serial Number: $(kept serial0)"; }
	eventually by_crl
	gate_down
}

@test "what was lost is not signed a second time: a tally of before is refused, asked anew it is done" {
	run to_signer "$WORK/new1.note"
	said "fault rule tally_before_restore"
	as org2 hufu request submit "$(kept waiting)"
	run as org2 hufu request show --wait 30 "$(kept waiting)"
	echo "$output"
	said "tally_before_restore"
	extended 2
	did verified "$WORK/new2.pem"
	did verify "$WORK/new2.pem" "$WORK/new2.receipt"
}

@test "receipts of before hold, of what was kept and of what was lost" {
	did verify "$WORK/new0.pem" "$WORK/new0.receipt"
	did verify "$WORK/new1.pem" "$WORK/new1.receipt"
	as org0 hufu receipt --out "$WORK/again.receipt" "$(kept serial0)"
	did verify "$WORK/new0.pem" "$WORK/again.receipt"
	did hufu ledger check
	said "good: every entry"
	did hufu ledger export "$(kept entries)-$(kept entries)"
	said "message: e_restored" "fire on the old machine"
}

@test "CRL numbers go on rising, and the next start finds all as it should be" {
	did hufu crl --operator --out "$WORK/crl.pem"
	number=$((16#$(openssl crl -in "$WORK/crl.pem" -noout -crlnumber | sed 's/.*0x//; s/.*=//')))
	[ $number -gt 1000000 ]
	down
	up
	run hufu custodian status
	said "the CA key is locked"
	submit kate || [ $? = 5 ]
	did submit mona
	eventually settled
	grep -q 'event=ledger_opened.*checkpoint=compared' "$DIR"/var/log/*.log
}
