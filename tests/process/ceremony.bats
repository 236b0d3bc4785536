#!/usr/bin/env bats
# Ceremonies with the real programs: the power goes at every step and at every flush, and what is there afterwards is nothing, or is finished, and
# is never a half that looks whole. Then transcripts in anybody's hands.

bats_require_minimum_version 1.5.0
load ../helpers

setup_file() {
	WORK=$(new_dir)
	export WORK
	local who
	for who in operator walter mallory; do
		"$hufu" --json officer key --plain --out "$WORK/$who.key" "$who" >"$WORK/$who.json"
	done
	fresh
	"$hufu" ceremony run --yes --dir "$WORK/ca" --operator-key "$WORK/operator.key" --passphrase-fd 4 "$WORK/root.yaml" 4<<<pass >"$WORK/root.log" 2>&1
}

teardown_file() { rm -rf "$WORK"; }

vkey() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["vkey"])' "$WORK/$1.json"; }

# day YEARS [FORMAT]: from today
day() { date -u -d "$1" +%FT00:00:00Z; }

fresh() {
	mkdir -p "$WORK/ca"
	cat >"$WORK/root.yaml" <<-YAML
		kind: root
		name: root
		subject: [{attribute: C, value: CN}, {attribute: CN, value: Root CA}]
		key: {algorithm: p256}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+10 years')}
		path_len: 1
		outputs: {certificate: root.crt, key: root.key, transcript: root.note}
	YAML
	cat >"$WORK/issuing.yaml" <<-YAML
		kind: intermediate
		name: issuing
		operator: $(vkey operator)
		witnesses: [$(vkey walter)]
		subject: [{attribute: C, value: CN}, {attribute: CN, value: Issuing CA}]
		key: {algorithm: p256}
		validity: {not_before: $(day '-1 day'), not_after: $(day '+5 years')}
		path_len: 0
		issuer: {certificate: root.crt, key: root.key}
		crl: {number: 1, this_update: $(day '-1 day'), next_update: $(day '+300 days')}
		outputs: {certificate: issuing.crt, key: issuing.key, crl: root.crl, transcript: issuing.note}
	YAML
}

outputs="issuing.crt issuing.key root.crl issuing.note"

# issuing OPTIONS…: the ceremony of the issuing CA; answers from standard input. by=exec: in the place of the shell that calls.
issuing() {
	${by:-} "$hufu" ceremony run --dir "$WORK/ca" --operator-key "$WORK/operator.key" --witness-key "$WORK/walter.key" --passphrase-fd 4 "$@" \
		"$WORK/issuing.yaml" 4<<<pass
}

clear_away() { (cd "$WORK/ca" && rm -rf $outputs .ceremony-issuing); }

none_there() {
	local name
	for name in $outputs; do [ ! -e "$WORK/ca/$name" ] || { echo "$name is there"; return 1; }; done
}

# What somebody who finds the folder can tell: a transcript that verifies says that all is there; without one nothing claims it.
whole() { "$hufu" ceremony verify --key "$(vkey operator)" --key "$(vkey walter)" --dir "$WORK/ca" --all --file "$WORK/issuing.yaml" "$WORK/ca/issuing.note"; }

