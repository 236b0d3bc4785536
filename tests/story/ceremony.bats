#!/usr/bin/env bats
# The life of a CA in ceremonies, as a script: root, issuing CA in a token, responder, log key, roster, policy, genesis, the token's PIN in shares of
# three of five, unlock, issue, rollover into a second token, an extension across it, backup, fire and restore on an empty machine, the old CA
# revoked, and every transcript verified at the end, by another build of the tool. With the real programs, and nothing made by hand that a ceremony
# makes. docs/ceremony.md tells the same.

bats_require_minimum_version 1.5.0
load ../alone
load ../live
load ../roll

module=/usr/lib/softhsm/libsofthsm2.so
CODES=(91330100MAHUFU0179 91330100MAHUFU0254)

setup_file() {
	WORK=$(new_dir)
	export WORK DIR=$WORK/ca
	export HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml SOFTHSM2_CONF=$WORK/softhsm2.conf
	echo "a passphrase of the root" >"$WORK/root.pass"
	echo "a passphrase of the backup" >"$WORK/backup.pass"
	lay_out
	local who
	for who in operator walter wendy alice bob ra-1 kate liam mona nina omar; do
		"$hufu" --json officer key --plain --out "$(key_of $who)" "$who" | field vkey >"$WORK/people/$who.vkey"
	done
	tokens
	organisations
	files
}

teardown_file() {
	ended desk
	ended ca
	[ -n "${HUFU_KEEP:-}" ] || rm -rf "$WORK"
}

key_of() { echo "$WORK/people/$1.key"; }

lay_out() {
	mkdir -p "$DIR/etc/hufu/ceremonies" "$DIR/etc/hufu/policies" "$DIR"/run/hufu/{ca,ra,operator} "$DIR/var/lib" "$WORK/people" "$WORK/old"
	mkdir -p -m 700 "$DIR"/var/lib/hufu-{ca,ra}
	cp -r "$root/policies/." "$DIR/etc/hufu/policies/"
	rm -rf "$DIR/etc/hufu/policies/ceremonies"
	# In this story nobody waits a year for the day on which a certificate may be extended again.
	sed -i 's/window_before_days: 90/window_before_days: 500/' "$DIR/etc/hufu/policies/profiles/organisation.yaml"
}

# Two tokens, each with a PIN of its own: pin-1, pin-2. They stand elsewhere, and burn with nothing.
tokens() {
	local n
	mkdir "$WORK/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
	for n in 1 2; do
		echo "the PIN of token $n" >"$WORK/pin-$n"
		softhsm2-util --init-token --free --label "ISSUING-$n" --so-pin 24680246 --pin "$(cat "$WORK/pin-$n")" >/dev/null
		pkcs11-tool --module $module --token-label "ISSUING-$n" -L | grep -A9 "token label *: ISSUING-$n" | sed -n 's/.*serial num *: //p' | head -n1 >"$WORK/serial-$n"
	done
}

# in_token N: the URI of its key.
in_token() { echo "pkcs11:token=ISSUING-$1;serial=$(cat "$WORK/serial-$1");object=issuing-$1"; }

# Two customers of another CA, whose certificates the policy lets extend.
organisations() {
	local i
	old_authority
	csv_begin
	for i in 0 1; do
		old_cert "org$i" "74C2008800000C0$i" "杭州仪式示例$i有限公司" "${CODES[$i]}"
		csv_row "${CODES[$i]}" "杭州仪式示例$i有限公司" "2050$i" "+900 days" "杭州仪式示例$i有限公司" "74C2008800000C0$i" "org$i"
	done
	old_crl
	mkdir -p "$DIR/etc/hufu/policies/issuers"
	cp "$WORK/old/zjca-oca2.pem" "$DIR/etc/hufu/policies/issuers/old-1.crt"
}

vkey() { cat "$WORK/people/$1.vkey"; }
day() { date -u -d "$1" +%FT00:00:00Z; }

