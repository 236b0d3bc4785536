# The issuing CA of a tree that `hufu init` made is rolled, in a ceremony: for stories with such a tree in $DIR.

# roll_ceremony ALGORITHM OPTIONS…: the officers approve the file and it is run; makes etc/hufu/issuing-2.crt and var/lib/hufu-ca/issuing-2.key.
roll_ceremony() {
	local f=$DIR/etc/hufu/ceremonies/issuing-2.yaml who
	cat >"$f" <<-YAML
		kind: rollover
		name: issuing-2
		subject: [{attribute: C, value: CN}, {attribute: O, value: Hufu Example}, {attribute: CN, value: Hufu Example Issuing CA 2}]
		key: {algorithm: $1}
		validity: {not_before: $(date -u +%FT%TZ), not_after: $(date -u +%FT00:00:00Z -d '+114 months')}
		path_len: 0
		policy: 1.3.6.1.4.1.32473.1.1
		crl_url: http://pki.example.test/crl/{issuer}/0.crl
		ca_issuers_url: http://pki.example.test/ca/{issuer}.crt
		issuer: {certificate: etc/hufu/root.crt, key: var/lib/hufu-ca/root.key}
		replaces: etc/hufu/issuing.crt
		approval: {note: etc/hufu/ceremonies/issuing-2.approval, roster: etc/hufu/roster.note}
		outputs: {certificate: etc/hufu/issuing-2.crt, key: var/lib/hufu-ca/issuing-2.key, transcript: etc/hufu/ceremonies/issuing-2.note}
	YAML
	"$hufu" ceremony note --dir "$DIR" "$f" "${f%.yaml}.approval" || return
	for who in alice bob; do "$hufu" note sign --yes --key "$DIR/home/$who/$who.key" "${f%.yaml}.approval" || return; done
	"$hufu" ceremony check --dir "$DIR" "$f" || return
	"$hufu" ceremony run --yes --dir "$DIR" --passphrase-fd 4 "${@:2}" "$f" 4<"$WORK/pass" || return
	chmod 644 "$DIR/etc/hufu/issuing-2.crt"
}

# rolled_in_configuration: the new CA issues, and the old one is retired.
rolled_in_configuration() {
	sed -i 's,issuing\.crt,issuing-2.crt,; s,issuing\.key,issuing-2.key,' "$DIR/etc/hufu/ca.yaml"
	echo "retired: [{issuer: etc/hufu/issuing.crt, key: var/lib/hufu-ca/issuing.key}]" >>"$DIR/etc/hufu/ca.yaml"
}

# key_id FILE: the certificate's subject key identifier.
key_id() { openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | tail -n1 | tr -d ' :\n' | tr A-F a-f; }

# root_list KIND NUMBER LINE…: a CRL of the root's by a ceremony of that kind (crl, revoke-ca), with further lines of its file; makes etc/hufu/root-NUMBER.crl. A number above 1
# takes over what the one before revokes.
root_list() {
	local f=$DIR/etc/hufu/ceremonies/root-$2.yaml who
	{
		printf '%s\n' "kind: $1" "name: root-$2" "issuer: {certificate: etc/hufu/root.crt, key: var/lib/hufu-ca/root.key}" \
			"crl: {number: $2, this_update: $(date -u +%FT%TZ), next_update: $(date -u +%FT00:00:00Z -d '+300 days')}" \
			"approval: {note: etc/hufu/ceremonies/root-$2.approval, roster: etc/hufu/roster.note}" \
			"outputs: {crl: etc/hufu/root-$2.crl, transcript: etc/hufu/ceremonies/root-$2.note}"
		[ "$2" = 1 ] || echo "previous_crl: etc/hufu/root-$(($2 - 1)).crl"
		[ $# = 2 ] || printf '%s\n' "${@:3}"
	} >"$f"
	"$hufu" ceremony note --dir "$DIR" "$f" "${f%.yaml}.approval" || return
	for who in alice bob; do "$hufu" note sign --yes --key "$DIR/home/$who/$who.key" "${f%.yaml}.approval" || return; done
	"$hufu" ceremony run --yes --dir "$DIR" --operator-key "$(key_of operator)" --passphrase-fd 4 "$f" 4<"$WORK/pass" || return
}