@test "killed while it waits at any step: nothing is there, and the next run says so and starts again" {
	local n
	for n in 0 1 2 3 4 5 6 7 8; do
		clear_away
		mkfifo "$WORK/answers"
		exec 7<>"$WORK/answers"
		for ((i = 0; i < n; i++)); do echo yes >&7; done
		by=exec issuing <&7 >"$WORK/screen" 2>&1 3>&- 7>&- &
		local pid=$! code=0
		# it asks once more than it was answered
		timeout 60 bash -c 'until [ "$(grep -o "(yes or no)" "$1" | wc -l)" -gt "$2" ]; do read -rt 0.1 <> <(:) || :; done' - "$WORK/screen" "$n" || { cat "$WORK/screen"; false; }
		[ "$(readlink "/proc/$pid/exe")" = "$(realpath "$build/ca/hufu-ca")" ]
		if [ "$n" = 4 ]; then # a second one at the same time takes it for what it is
			run issuing --yes </dev/null
			echo "$output"
			[ "$status" = 1 ]
			[[ "$output" == *"another ceremony is under way in this folder"*"[ceremony_running]"* ]]
			[ -d "$WORK/ca/.ceremony-issuing" ]
		fi
		kill -9 "$pid"
		wait "$pid" || code=$?
		[ "$code" = 137 ]
		exec 7>&-
		rm "$WORK/answers"
		none_there
		[ -e "$WORK/ca/root.crt" ]
	done
	[ -d "$WORK/ca/.ceremony-issuing" ]
	run "$hufu" ceremony check --dir "$WORK/ca" "$WORK/issuing.yaml"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"cut off before anything was written; the next one starts again"* ]]
	run issuing < <(yes yes)
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"The keys that it made are gone, and nothing of it counts. Remove"*"and start again? (yes or no)"* ]]
	whole
	[ ! -e "$WORK/ca/.ceremony-issuing" ]
}

@test "killed at any flush: there is nothing, or the next run finishes it without a key" {
	local n again=0 finished=0
	for ((n = 1; n < 60; n++)); do
		clear_away
		LD_PRELOAD=$build/tests/process/kill_flush.so HUFU_TEST_KILL_FLUSH=$n issuing --yes >"$WORK/screen" 2>&1 && break
		# Whoever looks now: no transcript, or all of it.
		if [ -e "$WORK/ca/issuing.note" ]; then whole; fi
		if [ -e "$WORK/ca/.ceremony-issuing/ready" ]; then
			# the root's key is not even here
			mv "$WORK/ca/root.key" "$WORK/root.key.away"
			run "$hufu" ceremony run --dir "$WORK/ca" "$WORK/issuing.yaml" </dev/null
			mv "$WORK/root.key.away" "$WORK/ca/root.key"
			echo "flush $n: $output"
			[ "$status" = 0 ]
			[[ "$output" == *"are put in their places now; no key is needed"* ]]
			finished=$((finished + 1))
		else
			none_there
			run issuing --yes </dev/null
			echo "flush $n: $output"
			[ "$status" = 0 ]
			again=$((again + 1))
		fi
		whole
		[ "$(ls -A "$WORK/ca" | sort | tr '\n' ' ')" = "issuing.crt issuing.key issuing.note root.crl root.crt root.key root.note " ] || { ls -A "$WORK/ca"; false; }
		openssl verify -x509_strict -CAfile "$WORK/ca/root.crt" "$WORK/ca/issuing.crt"
	done
	echo "started again: $again, finished: $finished, flushes: $n"
	[ "$again" -gt 3 ]
	[ "$finished" -gt 5 ]
	[ "$n" -lt 60 ]
}

@test "cut off while it wrote, and something else came into a place: said, and nothing is overwritten" {
	local n
	for ((n = 1; n < 60; n++)); do
		clear_away
		LD_PRELOAD=$build/tests/process/kill_flush.so HUFU_TEST_KILL_FLUSH=$n issuing --yes >/dev/null 2>&1 || :
		[ ! -e "$WORK/ca/.ceremony-issuing/ready" ] || [ -e "$WORK/ca/issuing.key" ] || break
	done
	echo mine >"$WORK/ca/issuing.key"
	run "$hufu" ceremony run --dir "$WORK/ca" "$WORK/issuing.yaml" </dev/null
	echo "$output"
	[ "$status" = 1 ]
	[[ "$output" == *"issuing.key: is there with other bytes than this ceremony's; move it away and run again"* ]]
	[ "$(cat "$WORK/ca/issuing.key")" = mine ]
	[ ! -e "$WORK/ca/issuing.note" ]
	# No other ceremony begins on a half, and a check of this one says what to do.
	run "$hufu" ceremony check --dir "$WORK/ca" <(sed 's/name: issuing/name: other/; s/issuing\./other./g; s/root.crl/other.crl/' "$WORK/issuing.yaml")
	[[ "$output" == *ceremony_other_unfinished* ]]
	run "$hufu" ceremony check --dir "$WORK/ca" "$WORK/issuing.yaml"
	[[ "$output" == *"finishes it"* ]]
	rm "$WORK/ca/issuing.key"
	"$hufu" ceremony run --dir "$WORK/ca" "$WORK/issuing.yaml" </dev/null
	whole
}