# The ceremony files, as they were reviewed. Those with the signer's unlock key and the next hashes come when these are known.
people() {
	echo "operator: $(vkey operator)"
	echo "witnesses: [$(vkey walter), $(vkey wendy)]"
}

ca_subject() { echo "subject: [{attribute: C, value: CN}, {attribute: O, value: Hufu Example}, {attribute: CN, value: $1}]"; }

files() {
	local f=$DIR/etc/hufu/ceremonies
	cat >"$f/root.yaml" <<-YAML
		kind: root
		name: root
		$(people)
		$(ca_subject "Hufu Example Root CA")
		key: {algorithm: p384}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+20 years')}
		path_len: 1
		outputs: {certificate: etc/hufu/root.crt, key: var/lib/hufu-ca/root.key, transcript: etc/hufu/ceremonies/root.note}
	YAML
	cat >"$f/issuing.yaml" <<-YAML
		kind: intermediate
		name: issuing
		$(people)
		$(ca_subject "Hufu Example Issuing CA 1")
		key: {algorithm: p256, token: "$(in_token 1)?module-path=$module"}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+8 years')}
		path_len: 0
		policy: 1.3.6.1.4.1.32473.1.1
		crl_url: http://pki.example.test/crl/{issuer}/0.crl
		ca_issuers_url: http://pki.example.test/ca/{issuer}.crt
		issuer: {certificate: etc/hufu/root.crt, key: var/lib/hufu-ca/root.key}
		crl: {number: 1, this_update: $(day '-1 day'), next_update: $(day '+360 days')}
		outputs:
		  certificate: etc/hufu/issuing.crt
		  key: var/lib/hufu-ca/issuing.key
		  crl: etc/hufu/root.crl
		  transcript: etc/hufu/ceremonies/issuing.note
	YAML
	cat >"$f/ocsp-1.yaml" <<-YAML
		kind: responder
		name: ocsp-1
		$(people)
		key: {algorithm: p256}
		outputs: {key: var/lib/ocsp-1.key, public: etc/hufu/ocsp-1.pub, transcript: etc/hufu/ceremonies/ocsp-1.note}
	YAML
	cat >"$f/log.yaml" <<-YAML
		kind: log-key
		name: log
		$(people)
		ca: etc/hufu/issuing.crt
		outputs: {key: var/lib/hufu-ca/log.key, public: var/lib/hufu-ca/log.vkey, transcript: etc/hufu/ceremonies/log.note}
	YAML
	cat >"$f/roster-1.yaml" <<-YAML
		kind: roster
		name: roster-1
		$(people)
		ca: etc/hufu/issuing.crt
		made: $(day today)
		quorum: 2
		members:
		  - {role: officer, key: $(vkey alice)}
		  - {role: officer, key: $(vkey bob)}
		  - {role: ra, key: $(vkey ra-1)}
		  - {role: responder, name: ocsp-1, public: etc/hufu/ocsp-1.pub}
		signers: [alice, bob]
		outputs: {note: etc/hufu/roster-1.note, transcript: etc/hufu/ceremonies/roster-1.note}
	YAML
	cat >"$f/policy-1.yaml" <<-YAML
		kind: policy
		name: policy-1
		$(people)
		ca: etc/hufu/issuing.crt
		roster: etc/hufu/roster-1.note
		bundle: etc/hufu/policies
		made: $(day today)
		signers: [alice, bob]
		outputs: {note: etc/hufu/policies/policy.note, transcript: etc/hufu/ceremonies/policy-1.note}
	YAML
}

# hold WHAT NAME [OPTIONS…]: a ceremony's check, rehearsal or run, with everybody in the room; each question is answered. secret: the file with the new
# key's passphrase, or its token's PIN.
secret=root.pass
hold() {
	local word=$1 name=$2
	shift 2
	if [ "$word" = check ]; then
		"$hufu" ceremony check --dir "$DIR" "$DIR/etc/hufu/ceremonies/$name.yaml"
		return
	fi
	"$hufu" ceremony "$word" --dir "$DIR" --operator-key "$(key_of operator)" --witness-key "$(key_of walter)" --witness-key "$(key_of wendy)" \
		--passphrase-fd 4 --issuer-passphrase-fd 6 "$@" "$DIR/etc/hufu/ceremonies/$name.yaml" 4<"$WORK/$secret" 6<"$WORK/root.pass" < <(yes yes)
}

