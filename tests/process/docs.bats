#!/usr/bin/env bats
# What the documents point to is there: files, headings, commands and their options. No path of the machine that they were written on.

load ../helpers

setup() {
	export hufu root
	cd "$root"
}

# check FILE…: prints what is wrong with the links of these documents.
links() {
	python3 - "$@" <<-'PY'
		import os, re, sys
		def anchors(path):
		    found = set()
		    for line in re.sub(r"^```.*?^```", "", open(path).read(), flags=re.M | re.S).split("\n"):
		        if re.match(r"#+ ", line):
		            title = re.sub(r"[`*]|\]\([^)]*\)|\[", "", line.lstrip("#").strip()).lower()
		            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
		    return found
		seen = 0
		for path in sys.argv[1:]:
		    text = re.sub(r"^```.*?^```", "", open(path).read(), flags=re.M | re.S)
		    for target in re.findall(r"\]\(([^)\s]+)\)", text):
		        seen += 1
		        if re.match(r"[a-z]+:", target):
		            continue
		        name, _, anchor = target.partition("#")
		        there = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
		        if there.startswith("..") or os.path.isabs(name):
		            print(f"{path}: {target} leaves the repository")
		        elif not os.path.exists(there):
		            print(f"{path}: {target} is not there")
		        elif anchor and there.endswith(".md") and anchor not in anchors(there):
		            print(f"{path}: {target}: no such heading")
		print(f"{seen} links", file=sys.stderr)
	PY
}

# commands FILE…: prints what the documents name as `hufu …` and the program does not have. Looked at: code spans and code blocks.
commands() {
	python3 - "$@" <<-'PY'
		import os, re, subprocess, sys
		hufu = os.environ["hufu"]
		def run(*words):
		    return subprocess.run([hufu, *words], capture_output=True, text=True).stdout
		block = run("--help").split("Commands:\n")[1].split("\n\n")[0]
		names = {re.split(r"  +", line.strip())[0] for line in block.split("\n")}
		helps = {}
		def options(name):
		    if name not in helps:
		        helps[name] = set(re.findall(r"--[a-z][a-z-]*", run(*name.split(), "--help"))) | {"--json", "--dry-run", "--config", "--help"}
		    return helps[name]
		seen = 0
		for path in sys.argv[1:]:
		    text = open(path).read()
		    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.M | re.S)
		    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
		    code = [line for b in blocks for line in b.split("\n")] + re.findall(r"`([^`]+)`", rest.replace("\n", " "))
		    for line in code:
		        for use in re.findall(r"(?:^|(?<=[\s'\"/(;`]))hufu((?: +--(?:json|dry-run|help|version)| +--config[ =]\S+)*(?: +[^|;&#`'\")]*)?)", line):
		            words = re.sub(r"--config[ =]\S+|--json|--dry-run", "", use).split()
		            if not words or words[0].startswith(("--help", "--version", "…", "COMMAND")) or not re.fullmatch(r"[a-z]+", words[0]):
		                continue
		            seen += 1
		            name = next((n for n in (" ".join(words[:2]), words[0]) if n in names), None)
		            if not name and not any(n.startswith(words[0] + " ") and len(words) == 1 for n in names):
		                print(f"{path}: hufu {' '.join(words[:2])}: no such command")
		            elif name:
		                for o in re.findall(r"(?<=\s)--[a-z][a-z-]*", use):
		                    if o not in options(name):
		                        print(f"{path}: hufu {name} {o}: no such option")
		print(f"{seen} uses", file=sys.stderr)
	PY
}

# paths FILE…: prints lines that name a place on somebody's machine.
paths() {
	grep -nE '(^|[^A-Za-z0-9_./-])/(work|root|home|Users|mnt|tmp/b-|tmp/bash)(/|$|[^a-z])' "$@" || [ $? = 1 ]
}