@test "a rehearsal has the same prompts, throw-away keys, and leaves the real folder as it was" {
	clear_away
	ls -A "$WORK/ca" >"$WORK/before"
	"$hufu" ceremony rehearse --dir "$WORK/ca" --into "$WORK/try" --operator-key "$WORK/operator.key" --witness-key "$WORK/walter.key" --passphrase-fd 4 \
		"$WORK/issuing.yaml" 4<<<"any passphrase" < <(yes yes) >"$WORK/rehearsed"
	diff "$WORK/before" <(ls -A "$WORK/ca")
	issuing < <(yes yes) >"$WORK/run"
	diff <(grep -o '^[^?]*? (yes or no)' "$WORK/rehearsed") <(grep -o '^[^?]*? (yes or no)' "$WORK/run")
	grep -q 'A REHEARSAL\|This was a rehearsal' "$WORK/rehearsed"
	! openssl verify -x509_strict -CAfile "$WORK/ca/root.crt" "$WORK/try/issuing.crt" || false
	run "$hufu" ceremony verify --key "$(vkey operator)" "$WORK/try/issuing.note"
	echo "$output"
	[ "$status" = 2 ]
	[[ "$output" == *"A REHEARSAL, nothing of it counts"* && "$output" == *"none of those given"* ]]
	# Also for whoever asks without a key, and for programs.
	run "$hufu" --json ceremony verify "$WORK/try/issuing.note"
	[ "$status" = 2 ]
	[[ "$output" == *'"verdict": "nothing of it counts"'* ]]
	# The sheet of the day: every question with a box, and the file with its lines' numbers; of no other file.
	"$hufu" ceremony print --file "$WORK/issuing.yaml" "$WORK/try/issuing.note" "$WORK/sheet.html"
	grep -q 'A REHEARSAL' "$WORK/sheet.html"
	grep -q '<tr><td>1</td><td><code>kind: intermediate</code></td></tr>' "$WORK/sheet.html"
	[ "$(grep -c '<tr><td>[0-9]*</td><td><code>' "$WORK/sheet.html")" = "$(wc -l <"$WORK/issuing.yaml")" ]
	[ "$(grep -c 'class="box".*Step [1-7]: ' "$WORK/sheet.html")" = "$(grep -c 'Step [1-7]: ' "$WORK/rehearsed")" ]
	run "$hufu" ceremony print --file "$WORK/root.yaml" "$WORK/try/issuing.note" "$WORK/other.html"
	[ "$status" = 2 ]
	[[ "$output" == *"[ceremony_file]"* && ! -e "$WORK/other.html" ]]
}

# typed "QUESTION=ANSWER"… -- COMMAND…: at a terminal; each answer once its question is there.
typed() {
	python3 - "$@" <<-'PY'
		import os, pty, select, sys
		i = sys.argv.index("--")
		pid, fd = pty.fork()
		if pid == 0: os.execvp(sys.argv[i + 1], sys.argv[i + 1:])
		out, seen = b"", 0
		def more():
		    global out
		    try: d = os.read(fd, 4096) if select.select([fd], [], [], 30)[0] else b""
		    except OSError: return False
		    out += d
		    return bool(d)
		for want, answer in (a.split("=", 1) for a in sys.argv[1:i]):
		    while out.find(want.encode(), seen) < 0:
		        if not more(): break
		    seen = max(seen, out.find(want.encode(), seen) + len(want))
		    os.write(fd, (answer + "\n").encode())
		while more(): pass
		sys.stdout.buffer.write(out)
		os.close(fd) # whoever still waits for an answer gets none
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}

