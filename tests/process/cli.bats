#!/usr/bin/env bats
# `hufu` as a tool: exit codes, help, JSON, dry runs, and messages that name the nearest known word.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	for n in 1 2 3; do
		code=(91330100MAHUFU0179 91330100MAHUFU0254 91330100MAHUFU033Y)
		old_cert "org$n" "74C2008800000A0$n" "杭州命令示例${n}有限公司" "${code[n - 1]}"
		csv_row 91330100MAHUFU0179 杭州命令示例1有限公司 2030$n "+200 days" "杭州命令示例${n}有限公司" "74C2008800000A0$n" "org$n"
	done
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	paid_order org 20301 >"$WORK/order"
	# One request in each state that a command can be tried on.
	prepared org --kind extend --way same-key --months 12 --order "$(cat "$WORK/order")" 74C2008800000A01 >"$WORK/drafted"
	mapfile -t five < <(five_materials)
	prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州命令新名有限公司 --subject CN=杭州命令新名有限公司 "${five[@]}" \
		74C2008800000A02 >"$WORK/waiting"
	proved org "$WORK/old/org2.key" "$(cat "$WORK/waiting")" >/dev/null
	as org hufu --json order renew 20302 | field order >"$WORK/open"
}

teardown_file() { live_end; }

commands() { hufu --help | sed -n '/^Commands:/,/^$/p' | grep '^  ' | cut -c3-26 | sed 's/ *$//'; }

@test "--version and --help" {
	did hufu --version
	told '^hufu [0-9]+\.[0-9]+'
	did hufu --help
	said "Exit codes: 0 done, 1 error, 2 refused by a rule, 3 unreachable, 4 configuration or usage, 5 waiting" "Examples:"
	did hufu
	said "Usage: hufu"
}

@test "what cannot be printed is an error, and a reader who has had enough is not" {
	local words
	for words in "$hufu --version" "$hufu --help" "$hufu cert list --help" "$build/ca/hufu-ca --version" "$build/ca/hufu-ca schema"; do
		run bash -c "$words >/dev/full"
		echo "$words: $status $output"
		[ "$status" = 1 ]
		[[ "$output" == *"could not be written: "* ]]
	done
	run bash -c "$hufu --help | head -c 1; echo \${PIPESTATUS[0]}"
	[[ "$output" != *"could not"* ]]
}

@test "every command has --help: usage, and what each of its options does" {
	[ "$(commands | wc -l)" -ge 40 ]
	while read -ra words; do
		run hufu "${words[@]}" --help
		echo "$output"
		same "$status" 0
		[[ "$output" == "Usage: hufu ${words[*]}"* ]]
		said Example
		for option in $(sed '/^$/q' <<<"$output" | grep -oE -- '--[a-z-]+' | sort -u); do
			[ "$(sed '1,/^$/d' <<<"$output" | grep -c -- "$option")" -ge 1 ] || { echo "not explained: $option of ${words[*]}"; return 1; }
		done
	done < <(commands)
}

@test "an unknown command or option is a usage error that names the nearest known one" {
	while IFS='|' read -r said command; do
		# shellcheck disable=SC2086 # a command of several words
		fails 4 "$said" hufu $command
	done <<-'TABLE'
		did you mean "status"|statsu 01
		did you mean "request show"|request shwo 1
		did you mean "policy check"|policy chekc
		no command "frobnicate"|frobnicate
		did you mean "--months"|request prepare --mnths 12 01
		did you mean "--bank-reference"|order confirm --bank-referenc x 1
		unknown option "--frobnicate"|cert list --frobnicate
		--key wants a value|request prove 1 --key
		--yes takes no value|request prove --yes=1 1
		too few words|request show
		too many words: "b"|request show a b
		--kind is missing|request prepare --way w --project p 01
		--bank-reference TEXT is missing|order confirm 1
		--reason WORD is missing|cert revoke 01
		--config wants a file|status 01 --config
		--page "x" is not a number|cert list --page x
		--wait "soon"|request show --wait soon 1
		--lang is "fr"|policy explain --lang fr organisation
		wanted ATTRIBUTE=VALUE|--dry-run request prepare --kind change --way w --project p --subject O 01
		wanted a number of months|--dry-run request prepare --kind extend --way w --project p --months many 01
		no reason of RFC 5280|cert revoke --operator --key x --reason because 01
	TABLE
	fails 4 "not an object" hufu rpc rpc.discover '[]'
	fails 4 "column" hufu rpc rpc.discover '{'
}

@test "exit codes: 0 done, 1 error, 2 refused, 3 unreachable, 4 configuration, 5 waiting" {
	did hufu status 74C2008800000A01
	fails 1 "no such file" hufu tally show "$WORK/not-there" || said "No such file"
	fails 1 "" hufu tally show "$WORK/old/org1.pem"
	refused order_unknown as org hufu order show 20261123-NOSUCHORDER2
	fails 2 "" as nobody hufu account
	sed 's#run/hufu/ra/desk.sock#run/hufu/ra/other.sock#' "$HUFU_CONFIG" >"$DIR/etc/hufu/elsewhere.yaml"
	fails 3 "" hufu --config "$DIR/etc/hufu/elsewhere.yaml" status 01
	fails 4 "name one with --config FILE or \$HUFU_CONFIG" hufu --config "$WORK/not-there.yaml" status 01
	echo "desk_sockte: x" >"$WORK/typo.yaml"
	fails 4 "typo.yaml:1:1" hufu --config "$WORK/typo.yaml" status 01
	said 'did you mean "desk_socket"'
	fails 5 "awaiting_officers" as org hufu request show --wait 0 "$(cat "$WORK/waiting")"
}