# tests_of FILE…: prints what these documents name as a test and the tree does not have: `tests/…` with, after a colon, some of the test's name. In a story
# that is a line of @test, in a unit test a function that is run or the words of a row of a table.
tests_of() {
	python3 - "$@" <<-'PY'
		import os, re, sys
		seen = 0
		def has(file, name):
		    text = open(file).read()
		    if file.endswith(".bats"):
		        return any(name in title for title in re.findall(r'^@test "(.*)" \{', text, flags=re.M))
		    return re.search(r"cmocka_unit_test\w*\(" + re.escape(name) + r"\b", text) or re.search('"[^"\n]*' + re.escape(name) + '[^"\n]*"', text)
		for path in sys.argv[1:]:
		    for file, name in re.findall(r"`(tests/[\w./-]+)`(?:: ([^;|\n]+))?", open(path).read()):
		        seen += 1
		        if not os.path.exists(file):
		            print(f"{path}: {file} is not there")
		        elif name and not has(file, name.strip()):
		            print(f"{path}: {file} has no test “{name.strip()}”")
		print(f"{seen} tests", file=sys.stderr)
	PY
}

# bare FILE: prints rows of its tables of attacks that say neither **possible** nor a test by its name.
bare() {
	python3 - "$1" <<-'PY'
		import re, sys
		seen = 0
		for line in open(sys.argv[1]):
		    cells = [c.strip() for c in line.strip("\n|").split("|")]
		    if not line.startswith("| ") or cells[0] in ("attack", "---"):
		        continue
		    seen += 1
		    tests = re.findall(r"`tests/[\w./-]+`(: [^;|]+)?", cells[-1])
		    if len(cells) != 3 or not all(tests) or not tests and "**possible**" not in cells[1]:
		        print(line, end="")
		print(f"{seen} rows", file=sys.stderr)
	PY
}

@test "every test that the documents stand on is there" {
	run tests_of docs/threat-model.md docs/reliability.md docs/SECURITY.md
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" =~ ^[0-9]+\ tests$ ]]
	[ "${output% tests}" -gt 150 ]
}

@test "no line of the threat model says that something holds without the name of a test" {
	run bare docs/threat-model.md
	echo "$output"
	[[ "$output" =~ ^[0-9]+\ rows$ ]]
	[ "${output% rows}" -gt 80 ]
	sed 's/`tests[^|]*|$/|/' docs/threat-model.md >"$BATS_TEST_TMPDIR/bare.md" # the check itself finds such lines
	run bare "$BATS_TEST_TMPDIR/bare.md"
	[ "${#lines[@]}" -gt 60 ]
}