@test "a slip at the keyboard costs a question, and not the ceremony; a wrong passphrase that was given ends it" {
	local people=(--operator-key "$WORK/operator.key" --witness-key "$WORK/walter.key")
	clear_away
	run typed "hash=yes" "reads along=yess" "reads along=yes" "Step 1=yes" "of the issuer=wrong" "of the issuer=pass" "Step 2=yes" "Step 3=yes" "Step 4=yes" \
		"Step 5=yes" "Step 6=yes" "new key of issuing=one" "Again: Passphrase for the new key of issuing=two" \
		"new key of issuing=three" "Again: Passphrase for the new key of issuing=three" "Step 7=yes" \
		-- "$hufu" ceremony run --dir "$WORK/ca" "${people[@]}" "$WORK/issuing.yaml"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"wrong passphrase"*"; once more"*"the two entries differ; once more"* ]]
	whole
	# What was typed in vain is not in the transcript.
	! grep -wE 'wrong|two|three' "$WORK/ca/issuing.note" || false
	clear_away
	run "$hufu" ceremony run --yes --dir "$WORK/ca" "${people[@]}" --passphrase-fd 4 "$WORK/issuing.yaml" 4<<<wrong
	[ "$status" = 2 ]
	[[ "$output" == *"[sealed_open]"* ]]
	none_there
}

@test "a transcript is verified by anybody: lines, files, and what was altered" {
	clear_away
	issuing < <(yes yes) >"$WORK/run"
	whole
	run "$hufu" ceremony verify "$WORK/ca/issuing.note"
	[ "$status" = 0 ]
	[[ "$output" == *"by the transcript's own key"* ]]
	run "$hufu" ceremony verify --key "$(vkey mallory)" --key "$(vkey walter)" "$WORK/ca/issuing.note"
	[ "$status" = 2 ]
	run "$hufu" ceremony verify --file "$WORK/root.yaml" "$WORK/ca/issuing.note"
	[ "$status" = 2 ]
	[[ "$output" == *"IS ANOTHER"* ]]
	# Each line of the text, altered by one character, holds no more.
	local lines n
	lines=$(grep -n '^$' "$WORK/ca/issuing.note" | cut -d: -f1)
	for ((n = 1; n < lines; n++)); do
		sed "${n}s/[0-9a-y]\$/z/" "$WORK/ca/issuing.note" >"$WORK/altered.note"
		! cmp -s "$WORK/ca/issuing.note" "$WORK/altered.note" || sed "${n}s/.\$/q/" "$WORK/ca/issuing.note" >"$WORK/altered.note"
		run "$hufu" ceremony verify "$WORK/altered.note"
		[ "$status" != 0 ] || { echo "line $n: $output"; false; }
	done
	# A line of somebody who was not there.
	cp "$WORK/ca/issuing.note" "$WORK/more.note"
	"$hufu" note sign --yes --key "$WORK/mallory.key" "$WORK/more.note"
	run "$hufu" ceremony verify "$WORK/more.note"
	[ "$status" = 2 ]
	[[ "$output" == *"neither operator nor witness"* ]]
	# An output that was swapped; one that is elsewhere.
	cp "$WORK/ca/root.crl" "$WORK/kept.crl"
	echo >>"$WORK/ca/root.crl"
	run whole
	[ "$status" = 2 ]
	rm "$WORK/ca/root.crl"
	"$hufu" ceremony verify --dir "$WORK/ca" "$WORK/ca/issuing.note"
	run whole
	[ "$status" = 2 ]
	[[ "$output" == *"is not here"* ]]
	mv "$WORK/kept.crl" "$WORK/ca/root.crl"
}

