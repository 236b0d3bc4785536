#!/usr/bin/env bats
# The manual pages are well formed, and say what the programs say of themselves: every command, option and configuration key.

load ../helpers

setup() {
	export MAN_DIR=$root/docs/man hufu build
}

# commands: the names of all commands, one a line, as `hufu --help` lists them.
commands() {
	"$hufu" --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on {sub(/^  /, ""); sub(/  .*/, ""); print}'
}

# allowed FILE PROGRAM…: the keys that a program allows in a configuration file, from its own complaint about an unknown one.
allowed() {
	local said
	echo 'no_such_key: 1' >"$1"
	said=$("${@:2}" 2>&1) && return 1
	[[ "$said" == *'allowed: '* ]] || { echo "no list of keys: $said" >&2; return 1; }
	said=${said#*allowed: }
	said=${said%%;*}
	said=${said%%[\"\[]*} # the list ends where the message does
	tr -d ' ' <<<"$said" | tr ',' '\n'
}

program() { # of a word in a page's name
	case $1 in
	notifier) echo "$build/ra/notify/hufu-notifier" ;;
	gate) echo "$build/ra/gate/hufu-gate" ;;
	*) echo "$build/$1/hufu-$1" ;;
	esac
}

@test "man finds nothing to warn of" {
	for page in hufu.1 hufu-ca.8 hufu-ra.8 hufu-notifier.8 hufu-gate.8; do
		run bash -c 'LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -E UTF-8 -l "$1" 2>&1 >/dev/null' - "$MAN_DIR/$page"
		[ "$status" = 0 ] && [ -z "$output" ] || { echo "$page: $output"; false; }
	done
	# The check itself: a page with an unknown macro is warned of.
	printf '.Dd November 23, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.NoSuchMacro z\n' >"$BATS_TEST_TMPDIR/x.1"
	run bash -c 'LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$1" 2>&1 >/dev/null' - "$BATS_TEST_TMPDIR/x.1"
	[ -n "$output" ]
}

@test "pages render with their sections" {
	for page in hufu.1 hufu-ca.8 hufu-ra.8 hufu-notifier.8 hufu-gate.8; do
		text=$(LC_ALL=C.UTF-8 MANWIDTH=100 man -E UTF-8 -l "$MAN_DIR/$page" | col -b)
		for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
			grep -qx "$section" <<<"$text" || { echo "$page has no $section"; false; }
		done
	done
}

@test "hufu.1 has each command of hufu --help, and no other" {
	said=$(commands | sort)
	[ "$(wc -l <<<"$said")" -gt 30 ]
	page=$(python3 - <<-'PY'
		import os, re
		names = []
		for line in open(os.environ["MAN_DIR"] + "/hufu.1"):
		    m = re.match(r"\.It Cm ((?:[a-z]+ )*?[a-z]+)(?= (?:Fl|Op|Oo|Ar|Cm)\b|$)", line)
		    if m:
		        names.append(m.group(1))
		print("\n".join(sorted(names)))
	PY
	)
	diff <(echo "$said") <(echo "$page")
}

@test "hufu.1 has each option of each command's --help, in its entry" {
	commands >"$BATS_TEST_TMPDIR/commands"
	python3 - "$BATS_TEST_TMPDIR/commands" <<-'PY'
		import os, re, subprocess, sys
		page = open(os.environ["MAN_DIR"] + "/hufu.1").read()
		entries = {}
		for part in re.split(r"^(?=\.It Cm )", page, flags=re.M)[1:]:
		    name = re.match(r"\.It Cm ((?:[a-z]+ )*?[a-z]+)(?= (?:Fl|Op|Oo|Ar|Cm)\b|$)", part, re.M).group(1)
		    entries[name] = re.split(r"^\.(?:Ss|Sh) ", part, flags=re.M)[0]
		bad, seen = [], 0
		for name in open(sys.argv[1]).read().split("\n")[:-1]:
		    text = subprocess.run([os.environ["hufu"], *name.split(), "--help"], capture_output=True, text=True, check=True).stdout
		    own = [l for l in text.split("\n") if not re.match(r"  hufu ", l)]  # examples may name global options
		    help_options = set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", "\n".join(own))) - {"json", "dry-run", "config"}
		    page_options = set(re.findall(r"\bFl Fl ([a-z][a-z-]*)", entries[name]))
		    seen += len(help_options)
		    bad += [f"{name}: --{o} is not in hufu.1" for o in sorted(help_options - page_options)]
		    if name != "cert revoke":  # usage in --help is short, its options are all listed below it
		        bad += [f"{name}: --{o} is not in its --help" for o in sorted(page_options - help_options - {"project", "kind", "profile", "issuer", "page", "search"})]
		assert seen > 60, seen
		sys.exit("\n".join(bad) or 0)
	PY
}

@test "each command's --help has a usage line and says what it is" {
	while read -r name; do
		# shellcheck disable=SC2086 # the name is one or two words
		run "$hufu" $name --help
		[ "$status" = 0 ]
		[[ "${lines[0]}" == "Usage: hufu $name"* ]] || { echo "$name: $output"; false; }
		[ "${#lines[@]}" -ge 2 ] || { echo "$name: no summary"; false; }
		# What takes words or options shows how: by an example, or by the usage line alone when there is one word at most.
		[[ "$output" == *Example* ]] || [[ "${lines[0]}" =~ ^Usage:\ hufu\ $name\ ?[A-Z]*$ ]] || { echo "$name: no example"; false; }
	done < <(commands)
}

@test "hufu-ca.8, hufu-ra.8, hufu-notifier.8 and hufu-gate.8 have each option of --help" {
	for p in ca ra notifier gate; do
		said=$("$(program $p)" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u)
		[ -n "$said" ]
		while read -r option; do
			grep -qE "Fl Fl ${option#--}( |$)" "$MAN_DIR/hufu-$p.8" || { echo "hufu-$p.8 lacks $option"; false; }
		done <<<"$said"
	done
}

@test "the pages have each configuration key" {
	mkdir -p "$BATS_TEST_TMPDIR/etc/hufu"
	cd "$BATS_TEST_TMPDIR"
	check() { # page, keys
		[ "$(wc -l <<<"$2")" -ge 6 ] || { echo "$1: only $2"; false; }
		while read -r key; do
			grep -qE "Cm $key( |$)" "$MAN_DIR/$1" || { echo "$1 lacks the key $key"; false; }
		done <<<"$2"
	}
	check hufu-ca.8 "$(allowed etc/hufu/ca.yaml "$build/ca/hufu-ca" --config etc/hufu/ca.yaml)"
	check hufu-ra.8 "$(allowed etc/hufu/ra.yaml "$build/ra/hufu-ra" --config etc/hufu/ra.yaml)"
	check hufu-notifier.8 "$(allowed etc/hufu/notifier.yaml "$build/ra/notify/hufu-notifier" --config etc/hufu/notifier.yaml)"
	check hufu-gate.8 "$(allowed etc/hufu/gate.yaml "$build/ra/gate/hufu-gate" --config etc/hufu/gate.yaml)"
	check hufu.1 "$(allowed etc/hufu/hufu.yaml "$hufu" --config etc/hufu/hufu.yaml roster show)"
}
