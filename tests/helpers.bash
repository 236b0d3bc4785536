# Shared by the process stories: the programs, two Unix users, one demo for a whole file.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${HUFU_BUILD:-$root/build}
hufu=$build/tools/hufu

# Runs as root, or not at all: the walls between two users are what is tested.
need_root() {
	[ "$(id -u)" = 0 ] || { echo "these tests want root: they start programs as two Unix users" >&2; return 1; }
}

make_users() {
	local user
	for user in hufu-ca hufu-ra; do
		id "$user" >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin "$user"
	done
}

# A folder that both users can enter.
new_dir() {
	local d
	d=$(mktemp -d /tmp/hufu-test-XXXXXX)
	chmod 755 "$d"
	echo "$d"
}

# run_demo DIR: the whole demo into DIR (which must not exist); its output in DIR.log.
run_demo() {
	need_root && make_users
	"$hufu" demo --dir "$1" --ca-user hufu-ca --ra-user hufu-ra >"$1.log" 2>&1 || { cat "$1.log"; return 1; }
}

# alter FILE AT: the octet there is another one from now on, whatever it was.
alter() {
	local was
	was=$(od -An -tu1 -j"$2" -N1 "$1")
	printf "\\x$(printf %02x $((was ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# breath: a moment between two looks at something that cannot say when it is so: who asks without one keeps what it waits for from the processor.
breath() { sleep 0.03; }

jvm=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC) # for programs that live a second

# until_gone PID…: waits until these programs, which need not be ours, are gone.
until_gone() {
	local pids=("${@/#/--pid=}")
	tail -s 0.05 "${pids[@]}" -f /dev/null
}
