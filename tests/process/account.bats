#!/usr/bin/env bats
# What people do with an account, through `hufu`: register, another agent, freeze, a forgotten password and identifier, sessions; and
# officers who decide.

load ../live

setup_file() {
	live_begin
	old_authority
	old_cert org 74C2008800000D01 账户示例有限公司 91330100MAHUFU0179
	csv_begin
	csv_row 91330100MAHUFU0179 账户示例有限公司 20501 "+200 days" 账户示例有限公司 74C2008800000D01 org
	init
	echo 'sms: {resend_seconds: 1}' >>"$DIR/etc/hufu/ra.yaml"
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
}

teardown_file() { live_end; }
setup() { DIR=$WORK/hufu; }

notice_code() { # MOBILE: the freeze code of the newest notice to a number
	local file until=$((SECONDS + 90))
	while [ $SECONDS -lt $until ]; do
		for file in "$DIR"/var/lib/hufu-ra/spool/*.json; do
			[ -e "$file" ] && [ "$(field to <"$file")" = "$1" ] && [ "$(field template <"$file")" = bound ] || continue
			field en <"$file" | grep -oE '[A-Z0-9]{4}(-[A-Z0-9]{4}){3}'
			return 0
		done
	done
	return 1
}

sent() { # NAME OPTIONS…: has a code sent, as soon as the desk sends another, and prints it
	local until=$((SECONDS + 90))
	while [ "$(as "$1" hufu --json account sms "${@:2}" | field sent)" != true ]; do
		[ $SECONDS -lt $until ] || return 1
	done
	sms_code "${*: -1}"
}

@test "register: the identifier is checked, the number shows a code, and it logs in" {
	code=$(sent new --for register --mobile 13700000007)
	refused identifier_check as new hufu account register --organisation 新单位 --agent 李四 --mobile 13700000007 --sms-code-fd 5 --password-fd 4 35353550-9 4<<<"the password of new" 5<<<"$code"
	did as new hufu account register --organisation 新单位 --agent 李四 --mobile 13700000007 --sms-code-fd 5 --password-fd 4 913301003535355023 4<<<"the password of new" 5<<<"$code"
	did as new hufu login --password-fd 4 13700000007 4<<<"the password of new"
	did as new hufu account
	said "organisation: 新单位" "login_mobile: 13700000007"
	did hufu account check identifier 35353550-9
	said "ok: false" "reason: identifier_check"
}

@test "a forgotten password is set anew by a code to the bound number" {
	code=$(sent new --for forgot --mobile 13700000007)
	did hufu account forgot --mobile 13700000007 --sms-code-fd 5 --password-fd 4 4<<<"another password" 5<<<"$code"
	refused session_unknown as new hufu account
	did as new hufu login --password-fd 4 13700000007 4<<<"another password"
}

@test "a forgotten identifier: the licence goes to the officers" {
	did hufu account licence --organisation 账户示例有限公司 --agent 王五 --mobile 13700000008 "$(material licence)"
	said "the desk will contact you"
	did as officer hufu account cases
	told 'identifier .*账户示例有限公司'
	id=$(as officer hufu --json account cases | field 0.case)
	did as officer hufu account case --out "$WORK/seen.pdf" "$id"
	cmp "$WORK/seen.pdf" "$WORK/licence.pdf"
	did as officer hufu account decide --accept --answer "licence seen, called back" "$id"
	# Larger than a call takes: in parts, by a person who has no session.
	python3 - "$(material large)" <<-'PY'
		import sys
		text = open(sys.argv[1], "rb").read()
		pad = b"% " + b"a scanned page " * 60000 + b"\n"
		head, tail = text.split(b"xref\n", 1)
		open(sys.argv[1], "wb").write(head + pad + b"xref\n" + tail.replace(b"startxref\n" + tail.split(b"startxref\n")[1].split(b"\n")[0], b"startxref\n%d" % (len(head) + len(pad))))
	PY
	did hufu account licence --organisation 大文件示例有限公司 --agent 王五 --mobile 13700000008 "$WORK/large.pdf"
	said "the desk will contact you"
	large=$(as officer hufu --json account cases | field 0.case)
	did as officer hufu account case --out "$WORK/seen-large.pdf" "$large"
	cmp "$WORK/seen-large.pdf" "$WORK/large.pdf"
	did as officer hufu account decide --refuse --answer "not known here" "$large"
	refused case_done as officer hufu account decide --refuse --answer "again" "$id"
}

@test "another agent by an officer; the number of before freezes it, and the officer undoes it" {
	old=$(mobile_of org)
	code=$(sent org --for new --mobile 13700000009)
	did as org hufu account agent --agent 赵六 --mobile 13700000009 --officer "the number of before is lost" --new-code-fd 5 5<<<"$code"
	id=$(as officer hufu --json account cases | field 0.case)
	did as officer hufu account decide --accept --answer "papers seen" "$id"
	refused login_wrong as org hufu login --password-fd 4 "$old" 4<<<"the password of org"
	did hufu account freeze --code-fd 5 5<<<"$(notice_code "$old")"
	id=$(as officer hufu --json account cases | field 0.case)
	did as officer hufu account decide --accept --answer "called the old number" "$id"
	refused login_wrong as org hufu login --password-fd 4 13700000009 4<<<"the password of org"
}

@test "sessions are listed and ended" {
	did as new hufu account sessions
	told 'uid:0'
	fails 4 "or --all" as new hufu account end
	did as new hufu account end --all
	refused session_unknown as new hufu account
}