officers=(--officer-key "$WORK/people/alice.key" --officer-key "$WORK/people/bob.key")

# verified NAME [OPTIONS…]: its transcript, its file and all that it names.
verified() {
	local key=() who
	for who in operator walter wendy; do key+=(--key "$(vkey "$who")"); done
	"$hufu" ceremony verify "${key[@]}" --dir "$DIR" --file "$DIR/etc/hufu/ceremonies/$1.yaml" "${@:2}" "$DIR/etc/hufu/ceremonies/$1.note"
}

both_sign() {
	local who
	for who in alice bob; do "$hufu" note sign --yes --key "$WORK/people/$who.key" "$1" >/dev/null; done
}

# submit NAME [FOLDER]: a custodian brings the share of that splitting.
submit() { run "$hufu" custodian submit --key "$(key_of "$1")" "$WORK/${2:-shares}/$1.share"; echo "$output"; }
# three NAME NAME NAME [FOLDER]: the third one opens it.
three() {
	local who
	for who in "${@:1:2}"; do submit "$who" "${4:-shares}"; done
	[ "$status" = 5 ] || return 1
	submit "$3" "${4:-shares}"
	[ "$status" = 0 ]
}

# shares_file NAME LINES…: a ceremony that orders a splitting.
shares_file() {
	cat >"$DIR/etc/hufu/ceremonies/$1.yaml" <<-YAML
		kind: shares
		name: $1
		$(people)
		ca: etc/hufu/issuing.crt
		roster: etc/hufu/roster-2.note
		made: $(day today)
		threshold: 3
		custodians: [kate, liam, mona, nina, omar]
		signers: [alice, bob]
		outputs: {note: etc/hufu/order-$1.note, transcript: etc/hufu/ceremonies/$1.note}
	YAML
	printf '%s\n' "${@:2}" >>"$DIR/etc/hufu/ceremonies/$1.yaml"
}

desk() { launch desk "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml" 5<&-; }

keep() { echo "$2" >"$WORK/kept.$1"; }
kept() { cat "$WORK/kept.$1"; }

# extended N SERIAL STEM: org N's certificate of that serial is extended; STEM.pem, STEM.receipt, and its serial kept as STEM.
extended() {
	local id
	id=$(prepared "org$1" --kind extend --way same-key --months 12 --order "$(paid_order "org$1" "2050$1")" "$2")
	proved "org$1" "$WORK/old/org$1.key" "$id" >/dev/null
	issued_to "org$1" "$id" "$3" >"$WORK/kept.$3"
	as "org$1" hufu receipt --out "$WORK/$3.receipt" "$(kept "$3")"
}

crt() { echo "$DIR/etc/hufu/$1.crt"; }
# chain CA FILE: it is of that issuing CA, under the root.
chain() { openssl verify -x509_strict -CAfile "$(crt root)" -untrusted "$(crt "$1")" "$2"; }
# proven CA STEM: the receipt of a certificate by that CA holds, by the log key and the roster that somebody has at home.
proven() {
	hufu verify --log-key "$WORK/log.vkey" --roster "$WORK/roster-2.note" --root "$(crt root)" --issuer "$(crt "$1")" "$WORK/$2.pem" "$WORK/$2.receipt"
}
# revoke CA STEM: by an officer, over the operator's socket; it is on its own CA's CRL, and the desk has heard of it.
revoke() {
	"$hufu" cert revoke --operator --yes --reason superseded --key "$(key_of alice)" --issuer "$(key_id "$(crt "$1")")" "$(kept "$2")" >/dev/null
	crl_of "$1"
	openssl crl -in "$WORK/$1.crl" -noout -text | grep -q "Serial Number: $(kept "$2")"
	eventually is_revoked "$(kept "$2")"
}
is_revoked() { [ "$(hufu --json status "$1" | field answers.0.state)" = revoked ]; }
crl_of() { hufu crl --operator --issuer "$(key_id "$(crt "$1")")" --out "$WORK/$1.crl" && openssl crl -in "$WORK/$1.crl" -CAfile "$(crt "$1")" -noout; }

