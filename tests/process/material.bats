#!/usr/bin/env bats
# Materials and the audit with the real programs: uploads that are killed at each step of their write path, a disk that is full, files and keys that
# were touched, an export of the audit that was. Each part goes on where the one before ended.

bats_require_minimum_version 1.5.0
load ../live

setup_file() {
	live_begin
	old_authority
	csv_begin
	old_cert org 74C2008800000F01 杭州材料示例有限公司 91330100MAHUFU0179
	csv_row 91330100MAHUFU0179 杭州材料示例有限公司 20601 "+200 days" 杭州材料示例有限公司 74C2008800000F01 org
	old_crl
	init >/dev/null
	up
	import >/dev/null
	at_home org 91330100MAHUFU0179 >/dev/null
	prepared org --kind change --way name-or-code --files no --accept-notice --subject O=杭州材料新名有限公司 --subject CN=杭州材料新名有限公司 \
		74C2008800000F01 >"$WORK/request"
}

teardown_file() {
	umount "$DIR/var/lib/hufu-ra/materials" 2>/dev/null
	live_end
}

request() { cat "$WORK/request"; }
stored() { find "$DIR/var/lib/hufu-ra/materials" -type f; }
hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# large NAME SIZE: a PDF of about that many bytes, of random text; prints its path.
large() {
	python3 - "$WORK/$1.pdf" "$2" <<-'PY'
		import base64, os, sys
		body = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% " + base64.b32encode(os.urandom(int(sys.argv[2]) * 5 // 8)) + b"\n"
		open(sys.argv[1], "wb").write(body + b"xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body))
	PY
	echo "$WORK/$1.pdf"
}

add() { as org hufu request material add "$(request)" "$@"; }
# fetched NAME FILE: what comes back is the file.
fetched() {
	rm -rf "$WORK/back"
	did hufu request material get --officer --out "$WORK/back" "$(request)" "$1" "$(hash_of "$2")"
	cmp "$WORK"/back/* "$2"
}

# killed_at CALL COMMAND…: the desk dies by SIGKILL when it next enters that system call, which the command makes it do.
killed_at() {
	local call=$1 pid
	pid=$(cat "$WORK/ra.pid")
	strace -f -p "$pid" -e trace="$call" -e inject="$call:signal=KILL:when=1" -o /dev/null 2>"$WORK/strace" &
	local tracer=$!
	eventually grep -q attached "$WORK/strace" || { cat "$WORK/strace"; return 1; }
	run "${@:2}"
	wait $tracer || true
	# It is there, dead, until `hufu up` has taken its end; `hufu up` ends when one of the two does.
	eventually [ ! -e "/proc/$pid/status" ] || { echo "not killed at $call: $output"; return 1; }
	until_gone "$(cat "$WORK/up.pid")"
	rm "$WORK/up.pid"
	up
}

begin_params() {
	printf '{"request": "%s", "name": "%s", "sha256": "%s", "bytes": %d}' "$(request)" "$1" "$(hash_of "$2")" "$(stat -c %s "$2")"
}
upload_of() { as org hufu --json rpc --session --call-id material.begin "$(begin_params "$1" "$2")"; }

@test "a large material goes up in parts and comes back, and nothing of it lies in the clear" {
	file=$(large agent-id-card 3000000)
	did add "agent-id-card=$file"
	fetched agent-id-card "$file"
	[ "$(stored | wc -l)" = 1 ]
	run ! grep -qa -F "$(head -c 100 "$file" | tail -c 40)" "$(stored)"
	[ "$(stat -c %a "$(stored)")" = 600 ]
	[ "$(stat -c '%a %U' "$DIR/var/lib/hufu-ra/materials.key")" = "600 hufu-ra" ]
}

@test "kill -9 at each step of an upload: it goes on where it was, and what no row names is gone" {
	local call n=0
	for call in fsync rename fdatasync unlink; do
		n=$((n + 1))
		file=$(large "part-$n" 1200000)
		killed_at "$call" add "registration-form=$file"
		did add "registration-form=$file"
		fetched registration-form "$file"
		# The upload is over, so every file is a material's.
		[ "$(stored | wc -l)" = $((n + 1)) ] || { stored; false; }
	done
}

@test "kill -9 at each step of finishing: the answer or the upload is there, never half of it" {
	local call n=0 upload
	for call in fsync rename fdatasync; do
		n=$((n + 1))
		file=$(large "finish-$n" 80000)
		upload=$(upload_of business-licence "$file" | field upload)
		# The part is there already: what comes next is the finish.
		python3 - "$file" "$upload" >"$WORK/part.json" <<-'PY'
			import base64, json, sys
			print(json.dumps({"upload": sys.argv[2], "part": 1, "content": base64.b64encode(open(sys.argv[1], "rb").read()).decode()}))
		PY
		did as org hufu rpc --session --call-id material.part "$(cat "$WORK/part.json")"
		killed_at "$call" add "business-licence=$file"
		did add "business-licence=$file"
		fetched business-licence "$file"
	done
	run as org hufu --json request show "$(request)"
	[ "$(python3 -c 'import json,sys; print(len(json.load(sys.stdin)["materials"]))' <<<"$output")" = 8 ]
}

@test "what is not a plain PDF, JPEG or PNG is refused with its rule, and leaves nothing" {
	before=$(stored | wc -l)
	file=$(large clean 1000)
	printf '<html><script>alert(1)</script>' | cat "$file" - >"$WORK/page.pdf"
	(cd "$WORK" && python3 -c 'import zipfile; z = zipfile.ZipFile("evil.zip", "w"); z.writestr("run.class", "x"); z.close()')
	cat "$file" "$WORK/evil.zip" >"$WORK/zip.pdf"
	head -c 900 "$file" >"$WORK/cut.pdf"
	sed 's/endobj/<<\/S\/J#61vaScript>>endobj/' "$file" >"$WORK/script.pdf"
	printf 'MZ not a scan' >"$WORK/program.pdf"
	refused material_hidden add "change-proof=$WORK/page.pdf"
	refused material_hidden add "change-proof=$WORK/zip.pdf"
	refused material_form add "change-proof=$WORK/cut.pdf"
	refused material_form add "change-proof=$WORK/script.pdf"
	refused material_type add "change-proof=$WORK/program.pdf"
	refused material_unknown add "<script>=$file"
	refused material_unknown add "x'; DROP TABLE materials; --=$file"
	head -c 20971521 /dev/zero >"$WORK/too-large.pdf"
	fails 1 "larger than 20971520 bytes" add "change-proof=$WORK/too-large.pdf"
	[ "$(stored | wc -l)" = "$before" ]
}

@test "another account has no such upload and no such material" {
	file=$(large mine 1000)
	upload=$(upload_of change-proof "$file" | field upload)
	old_cert other 74C2008800000F02 杭州他人示例有限公司 91330100MAHUFU0254
	csv_begin
	csv_row 91330100MAHUFU0254 杭州他人示例有限公司 20602 "+200 days" 杭州他人示例有限公司 74C2008800000F02 other
	old_crl
	import >/dev/null
	at_home other 91330100MAHUFU0254 >/dev/null
	refused upload_unknown as other hufu rpc --session --call-id material.finish "{\"upload\": \"$upload\"}"
	refused upload_unknown as other hufu rpc --session --call-id material.abandon "{\"upload\": \"$upload\"}"
	refused request_unknown as other hufu request material get "$(request)" agent-id-card "$(hash_of "$WORK/agent-id-card.pdf")"
	did as org hufu rpc --session --call-id material.abandon "{\"upload\": \"$upload\"}"
}

@test "the audit is exported and verified offline; what was done to it is named" {
	did hufu audit export "$WORK/audit.jsonl"
	said "the chain holds"
	head=$(tail -n1 "$WORK/audit.jsonl" | field head.hash)
	third=$(sed -n 3p "$WORK/audit.jsonl" | field hash)
	did hufu audit verify --head "$third" --head "$head" "$WORK/audit.jsonl"
	grep -q 'material_get' "$WORK/audit.jsonl"
	# altered, removed, inserted, cut off at the end, made shorter with its own head
	sed '5s/"uid":[0-9]*/"uid":4711/' "$WORK/audit.jsonl" >"$WORK/altered"
	sed 7d "$WORK/audit.jsonl" >"$WORK/removed"
	sed '4p' "$WORK/audit.jsonl" >"$WORK/inserted"
	sed '$d' "$WORK/audit.jsonl" >"$WORK/cut"
	(head -n 8 "$WORK/audit.jsonl" && tail -n 1 "$WORK/audit.jsonl") >"$WORK/shorter"
	refused audit_hash hufu audit verify "$WORK/altered"
	said "row 5"
	refused audit_gap hufu audit verify "$WORK/removed"
	said "wanted row 7"
	refused audit_gap hufu audit verify "$WORK/inserted"
	said "wanted row 5"
	refused audit_head hufu audit verify "$WORK/cut"
	refused audit_head hufu audit verify "$WORK/shorter"
	refused audit_head hufu audit verify --head "${head/[0-9]/x}" "$WORK/audit.jsonl"
	fails 1 "line 1" hufu audit verify "$WORK/agent-id-card.pdf"
	# The head that the desk logs each day is one of the export's.
	logged=$(grep -ao 'event=audit_head.*' "$DIR"/var/log/*ra*.log | tail -n1)
	[[ "$logged" =~ row=([1-9][0-9]*)\ hash=([0-9a-f]{64}) ]]
	did hufu audit verify --head "${BASH_REMATCH[2]}" "$WORK/audit.jsonl"
	did hufu audit list "$(request)"
	said material_put WHEN
}

@test "a row that was altered in the database is named by the desk" {
	down
	sqlite3 "$DIR/var/lib/hufu-ra/desk.db" "DROP TRIGGER audit_stays; UPDATE audit SET who = 'uid:0' WHERE id = 6" 2>/dev/null ||
		python3 - "$DIR/var/lib/hufu-ra/desk.db" <<-'PY'
			import sqlite3, sys
			db = sqlite3.connect(sys.argv[1])
			db.execute("DROP TRIGGER audit_stays")
			db.execute("UPDATE audit SET who = 'uid:0' WHERE id = 6")
			db.commit()
		PY
	up
	run hufu --json rpc audit.verify
	[ "$(field holds <<<"$output")" = false ]
	[ "$(field row <<<"$output")" = 6 ]
	refused audit_hash hufu audit export "$WORK/never.jsonl"
	[ ! -e "$WORK/never.jsonl" ]
}

@test "a stored file that was altered is refused, named and alarmed until it is right again" {
	fetched agent-id-card "$WORK/agent-id-card.pdf"
	largest=$(stored | xargs ls -S | head -n1)
	cp -p "$largest" "$WORK/kept-file"
	alter "$largest" 2000000
	refused material_damaged hufu request material get --officer --out "$WORK/back" "$(request)" agent-id-card "$(hash_of "$WORK/agent-id-card.pdf")"
	said "$(basename "$largest")"
	run hufu health
	said material_damaged
	cat "$WORK/kept-file" >"$largest"
	fetched agent-id-card "$WORK/agent-id-card.pdf"
	run ! grep -q material_damaged <(hufu health)
}

@test "without its material key, or with another, the desk does not start and says why" {
	key=$DIR/var/lib/hufu-ra/materials.key
	down
	cp -p "$key" "$WORK/kept-key"
	sed -i 's/.$/0/; t; s/.$/1/' "$key"
	cmp -s "$key" "$WORK/kept-key" && sed -i 's/.$/1/' "$key"
	chown hufu-ra: "$key"
	as_ra() { setpriv --reuid hufu-ra --regid hufu-ra --init-groups "$@"; }
	fails 4 materials_key_other as_ra "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml"
	rm "$key"
	fails 4 materials_key_missing as_ra "$build/ra/hufu-ra" --config "$DIR/etc/hufu/ra.yaml"
	[ ! -e "$key" ]
	cp -p "$WORK/kept-key" "$key"
	up
	fetched agent-id-card "$WORK/agent-id-card.pdf"
}

@test "a full disk is busy, and what was there stays" {
	down
	echo "materials: {free_mib: 0}" >>"$DIR/etc/hufu/ra.yaml"
	mv "$DIR/var/lib/hufu-ra/materials" "$DIR/var/lib/hufu-ra/aside"
	mkdir "$DIR/var/lib/hufu-ra/materials"
	mount -t tmpfs -o "size=5m,mode=0700,uid=$(id -u hufu-ra),gid=$(id -g hufu-ra)" tmpfs "$DIR/var/lib/hufu-ra/materials"
	cp -p "$(ls -S "$DIR"/var/lib/hufu-ra/aside/* | head -n1)" "$DIR/var/lib/hufu-ra/materials/"
	up
	file=$(large large 3500000)
	fails 3 disk_full add "change-proof=$file"
	fetched agent-id-card "$WORK/agent-id-card.pdf"
	mount -o remount,size=20m "$DIR/var/lib/hufu-ra/materials"
	did add "change-proof=$file"
	fetched change-proof "$file"
	down
	umount "$DIR/var/lib/hufu-ra/materials"
}
