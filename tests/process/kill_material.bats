#!/usr/bin/env bats
# kill -9 while files are handed in, in parts and in one call, and taken out again.

load kill

setup_file() {
	kill_begin
	organisation org 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="org 91330100MAHUFU0179" kill_up
	as org hufu --json request prepare --project jinhua --kind change --way name-or-code --files no --accept-notice --subject O=杭州补料示例有限公司 \
		--subject CN=杭州补料示例有限公司 74C2008800000F01 | field request >"$WORK/request"
}

teardown_file() { kill_end; }

uploads="SELECT count(*) FROM uploads"

@test "in parts: begun, a part, finished; begun and given up" {
	local round request file hash bytes upload
	request=$(cat "$WORK/request")
	for round in commit answer; do
		local -n points=$round
		file=$(material "licence-$round") hash=$(sha256sum "$(material "licence-$round")" | cut -d' ' -f1) bytes=$(stat -c %s "$(material "licence-$round")")
		once 1 "$uploads" org material.begin "{\"request\": \"$request\", \"name\": \"business-licence\", \"sha256\": \"$hash\", \"bytes\": $bytes}" "${points[@]}"
		upload=$(field upload <<<"$output")
		once 1 "SELECT count(*) FROM upload_parts" org material.part "{\"upload\": \"$upload\", \"part\": 1, \"content\": \"$(base64 -w0 "$file")\"}" "${points[@]}"
		once 1 material_put org material.finish "{\"upload\": \"$upload\"}" "${points[@]}"
		same "$(rows "$uploads")" 0
		hash=$(printf '%064d' 1)
		upload=$(as org hufu --json rpc --session --call-id material.begin \
			"{\"request\": \"$request\", \"name\": \"change-proof\", \"sha256\": \"$hash\", \"bytes\": 100}" | field upload)
		once 1 "SELECT -count(*) FROM uploads" org material.abandon "{\"upload\": \"$upload\"}" "${points[@]}"
	done
	# Nothing lies there that no row names.
	same "$(find "$DIR/var/lib/hufu-ra/materials" -type f | wc -l)" "$(rows "SELECT count(*) FROM materials")"
}

@test "in one call, and taken out again" {
	local round request file hash
	request=$(cat "$WORK/request")
	for round in commit answer; do
		local -n points=$round
		file=$(material "card-$round")
		once 1 material_put org material.put "{\"request\": \"$request\", \"name\": \"agent-id-card\", \"content\": \"$(base64 -w0 "$file")\"}" "${points[@]}"
		hash=$(field sha256 <<<"$output")
		same "$hash" "$(sha256sum "$file" | cut -d' ' -f1)"
		once 1 material_removed org material.remove "{\"request\": \"$request\", \"name\": \"agent-id-card\", \"sha256\": \"$hash\"}" "${points[@]}"
	done
	same "$(rows "SELECT count(*) FROM materials WHERE name = 'agent-id-card'")" 0
}