@test "beforehand: the whole is rehearsed with throw-away keys, one ceremony after the other" {
	local try=$WORK/try
	hold rehearse root --into "$try"
	hold rehearse issuing --into "$try"
	hold rehearse ocsp-1 --into "$try"
	hold rehearse log --into "$try"
	hold rehearse roster-1 --into "$try" "${officers[@]}"
	hold rehearse policy-1 --into "$try" "${officers[@]}"
	openssl verify -x509_strict -CAfile "$try/etc/hufu/root.crt" "$try/etc/hufu/issuing.crt"
	[ ! -e "$DIR/etc/hufu/root.crt" ]
	[ -z "$(ls -A "$DIR/var/lib/hufu-ca")" ]
}

@test "the root, then the issuing CA under it" {
	hold check root
	run hold run root
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"walter is here, and reads along? (yes or no)"* ]]
	hold check issuing
	secret=pin-1 hold run issuing
	verified root --all
	verified issuing --all
	grep -q "^token: .*made in token ISSUING-1, serial $(cat "$WORK/serial-1"), .*CKA_NEVER_EXTRACTABLE true" "$DIR/etc/hufu/ceremonies/issuing.note"
	openssl verify -x509_strict -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing.crt"
	openssl crl -in "$DIR/etc/hufu/root.crl" -CAfile "$DIR/etc/hufu/root.crt" -noout
}

@test "the OCSP responder's key and the log key" {
	hold run ocsp-1
	hold run log
	[ "$(stat -c %a "$DIR/var/lib/ocsp-1.key")" = 600 ]
	verified ocsp-1 --all
	verified log --all
}

@test "the first roster and the policy, signed by the officers in the room" {
	run hold run roster-1
	[ "$status" = 4 ]
	[[ "$output" == *"alice signs, and no key of theirs was given"* ]]
	run hold run roster-1 "${officers[@]}"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"+ alice: officer "* && "$output" == *"+ ocsp-1: responder "* ]]
	hold check policy-1
	hold run policy-1 "${officers[@]}"
	verified roster-1 --all
	verified policy-1 --all
}

@test "genesis takes both, and the log key that the ceremony made; the signer runs" {
	cat >"$DIR/etc/hufu/ca.yaml" <<-YAML
		state: var/lib/hufu-ca
		ra_socket: run/hufu/ca/ra.sock
		operator_socket: run/hufu/operator/ca.sock
		ra_uids: [$(id -u)]
		operator_uids: [$(id -u)]
		issuer: etc/hufu/issuing.crt
		root: etc/hufu/root.crt
		key: "$(in_token 1)"
		token: {module: $module, read: [$SOFTHSM2_CONF], write: [$WORK/tokens]}
	YAML
	cat >"$HUFU_CONFIG" <<-YAML
		desk_socket: run/hufu/ra/desk.sock
		operator_socket: run/hufu/operator/ca.sock
		policies: etc/hufu/policies
		roster: etc/hufu/roster.note
		root_certificate: etc/hufu/root.crt
		issuing_certificate: etc/hufu/issuing.crt
		log_key: var/lib/hufu-ca/log.vkey
	YAML
	"$build/ca/hufu-ca" genesis --config "$DIR/etc/hufu/ca.yaml" --roster "$DIR/etc/hufu/roster-1.note" --policies "$DIR/etc/hufu/policies"
	cp "$DIR/etc/hufu/roster-1.note" "$DIR/etc/hufu/roster.note"
	cp "$DIR/var/lib/hufu-ca/log.vkey" "$WORK/log.vkey"
	verified log --all
	cp "$WORK/pin-1" "$WORK/pass"
	start with-passphrase
	run "$hufu" health --signer
	echo "$output"
	[[ "$output" == *"state: open"* && "$output" == *"roster_version: 1"* && "$output" == *"policy_version: 1"* ]]
}