# as_json COMMAND…: exit code 0 and the whole of standard output is one JSON value.
as_json() {
	"$@" >"$WORK/json.out" 2>"$WORK/json.err" || { echo "$* ended with $?"; cat "$WORK/json.err"; return 1; }
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$WORK/json.out" || { echo "no JSON: $*"; cat "$WORK/json.out"; return 1; }
}

@test "--json: everything that prints data prints one JSON value, and so does what would be done" {
	waiting=$(cat "$WORK/waiting") order=$(cat "$WORK/order") crl=$WORK/old/zjca-oca2.crl
	hufu rpc review.show "{\"request\": \"$waiting\"}" | field note >"$WORK/waiting.note"
	while read -ra command; do
		as_json as org hufu --json "${command[@]}"
	done <<-TABLE
		account
		service list
		order list
		order show $order
		cert list
		cert show --pem 74C2008800000A01
		request list
		request show $waiting
		officer review
		officer review $waiting
		health
		status 74C2008800000A01 7F01
		crl
		crl --operator
		roster show
		policy check
		policy check --against
		policy explain organisation
		policy schema profile
		rpc rpc.discover
		rpc project.search {"query":"金华"}
		tally show $WORK/waiting.note
		tally verify --roster $DIR/etc/hufu/roster.note --cert $WORK/old/org2.pem $WORK/waiting.note
		note verify --roster $DIR/etc/hufu/roster.note $DIR/etc/hufu/roster.note
		import --officer $(key_of alice) --officer $(key_of bob) --crl $crl $WORK/old/accounts.csv
		--dry-run import --officer $(key_of alice) --officer $(key_of bob) $WORK/old/accounts.csv
		--dry-run order renew 20303
		--dry-run officer approve --yes --key $(key_of alice) $waiting
		--dry-run officer key --plain --out $WORK/nobody.key nobody
		--dry-run request submit $waiting
		--dry-run request prove --yes --key $WORK/old/org2.key $waiting
		--dry-run request text --out $WORK/nowhere.txt $waiting
		--dry-run roster note --quorum 3 $WORK/nowhere.note
		--dry-run policy note
		ceremony verify $DIR/etc/hufu/ceremonies/issuing.note
		--dry-run ceremony print $DIR/etc/hufu/ceremonies/issuing.note $WORK/nowhere.html
		--dry-run agent --prompt /bin/true --origin https://ca.example.cn
		--dry-run cert revoke --operator --yes --key $(key_of alice) --reason superseded 74C2008800000A03
	TABLE
}

@test "--json: a failure is an object too, with kind, rule, where and text" {
	run --separate-stderr as org hufu --json order show 20261123-NOSUCHORDER2
	same "$status" 2
	same "$(field error.rule <<<"$output")" order_unknown
	same "$(field error.kind <<<"$output")" not_found
	[ -n "$(field error.text <<<"$output")" ]
}

# All that people's commands could change: the signer's counts, the desk's answers, the files of the tree.
world() {
	hufu --json health --signer | python3 -c 'import json, sys; s = json.load(sys.stdin)["signer"]; print({k: s[k] for k in ("issued", "refused", "revoked", "roster", "policy")})'
	as org hufu --json service list
	as org hufu --json order list
	as org hufu --json request list
	as org hufu --json cert list
	as org hufu --json request show "$(cat "$WORK/waiting")"
	as org hufu --json request show "$(cat "$WORK/drafted")"
	hufu --json officer review
	find "$DIR/etc" "$DIR/home" "$WORK/notes" "$WORK/people" -type f -exec sha256sum {} + | sort
}

@test "--dry-run: says what would be done, and changes nothing" {
	waiting=$(cat "$WORK/waiting") drafted=$(cat "$WORK/drafted") open=$(cat "$WORK/open")
	mkdir -p "$WORK/notes"
	hufu roster note --quorum 3 "$WORK/notes/roster.note" >/dev/null
	before=$(world)
	while read -ra command; do
		did as org hufu --dry-run "${command[@]}"
		[ -n "$output" ]
	done <<-TABLE
		order renew 20303
		order pay $open
		order cancel $open
		order confirm --bank-reference X $open
		request prepare --kind extend --way same-key --project jinhua --months 12 74C2008800000A03
		request prove --yes --key $WORK/old/org1.key $drafted
		request text --out $WORK/notes/tally.txt $drafted
		request submit $drafted
		request withdraw $waiting
		officer approve --yes --key $(key_of alice) $waiting
		officer reject --reason no $waiting
		officer key --plain --out $WORK/notes/dave.key dave
		cert revoke --reason superseded 74C2008800000A03
		cert revoke --operator --yes --key $(key_of alice) --reason superseded 74C2008800000A03
		import --officer $(key_of alice) --officer $(key_of bob) $WORK/old/accounts.csv
		init $WORK/notes/tree
		policy note
		policy sign --yes --key $(key_of operator) $DIR/etc/hufu/policies/policy.note
		roster note --quorum 3 $WORK/notes/next.note
		roster sign --yes --key $(key_of alice) $WORK/notes/roster.note
		note sign --yes --key $(key_of alice) $WORK/notes/roster.note
		ceremony print $DIR/etc/hufu/ceremonies/issuing.note $WORK/notes/issuing.html
		logout
	TABLE
	did as org hufu --dry-run password --password-fd 4 4<<<"another password"
	did hufu --dry-run unlock --passphrase-fd 4 4<"$WORK/pass"
	diff <(echo "$before") <(world)
	[ ! -e "$WORK/notes/tree" ]
	both_live
}