@test "every relative link is there, and its heading" {
	run links README.md docs/*.md
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" =~ ^[0-9]+\ links$ ]]
	[ "${output% links}" -gt 20 ]
}

@test "every hufu command that the documents name exists, and so do its options" {
	run commands README.md docs/*.md docs/systemd/*
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" =~ ^[0-9]+\ uses$ ]]
	[ "${output% uses}" -gt 40 ]
}

@test "no document names a path of somebody's machine" {
	run paths README.md docs/*.md docs/man/* docs/systemd/*
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "the checks find what they look for" {
	cd "$BATS_TEST_TMPDIR"
	cat >bad.md <<-'MD'
		# A heading
		[gone](gone.md) [above](../x.md) [nowhere](bad.md#another) [right](bad.md#a-heading)
		Run `hufu frobnicate`, `hufu cert revoke --reasons x`, or see `/home/somebody/notes`.
		```
		# hufu polcy check
		$ hufu --json cert list --search x
		```
	MD
	run links bad.md
	[[ "$output" == *"gone.md is not there"* && "$output" == *"leaves the repository"* && "$output" == *"no such heading"* ]]
	[ "$(grep -c bad.md: <<<"$output")" = 3 ]
	run commands bad.md
	[[ "$output" == *"hufu frobnicate: no such command"* && "$output" == *"cert revoke --reasons: no such option"* ]]
	[[ "$output" == *"hufu polcy check: no such command"* ]]
	[ "$(grep -c bad.md: <<<"$output")" = 3 ]
	run paths bad.md
	[ "${#lines[@]}" = 1 ]
	mkdir tests
	echo '@test "it holds" {' >tests/a.bats
	echo '`tests/a.bats`: it holds; `tests/a.bats`: it breaks | `tests/b.bats`' >bad.md
	run tests_of bad.md
	[[ "$output" == *"tests/a.bats has no test “it breaks”"* ]]
	[[ "$output" == *"tests/b.bats is not there"* ]]
	[ "${#lines[@]}" = 3 ]
}

@test "the sample units fit the programs and the tree" {
	for p in ca ra; do
		unit=docs/systemd/hufu-$p.service
		grep -qx "User=hufu-$p" "$unit"
		grep -qx 'Type=notify' "$unit"
		grep -qx "ExecStart=/usr/local/bin/hufu-$p --config /srv/hufu/etc/hufu/$p.yaml" "$unit"
		grep -q '^ReadWritePaths=.*/srv/hufu/var/lib/hufu-'"$p" "$unit"
		for wall in NoNewPrivileges=yes ProtectSystem=strict PrivateNetwork=yes RestrictAddressFamilies=AF_UNIX MemoryDenyWriteExecute=yes CapabilityBoundingSet= LimitCORE=0; do
			grep -qx -- "$wall" "$unit" || { echo "$unit has no $wall"; false; }
		done
		run grep '^PrivateUsers=' "$unit" # it would hide who the peers are
		[ "$status" = 1 ]
	done
	unit=docs/systemd/hufu-notifier.service
	for line in User=hufu-notify Type=notify 'ExecStart=/usr/local/bin/hufu-notifier --config /srv/hufu/etc/hufu/notifier.yaml' ReadWritePaths=/srv/hufu/var/lib/hufu-notify \
		NoNewPrivileges=yes ProtectSystem=strict MemoryDenyWriteExecute=yes CapabilityBoundingSet= LimitCORE=0 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK'; do
		grep -qx -- "$line" "$unit" || { echo "$unit has no $line"; false; }
	done
	unit=docs/systemd/hufu-gate.service
	for line in User=hufu-gate Type=notify 'ExecStart=/usr/local/bin/hufu-gate --config /srv/hufu/etc/hufu/gate.yaml' ReadWritePaths=/srv/hufu/var/lib/hufu-gate \
		NoNewPrivileges=yes ProtectSystem=strict MemoryDenyWriteExecute=yes CapabilityBoundingSet= LimitCORE=0 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6'; do
		grep -qx -- "$line" "$unit" || { echo "$unit has no $line"; false; }
	done
	unit=docs/systemd/hufu-portal.service
	for line in User=hufu-portal 'ExecStart=/usr/local/bin/hufu-gate --config /srv/hufu/etc/hufu/portal.yaml' NoNewPrivileges=yes ProtectSystem=strict; do
		grep -qx -- "$line" "$unit" || { echo "$unit has no $line"; false; }
	done
	run grep '^ReadWritePaths=' "$unit"
	[ "$status" = 1 ]
	# Each folder that a unit may write is one that hufu init makes.
	for path in $(sed -n 's/^ReadWritePaths=//p' docs/systemd/hufu-{ca,ra,notifier}.service); do
		grep -qF "{\"${path#/srv/hufu/}\", 0" tools/hufu/setup.c || { echo "$path is not laid out"; false; }
	done
}

@test "the sample units: exposure below 2.0, the signer's and the desk's below 1.0; users for all; nothing that systemd does not know" {
	local unit limit units=0
	for unit in docs/systemd/*.service; do
		case $unit in *-ca.service | *-ra.service) limit=10 ;; *) limit=20 ;; esac
		systemd-analyze security --offline=true --no-pager --threshold=$limit "$unit" >"$BATS_TEST_TMPDIR/report" 2>&1 || { cat "$BATS_TEST_TMPDIR/report"; false; }
		grep -qE "^u $(sed -n 's/^User=//p' "$unit") " docs/systemd/hufu.sysusers
		units=$((units + 1))
	done
	[ $units -ge 5 ]
	cp -r docs/systemd/* "$BATS_TEST_TMPDIR"
	sed -i -E 's|^(ExecStart=)/usr/local/bin/[a-z-]+|\1/bin/true|' "$BATS_TEST_TMPDIR"/*.service
	mkdir "$BATS_TEST_TMPDIR/hufu-ca.service.d"
	mv "$BATS_TEST_TMPDIR/hufu-ca-token.conf" "$BATS_TEST_TMPDIR/hufu-ca.service.d"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/*.service "$BATS_TEST_TMPDIR"/*.timer
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
	run systemd-sysusers --root="$BATS_TEST_TMPDIR/root" --dry-run "$PWD/docs/systemd/hufu.sysusers"
	echo "$output"
	[ "$status" = 0 ]
}