@test "a second roster names the custodians; the difference is shown; the signer takes it" {
	local unlock
	unlock=$("$hufu" --json custodian status | field unlock_key)
	sed -e 's/roster-1/roster-2/g' \
		-e "s/^signers:/  - {role: signer, key: ${unlock//\//\\/}}\nsigners:/" "$DIR/etc/hufu/ceremonies/roster-1.yaml" >"$WORK/roster-2.yaml"
	local who
	for who in kate liam mona nina omar; do
		sed -i "s/^signers:/  - {role: custodian, key: $(vkey "$who" | sed 's,/,\\/,g')}\nsigners:/" "$WORK/roster-2.yaml"
	done
	echo "previous: etc/hufu/roster-1.note" >>"$WORK/roster-2.yaml"
	cp "$WORK/roster-2.yaml" "$DIR/etc/hufu/ceremonies/roster-2.yaml"
	hold check roster-2
	run hold run roster-2 "${officers[@]}"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"+ kate: custodian "* && "$output" == *"+ unlock: signer "* && "$output" != *"+ alice"* ]]
	"$hufu" roster submit "$DIR/etc/hufu/roster-2.note"
	cp "$DIR/etc/hufu/roster-2.note" "$DIR/etc/hufu/roster.note"
	cp "$DIR/etc/hufu/roster-2.note" "$WORK/roster-2.note"
	verified roster-2 --all
}

@test "three of five: the order is a ceremony, the open signer splits the PIN, three prove their shares" {
	shares_file shares
	hold rehearse shares --into "$WORK/try-shares" "${officers[@]}"
	run "$hufu" custodian split --out "$WORK/none" "$WORK/try-shares/etc/hufu/order-shares.note"
	[ "$status" = 2 ] # a rehearsed order orders nothing
	hold run shares "${officers[@]}"
	verified shares --all
	"$hufu" custodian split --out "$WORK/shares" "$DIR/etc/hufu/order-shares.note"
	three kate liam mona
	rm "$WORK/pin-1" "$WORK/pass" # from now on nobody knows it
}

@test "the signer starts locked; a wrong share is named, one custodian counts once, and a restart forgets who came" {
	restart
	run "$hufu" responder renew --key "$DIR/var/lib/ocsp-1.key" --out "$WORK/ocsp-1.crt"
	echo "$output"
	[ "$status" = 3 ]
	[[ "$output" == *"0 of 3 custodians' shares are here"* ]]
	mkdir "$WORK/wrong"
	sed '/^box: /{s/^box: A/box: B/;t;s/^box: ./box: A/}' "$WORK/shares/omar.share" >"$WORK/wrong/omar.share"
	submit omar wrong
	[ "$status" = 2 ]
	[[ "$output" == *"omar"*box_closed* ]]
	sed 's/^place: 1/place: 2/' "$WORK/shares/kate.share" >"$WORK/wrong/kate.share"
	submit kate wrong
	[ "$status" = 2 ]
	[[ "$output" == *share_wrong* ]]
	submit omar
	submit omar
	[ "$status" = 5 ]
	[[ "$output" == *"1 of 3 shares are here"* ]]
	restart
	submit nina
	[ "$status" = 5 ]
	[[ "$output" == *"1 of 3 shares are here"* ]]
}

