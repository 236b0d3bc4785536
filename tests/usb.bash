# USB keys for stories, played by SoftHSM2. A token of it is a folder, so a key is plugged in at the place where its folder lies, and a parcel is a `mv`.

module=/usr/lib/softhsm/libsofthsm2.so

# usb_place NAME: a machine with slots, nothing plugged in.
usb_place() {
	mkdir -p "$WORK/usb/$1"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/usb/$1" >"$WORK/usb/$1.conf"
}
# at PLACE COMMAND…: with the keys that are plugged in there.
at() { SOFTHSM2_CONF=$WORK/usb/$1.conf "${@:2}"; }

# usb_new PLACE LABEL: a blank one becomes the desk's; prints its serial.
usb_new() {
	local folder serial
	rm -f "$WORK/usb/pin"
	touch "$WORK/usb/mark"
	at "$1" hufu --json token init --module $module --blank --label "$2" --pin-out "$WORK/usb/pin" --as dan >"$WORK/usb/answer.json" || return 1
	folder=$(find "$WORK/usb/$1" -mindepth 1 -maxdepth 1 -type d -newer "$WORK/usb/mark" | head -n1)
	serial=$(field token <"$WORK/usb/answer.json")
	basename "$folder" >"$WORK/usb/$serial.folder"
	mv "$WORK/usb/pin" "$WORK/usb/$serial.pin"
	echo "$serial"
}
# pin_of SERIAL: the start PIN that the officers' client made.
pin_of() { cat "$WORK/usb/$1.pin"; }
# usb_carry SERIAL FROM TO
usb_carry() { mv "$WORK/usb/$2/$(cat "$WORK/usb/$1.folder")" "$WORK/usb/$3/"; }

# usb PLACE PIN COMMAND SERIAL OPTIONS…: hufu token COMMAND.
usb() { at "$1" hufu token "$3" --module $module --serial "$4" --pin-fd 4 "${@:5}" 4<<<"$2"; }

# key_made PLACE SERIAL REQUEST [ALGORITHM]: dan makes the key of a request on that token, and the token signs its tally.
key_made() {
	local pin csr=$WORK/usb/$2.csr
	pin=$(pin_of "$2")
	rm -f "$csr"
	usb "$1" "$pin" keygen "$2" --algorithm "${4:-p256}" >/dev/null && usb "$1" "$pin" csr "$2" --subject CN=whatever --out "$csr" >/dev/null &&
		hufu work csr --as dan --serial "$2" --csr "$csr" --start-pin-fd 4 "$3" 4<"$WORK/usb/$2.pin" >/dev/null &&
		at "$1" hufu work prove --as dan --yes --module $module --pin-fd 4 "$3" 4<<<"$pin"
}
# key_approved PLACE SERIAL REQUEST OFFICER: lets the token sign for the officer's client, and approves.
key_approved() {
	at "$1" hufu officer approve --yes --key "$(key_of "$4")" --key-seen token --module $module --token-uri "pkcs11:serial=$2" --pin-fd 4 "$3" 4<<<"$(pin_of "$2")"
}
# received WHO PLACE PIN NEW-PIN REQUEST OPTIONS…
received() {
	as "$1" at "$2" hufu parcel receive --yes --module $module --pin-fd 4 --new-pin-fd 5 "${@:6}" "$5" 4<<<"$3" 5<<<"$4"
}
# start_pin MOBILE: out of the SMS, which a gateway would take away.
start_pin() {
	local file
	for file in "$DIR"/var/lib/hufu-ra/spool/*.json; do
		[ "$(field to <"$file")" = "$1" ] && [ "$(field template <"$file")" = start_pin ] || continue
		field en <"$file" | sed -n 's/.*start PIN is \([^:]*\):.*/\1/p'
		rm "$file"
		return 0
	done
	return 1
}