@test "a transcript of an older build verifies still, and says that another program made it" {
	local kept=$root/tests/process/transcripts/issuing.note
	run "$hufu" ceremony verify --key "operator+88d2b46d+AWCO67NrO1LGF5aI2hPGiiUYM7FgZuy/9BD8XGAHeo7V" --key "walter+c0c45d17+ARuQ2PX2nxH7TYSCz9SUSAo2f3qhSfB89obUJnKvNBof" \
		--key "wendy+4627678f+Aa+a6lhAyHAlU909eoMHNtAibgh2l8ycEL3PwOzHJvHD" "$kept"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c 'holds$' <<<"$output")" = 3 ]
	run "$hufu" ceremony verify --program "$build/ca/hufu-ca" "$kept"
	[ "$status" = 2 ]
	[[ "$output" == *"program"*"IS ANOTHER"* ]]
	"$hufu" ceremony print "$kept" "$WORK/kept.html"
	grep -q 4d52a313ad02a2802656a0f03d76e3971d539b9d1e490d2673dc9e6666fa69f0 "$WORK/kept.html" || grep -q '4d52 a313' "$WORK/kept.html"
}

@test "roots of every algorithm: run, verified, and a rehearsal before" {
	local n=0 key
	for key in 'p384' 'rsa, bits: 3072' 'ed25519' 'sm2'; do
		n=$((n + 1))
		mkdir "$WORK/alg$n"
		sed "s/algorithm: p256/algorithm: $key/; s/'+10 years'/'+9 years'/" "$WORK/root.yaml" >"$WORK/alg$n.yaml"
		"$hufu" ceremony rehearse --yes --dir "$WORK/alg$n" --into "$WORK/alg$n.try" --operator-key "$WORK/operator.key" --passphrase-fd 4 "$WORK/alg$n.yaml" 4<<<pass >/dev/null
		"$hufu" ceremony run --yes --dir "$WORK/alg$n" --operator-key "$WORK/operator.key" --passphrase-fd 4 "$WORK/alg$n.yaml" 4<<<pass >/dev/null
		run "$hufu" ceremony verify --key "$(vkey operator)" --dir "$WORK/alg$n" --all --file "$WORK/alg$n.yaml" --program "$build/ca/hufu-ca" "$WORK/alg$n/root.note"
		echo "$key: $output"
		[ "$status" = 0 ]
		grep -q "key made: ${key%%,*}, " "$WORK/alg$n/root.note"
		run "$hufu" ceremony verify --key "$(vkey operator)" "$WORK/alg$n.try/root.note"
		[ "$status" = 2 ]
	done
}

# as_json FIELD COMMAND…: standard output is one JSON object, and prints what it says there.
as_json() {
	local field=$1
	shift
	"$hufu" --json ceremony "$@" >"$WORK/out.json" 2>"$WORK/screen" || :
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[int(k)] if isinstance(v, list) else v[k]
print(v)' "$WORK/out.json" "$field"
}