@test "two more custodians open it, and it issues: an OCSP responder's certificate" {
	submit omar
	[ "$status" = 5 ]
	submit kate
	[ "$status" = 0 ]
	"$hufu" responder renew --key "$DIR/var/lib/ocsp-1.key" --out "$WORK/ocsp-1.crt"
	chain issuing "$WORK/ocsp-1.crt"
	openssl x509 -in "$WORK/ocsp-1.crt" -noout -ext extendedKeyUsage | grep -q 'OCSP Signing'
}

@test "the desk opens, two customers' certificates are adopted, and one is extended" {
	cp "$(key_of ra-1)" "$DIR/var/lib/hufu-ra/ra.key"
	cat >"$DIR/etc/hufu/ra.yaml" <<-YAML
		state: var/lib/hufu-ra
		socket: run/hufu/ra/desk.sock
		signer_socket: run/hufu/ca/ra.sock
		policies: etc/hufu/policies
		roster: etc/hufu/roster.note
		ra_key: var/lib/hufu-ra/ra.key
		ra_name: ra-1
		log_key: var/lib/hufu-ca/log.vkey
		login: {initial_password: "88888888"}
		bank: {name: Hufu Example, bank: Example Bank, account: "0000 0000 0000 0000"}
		callers: [{uid: $(id -u), roles: [subscriber, officer, admin, portal]}]
	YAML
	desk
	import >/dev/null
	local i
	for i in 0 1; do at_home "org$i" "${CODES[$i]}" >/dev/null; done
	extended 0 74C2008800000C00 first
	did chain issuing "$WORK/first.pem"
	did proven issuing first
}

@test "the issuing CA is rolled: the officers approve the file, and no other" {
	sed -e 's/kind: intermediate/kind: rollover/; s/name: issuing/name: issuing-2/; s/Issuing CA 1/Issuing CA 2/' -e '/^crl: /d; /  crl: /d' \
		-e "s,token: [^?]*,token: \"$(in_token 2)," -e 's,issuing\.\(crt\|key\|note\),issuing-2.\1,' -e "s/not_after: [^}]*/not_after: $(day '+12 years')/" "$DIR/etc/hufu/ceremonies/issuing.yaml" \
		>"$DIR/etc/hufu/ceremonies/issuing-2.yaml"
	cat >>"$DIR/etc/hufu/ceremonies/issuing-2.yaml" <<-YAML
		replaces: etc/hufu/issuing.crt
		approval: {note: etc/hufu/ceremonies/issuing-2.approval, roster: etc/hufu/roster-2.note}
	YAML
	run hold check issuing-2
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *"issuing-2.approval: cannot open"* ]]
	"$hufu" --dry-run ceremony note --dir "$DIR" "$DIR/etc/hufu/ceremonies/issuing-2.yaml" "$DIR/etc/hufu/ceremonies/issuing-2.approval"
	[ ! -e "$DIR/etc/hufu/ceremonies/issuing-2.approval" ]
	"$hufu" --json ceremony note --dir "$DIR" "$DIR/etc/hufu/ceremonies/issuing-2.yaml" "$DIR/etc/hufu/ceremonies/issuing-2.approval" >"$WORK/noted.json"
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$WORK/noted.json"
	cat "$WORK/noted.json"
	grep -q "$(sha256sum "$DIR/etc/hufu/ceremonies/issuing-2.yaml" | cut -d' ' -f1)" "$DIR/etc/hufu/ceremonies/issuing-2.approval" "$WORK/noted.json"
	run hold check issuing-2
	[ "$status" = 4 ]
	both_sign "$DIR/etc/hufu/ceremonies/issuing-2.approval"
	hold check issuing-2
	cp "$DIR/etc/hufu/ceremonies/issuing-2.yaml" "$WORK/as-approved.yaml"
	sed -i "s/not_after: [^}]*/not_after: $(day '+15 years')/" "$DIR/etc/hufu/ceremonies/issuing-2.yaml"
	run hold run issuing-2
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *"the officers approved another file"* ]]
	cp "$WORK/as-approved.yaml" "$DIR/etc/hufu/ceremonies/issuing-2.yaml"
	# Officers of a roster that somebody made up approve as well as any, so people compare the roster's hash.
	run hold rehearse issuing-2
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"It is approved by alice, bob, officers of the roster of version 2 with the hash $("$hufu" roster show "$DIR/etc/hufu/roster-2.note" | sed -n 's/^SHA-256 //p;s/^        //p' | head -n2 | paste -sd' ')? (yes or no)"* ]]
	secret=pin-2 hold run issuing-2
	verified issuing-2 --all
	openssl verify -x509_strict -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing-2.crt"
}

