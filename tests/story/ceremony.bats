#!/usr/bin/env bats
# The life of a CA in ceremonies, as a script: root, issuing CA, responder, log key, roster, policy, genesis, shares of three of five, unlock, issue,
# rollover, the old CA revoked, and every transcript verified at the end, by another build of the tool. With the real programs, and nothing made
# by hand that a ceremony makes. docs/ceremony.md tells the same.

bats_require_minimum_version 1.5.0
load ../alone

setup_file() {
	WORK=$(new_dir)
	export WORK DIR=$WORK/ca
	export HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml
	echo "a passphrase of the tests" >"$WORK/pass"
	mkdir -p "$DIR/etc/hufu/ceremonies" "$DIR/etc/hufu/policies" "$DIR/run/hufu" "$WORK/people"
	mkdir -p -m 700 "$DIR/var/lib/hufu-ca"
	cp -r "$root/policies/." "$DIR/etc/hufu/policies/"
	rm -rf "$DIR/etc/hufu/policies/ceremonies"
	local who
	for who in operator walter wendy alice bob ra-1 kate liam mona nina omar; do
		"$hufu" --json officer key --plain --out "$WORK/people/$who.key" "$who" | field vkey >"$WORK/people/$who.vkey"
	done
	files
}

teardown_file() {
	[ ! -f "$WORK/pid" ] || stop
	rm -rf "$WORK"
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
		key: {algorithm: p256}
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

# hold WHAT NAME [OPTIONS…]: a ceremony's check, rehearsal or run, with everybody in the room; each question is answered.
hold() {
	local word=$1 name=$2
	shift 2
	if [ "$word" = check ]; then
		"$hufu" ceremony check --dir "$DIR" "$DIR/etc/hufu/ceremonies/$name.yaml"
		return
	fi
	"$hufu" ceremony "$word" --dir "$DIR" --operator-key "$WORK/people/operator.key" --witness-key "$WORK/people/walter.key" \
		--witness-key "$WORK/people/wendy.key" --passphrase-fd 4 "$@" "$DIR/etc/hufu/ceremonies/$name.yaml" 4<"$WORK/pass" < <(yes yes)
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

submit() { run "$hufu" custodian submit --key "$WORK/people/$1.key" "$WORK/shares/$1.share"; echo "$output"; }

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
	hold run issuing
	verified root --all
	verified issuing --all
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
		ra_socket: run/hufu/ra.sock
		operator_socket: run/hufu/operator.sock
		ra_uids: [$(id -u)]
		operator_uids: [$(id -u)]
		issuer: etc/hufu/issuing.crt
		root: etc/hufu/root.crt
		key: var/lib/hufu-ca/issuing.key
	YAML
	cat >"$HUFU_CONFIG" <<-YAML
		desk_socket: run/hufu/desk.sock
		operator_socket: run/hufu/operator.sock
		policies: etc/hufu/policies
		roster: etc/hufu/roster.note
		root_certificate: etc/hufu/root.crt
		issuing_certificate: etc/hufu/issuing.crt
		log_key: var/lib/hufu-ca/log.vkey
	YAML
	"$build/ca/hufu-ca" genesis --config "$DIR/etc/hufu/ca.yaml" --roster "$DIR/etc/hufu/roster-1.note" --policies "$DIR/etc/hufu/policies"
	cp "$DIR/etc/hufu/roster-1.note" "$DIR/etc/hufu/roster.note"
	verified log --all
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
	verified roster-2 --all
}

@test "three of five: the order is a ceremony, the open signer splits, three prove their shares" {
	cat >"$DIR/etc/hufu/ceremonies/shares.yaml" <<-YAML
		kind: shares
		name: shares
		$(people)
		ca: etc/hufu/issuing.crt
		roster: etc/hufu/roster-2.note
		made: $(day today)
		threshold: 3
		custodians: [kate, liam, mona, nina, omar]
		signers: [alice, bob]
		outputs: {note: etc/hufu/order.note, transcript: etc/hufu/ceremonies/shares.note}
	YAML
	hold rehearse shares --into "$WORK/try-shares" "${officers[@]}"
	run "$hufu" custodian split --out "$WORK/none" "$WORK/try-shares/etc/hufu/order.note"
	[ "$status" = 2 ] # a rehearsed order orders nothing
	hold run shares "${officers[@]}"
	verified shares --all
	"$hufu" custodian split --out "$WORK/shares" "$DIR/etc/hufu/order.note"
	submit kate
	submit liam
	submit mona
	[ "$status" = 0 ]
	rm "$DIR/var/lib/hufu-ca/issuing.key" # from now on it is of no use, and in no hands
}

@test "the signer starts locked, three custodians open it, and it issues" {
	restart
	run "$hufu" responder renew --key "$DIR/var/lib/ocsp-1.key" --out "$WORK/ocsp-1.crt"
	echo "$output"
	[ "$status" = 3 ]
	[[ "$output" == *"0 of 3 custodians' shares are here"* ]]
	submit omar
	submit nina
	[ "$status" = 5 ]
	submit kate
	[ "$status" = 0 ]
	"$hufu" responder renew --key "$DIR/var/lib/ocsp-1.key" --out "$WORK/ocsp-1.crt"
	openssl verify -x509_strict -CAfile "$DIR/etc/hufu/root.crt" -untrusted "$DIR/etc/hufu/issuing.crt" "$WORK/ocsp-1.crt"
	openssl x509 -in "$WORK/ocsp-1.crt" -noout -ext extendedKeyUsage | grep -q 'OCSP Signing'
}

@test "the issuing CA is rolled: the officers approve the file, and no other" {
	sed -e 's/kind: intermediate/kind: rollover/; s/name: issuing/name: issuing-2/; s/Issuing CA 1/Issuing CA 2/' -e '/^crl: /d; /  crl: /d' \
		-e 's,issuing\.\(crt\|key\|note\),issuing-2.\1,' -e "s/not_after: [^}]*/not_after: $(day '+12 years')/" "$DIR/etc/hufu/ceremonies/issuing.yaml" \
		>"$DIR/etc/hufu/ceremonies/issuing-2.yaml"
	cat >>"$DIR/etc/hufu/ceremonies/issuing-2.yaml" <<-YAML
		replaces: etc/hufu/issuing.crt
		approval: {note: etc/hufu/ceremonies/issuing-2.approval, roster: etc/hufu/roster-2.note}
	YAML
	run hold check issuing-2
	echo "$output"
	[ "$status" = 4 ]
	[[ "$output" == *"issuing-2.approval: cannot open"* ]]
	"$hufu" ceremony note --dir "$DIR" "$DIR/etc/hufu/ceremonies/issuing-2.yaml" "$DIR/etc/hufu/ceremonies/issuing-2.approval"
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
	hold run issuing-2
	verified issuing-2 # the old key is destroyed
	openssl verify -x509_strict -CAfile "$DIR/etc/hufu/root.crt" "$DIR/etc/hufu/issuing-2.crt"
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
	objcopy --add-section .years-later="$WORK/pass" "$hufu" "$WORK/hufu-later"
	! cmp -s "$hufu" "$WORK/hufu-later"
	for name in root issuing ocsp-1 log roster-1 policy-1 roster-2 shares issuing-2 crl-2 revoke-1; do
		hufu=$WORK/hufu-later verified "$name"
		"$WORK/hufu-later" ceremony print "$DIR/etc/hufu/ceremonies/$name.note" "$WORK/$name.html"
		grep -q "signature:" "$WORK/$name.html"
		n=$((n + 1))
	done
	[ "$n" = "$(ls "$DIR"/etc/hufu/ceremonies/*.yaml | wc -l)" ]
}