@test "--json: what each did is one object, and the screen is elsewhere; --dry-run changes nothing" {
	local ops=(--yes --operator-key "$WORK/operator.key" --witness-key "$WORK/walter.key" --passphrase-fd 4)
	clear_away
	[ "$(as_json mode check --dir "$WORK/ca" "$WORK/issuing.yaml")" = check ]
	[ "$(as_json file check --dir "$WORK/ca" "$WORK/issuing.yaml")" = "$(sha256sum "$WORK/issuing.yaml" | cut -d' ' -f1)" ]
	[ "$(as_json error.rule check --dir "$WORK/ca" <(echo 'kind: leaf'))" = yaml_word ]
	[ "$(as_json error.kind check --dir "$WORK/ca" "$WORK/none.yaml")" = not_found ]
	[ "$(as_json into rehearse --dir "$WORK/ca" --into "$WORK/try-json" "${ops[@]}" "$WORK/issuing.yaml" 4<<<pass)" = "$WORK/try-json" ]
	"$hufu" --json --dry-run ceremony run --dir "$WORK/ca" "${ops[@]}" "$WORK/issuing.yaml" 4<<<pass >"$WORK/out.json" 2>/dev/null
	grep -q '"mode": "check"' "$WORK/out.json"
	"$hufu" --dry-run ceremony rehearse --dir "$WORK/ca" --into "$WORK/try-none" "${ops[@]}" "$WORK/issuing.yaml" 4<<<pass
	[ ! -e "$WORK/try-none" ]
	[ "$(cd "$WORK/ca" && ls -A $outputs 2>/dev/null | wc -l)" = 0 ]
	[ "$(as_json outputs.0.what run --dir "$WORK/ca" "${ops[@]}" "$WORK/issuing.yaml" 4<<<pass)" = key ]
	grep -q "key sealed" "$WORK/screen"
	[ "$(python3 -c 'import json, sys; v = json.load(open(sys.argv[1])); print(v["transcript"], [o["sha256"] for o in v["outputs"] if o["path"] == "issuing.crt"][0])' "$WORK/out.json")" = "issuing.note $(sha256sum "$WORK/ca/issuing.crt" | cut -d' ' -f1)" ]
	whole
	[ "$(as_json error.rule run --dir "$WORK/ca" "${ops[@]}" "$WORK/issuing.yaml" 4<<<pass)" = ceremony_output_exists ]
	"$hufu" --json ceremony verify "$WORK/ca/issuing.note" | python3 -c 'import json, sys; assert all(r["good"] for r in json.load(sys.stdin))'
}

@test "the page to print is a file of its own, and names everybody" {
	"$hufu" ceremony print "$WORK/ca/issuing.note" "$WORK/page.html"
	run cat "$WORK/page.html"
	[[ "$output" == *"operator"* && "$output" == *"walter"* && "$output" == *"signature:"* ]]
	! grep -Ei 'https?:|src=|<script|@import' "$WORK/page.html" || false
	# Sheets: heads come again, what is signed by hand stays on one, and no word is too long for its column.
	[ "$(grep -c '<thead>' "$WORK/page.html")" -ge 3 ]
	[[ "$output" == *"<div class=\"hand\"><h2>Signed by hand"* && "$output" == *".hand{break-inside:avoid}"* && "$output" == *"td{overflow-wrap:anywhere}"* ]]
	python3 - "$WORK/page.html" <<-'PY'
		import html.parser, sys
		class P(html.parser.HTMLParser):
		    stack = []
		    def handle_starttag(self, tag, attrs):
		        if tag not in ("meta", "br"): self.stack.append(tag)
		    def handle_endtag(self, tag):
		        assert self.stack.pop() == tag, tag
		p = P(); p.feed(open(sys.argv[1]).read()); assert not p.stack, p.stack
	PY
	# The hash of the certificate, as people read it aloud.
	local groups
	groups=$(sha256sum "$WORK/ca/issuing.crt" | cut -c1-32 | sed 's/..../& /g; s/ $//')
	grep -q "$groups" "$WORK/page.html"
	run "$hufu" ceremony print "$WORK/ca/issuing.note" "$WORK/page.html"
	[ "$status" = 2 ]
}

@test "no passphrase and no key stands in transcript, screen or page" {
	clear_away
	issuing < <(yes yes) >"$WORK/run" 2>&1
	! grep -F -e 'secret' -e 'PRIVATE' "$WORK/run" "$WORK/ca/issuing.note" || false
	! grep -wF pass "$WORK/run" "$WORK/ca/issuing.note" || false
	grep -q '^prompt: .* option Passphrase of the issuer' "$WORK/ca/issuing.note"
}