@test "the signer issues by the new CA: custodians open the old key, the new token's PIN the other" {
	sed -i -e "s,^issuer: .*,issuer: etc/hufu/issuing-2.crt," -e "s,^key: .*,key: \"$(in_token 2)\"," "$DIR/etc/hufu/ca.yaml"
	echo "retired: [{issuer: etc/hufu/issuing.crt, key: \"$(in_token 1)\"}]" >>"$DIR/etc/hufu/ca.yaml"
	restart
	submit liam
	submit mona
	[[ "$output" == *"locked, under its passphrase"*"locked, in custody"*"2 of 3 shares are here"* ]]
	submit nina
	[ "$status" = 5 ]
	[[ "$output" == *"open, in custody"*"locked, under its passphrase"* ]]
	"$hufu" unlock --passphrase-fd 4 4<"$WORK/pin-2"
}

@test "a new set of shares has both PINs: ordered in a ceremony, split, proved" {
	shares_file shares-2 "previous_set: $("$hufu" --json custodian status | field in_force.set)"
	hold check shares-2
	hold run shares-2 "${officers[@]}"
	verified shares-2 --all
	"$hufu" custodian split --out "$WORK/shares-2" "$DIR/etc/hufu/order-shares-2.note"
	three nina omar kate shares-2
	rm "$WORK/pin-2"
	restart
	submit kate shares
	[ "$status" = 2 ]
	[[ "$output" == *set_unknown* ]]
	three liam mona omar shares-2
	[[ "$output" == *"open, in custody"*"open, in custody"* ]]
}

@test "a subscriber's extension goes across the roll, and each CA signs the CRL of its own" {
	extended 0 "$(kept first)" second
	did chain issuing-2 "$WORK/second.pem"
	did proven issuing-2 second
	did proven issuing first
	crl_of issuing
	crl_of issuing-2
}

@test "a backup, then a revocation, and the fire: left are the tokens, the backup, a printed checkpoint, and what people have at home" {
	did hufu backup --passphrase-fd 4 "$WORK/backup" 4<"$WORK/backup.pass"
	run ! grep -rq "the PIN of token" "$WORK/backup"
	revoke issuing first
	hufu ledger head >"$WORK/sheet.note"
	ended desk
	cp -a "$DIR/var/lib/hufu-ra" "$WORK/desk.backup"
	stop
	mv "$DIR" "$WORK/ashes"
	mkdir "$WORK/safe"
	cp "$WORK/ashes/var/lib/hufu-ca/root.key" "$WORK/safe/" # from its safe
}

# noticed: the desk has seen that this is not the ledger that it followed.
noticed() { hufu --json health | grep -q ledger_fork; }

@test "on an empty machine the CA is laid out again, custodians come, and the operator gives the word" {
	did hufu restore --log-key "$WORK/log.vkey" --passphrase-fd 4 "$WORK/backup" "$DIR" 4<"$WORK/backup.pass"
	said "good: every entry, hash and outcome is where it should be"
	rm -rf "$DIR/var/lib/hufu-ra"
	cp -a "$WORK/desk.backup" "$DIR/var/lib/hufu-ra"
	start
	run "$hufu" custodian status
	[ "$status" = 5 ]
	[[ "$output" == *"the CA key is locked"* ]]
	three omar nina liam shares-2
	desk
	local size newest
	did hufu --dry-run ledger resume --checkpoint "$WORK/sheet.note"
	said "the ledger waits"
	size=$(hufu --json health --signer | field signer.ledger_size)
	newest=$(hufu --json health --signer | field signer.newest_checkpoint)
	did hufu ledger resume --checkpoint "$WORK/sheet.note" --lost $((newest - size)) --word "fire; decided by the operator"
	[ $((newest - size)) -gt 0 ]
	eventually noticed
	did hufu desk resume
	did hufu desk lost
	said "$(kept first)"
}

@test "the chain goes on: the lost revocation is handed in again, a certificate is issued, and what was signed before holds" {
	revoke issuing first
	extended 1 74C2008800000C01 third
	did chain issuing-2 "$WORK/third.pem"
	did proven issuing-2 third
	did proven issuing-2 second
	did proven issuing first
	did hufu ledger check
	said "good: every entry"
}

@test "the offline root makes its next CRL, and at the end revokes the old issuing CA" {
	cat >"$DIR/etc/hufu/ceremonies/crl-2.yaml" <<-YAML
		kind: crl
		name: crl-2
		$(people)
		issuer: {certificate: etc/hufu/root.crt, key: var/lib/hufu-ca/root.key}
		previous_crl: etc/hufu/root.crl
		crl: {number: 2, this_update: $(day today), next_update: $(day '+360 days')}
		outputs: {crl: etc/hufu/root-2.crl, transcript: etc/hufu/ceremonies/crl-2.note}
	YAML
	install -m 600 "$WORK/safe/root.key" "$DIR/var/lib/hufu-ca/root.key"
	hold run crl-2
	sed 's/kind: crl/kind: revoke-ca/; s/name: crl-2/name: revoke-1/; s/number: 2/number: 3/; s,hufu/root.crl,hufu/root-2.crl,; s,crl: etc/hufu/root-2.crl\, tr,crl: etc/hufu/root-3.crl\, tr,; s/crl-2.note/revoke-1.note/' \
		"$DIR/etc/hufu/ceremonies/crl-2.yaml" >"$DIR/etc/hufu/ceremonies/revoke-1.yaml"
	cat >>"$DIR/etc/hufu/ceremonies/revoke-1.yaml" <<-YAML
		revoke: [{certificate: etc/hufu/issuing.crt, reason: superseded, when: $(day today)}]
		approval: {note: etc/hufu/ceremonies/revoke-1.approval, roster: etc/hufu/roster-2.note}
	YAML
	"$hufu" ceremony note --dir "$DIR" "$DIR/etc/hufu/ceremonies/revoke-1.yaml" "$DIR/etc/hufu/ceremonies/revoke-1.approval"
	both_sign "$DIR/etc/hufu/ceremonies/revoke-1.approval"
	hold check revoke-1
	hold run revoke-1
	verified crl-2
	verified revoke-1
	openssl crl -in "$DIR/etc/hufu/root-3.crl" -out "$WORK/crl.pem" -outform PEM
	openssl verify -x509_strict -crl_check -CRLfile "$WORK/crl.pem" -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing-2.crt"
	run openssl verify -x509_strict -crl_check -CRLfile "$WORK/crl.pem" -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing.crt"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" == *"certificate revoked"* ]]
}

@test "years later: every transcript verifies with another build of the tool, and prints" {
	local name n=0
	objcopy --add-section .years-later="$WORK/root.pass" "$hufu" "$WORK/hufu-later"
	! cmp -s "$hufu" "$WORK/hufu-later" || false
	for name in root issuing ocsp-1 log roster-1 policy-1 roster-2 shares issuing-2 shares-2 crl-2 revoke-1; do
		hufu=$WORK/hufu-later verified "$name"
		"$WORK/hufu-later" ceremony print "$DIR/etc/hufu/ceremonies/$name.note" "$WORK/$name.html"
		grep -q "signature:" "$WORK/$name.html"
		n=$((n + 1))
	done
	[ "$n" = "$(ls "$DIR"/etc/hufu/ceremonies/*.yaml | wc -l)" ]
}
