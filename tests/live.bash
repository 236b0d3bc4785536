# A whole tree for the stories that are played live: an old authority made with openssl, `hufu init`, `hufu up`, and people who each have a home.
# Everything goes through the `hufu` command, found by $HUFU_CONFIG as on a real machine. Invented organisations only.

source "$(dirname "${BASH_SOURCE[0]}")/helpers.bash"

hufu() { "$hufu" "$@"; }

# as NAME COMMAND…: with a session of one's own.
as() {
	local who=$1
	shift
	XDG_STATE_HOME=$WORK/people/$who "$@"
}

key_of() { echo "$DIR/home/$1/$1.key"; }

# live_begin [BUILD]: the scene before the first command.
live_begin() {
	need_root && make_users
	WORK=$(new_dir)
	DIR=$WORK/hufu
	HUFU_CONFIG=$DIR/etc/hufu/hufu.yaml
	export WORK DIR HUFU_CONFIG
	mkdir -p "$WORK/old" "$WORK/people"
	echo "a passphrase of the tests" >"$WORK/pass"
	cp "$root/tests/wire.py" "$WORK/wire.py"
}

live_end() {
	down
	[ -n "${HUFU_KEEP:-}" ] || rm -rf "$WORK"
}

# init OPTIONS…
init() { hufu init --ca-user hufu-ca --ra-user hufu-ra --passphrase-fd 4 --issuer "$WORK/old/zjca-oca2.pem" "$@" "$DIR" 4<"$WORK/pass"; }

# up: both programs; returns when both are ready, by what `hufu up` says.
up() {
	local line
	[ -e "$WORK/ready" ] || mkfifo "$WORK/ready"
	"$hufu" up --logs --passphrase-fd 4 4<"$WORK/pass" >"$WORK/ready" 2>"$WORK/up.log" 3>&- &
	echo $! >"$WORK/up.pid"
	read -r line <"$WORK/ready"
	[[ "$line" == up:* ]] || { cat "$WORK/up.log" "$DIR"/var/log/*; return 1; }
	pgrep -u hufu-ca -f "$DIR/etc/hufu/ca.yaml" >"$WORK/ca.pid"
	pgrep -u hufu-ra -f "$DIR/etc/hufu/ra.yaml" >"$WORK/ra.pid"
}

# Ends what was started: `hufu up` with its children, and a signer that a story runs alone.
down() {
	local file
	for file in up alone; do
		[ -e "$WORK/$file.pid" ] || continue
		kill "$(cat "$WORK/$file.pid")" 2>/dev/null || : # it may have ended by itself
		until_gone "$(cat "$WORK/$file.pid")"
		rm -f "$WORK/$file.pid"
	done
}

# Neither program was replaced or has ended since `up`.
both_live() {
	[ "$(pgrep -u hufu-ca -f "$DIR/etc/hufu/ca.yaml")" = "$(cat "$WORK/ca.pid")" ] && [ "$(pgrep -u hufu-ra -f "$DIR/etc/hufu/ra.yaml")" = "$(cat "$WORK/ra.pid")" ]
}

issued() { hufu --json health --signer | field signer.issued; }

# clerk NAME: an officer for holds alone joins the roster by the others' quorum; the desk hears of it when it starts again, or by SIGHUP.
clerk() {
	local vkey
	mkdir -p "$DIR/home/$1"
	vkey=$(hufu --json officer key --plain --out "$(key_of "$1")" "$1" | field vkey)
	hufu roster note --add "officer:$vkey:*:hold" "$WORK/clerk.note" >/dev/null
	hufu roster sign --yes --key "$(key_of alice)" "$WORK/clerk.note" >/dev/null
	hufu roster sign --yes --key "$(key_of bob)" "$WORK/clerk.note" >/dev/null
	hufu roster submit "$WORK/clerk.note" >/dev/null
	cp "$WORK/clerk.note" "$DIR/etc/hufu/roster.note"
}

# --- reading answers

# field a.b.0.c: out of the JSON on standard input; nothing when it is not there.
field() {
	jq -erj --arg path "$1" 'reduce ($path / ".")[] as $k (.; if type == "array" then .[$k | tonumber] elif type == "object" then .[$k] else null end)
		| if . == null then "" elif type == "string" then . else tojson end | if endswith("\n") then . else . + "\n" end'
}

# --- asking and comparing: each fails by itself, so that a line of a test is one assertion

# did COMMAND…: exit code 0.
did() {
	run "$@"
	echo "$output"
	[ "$status" = 0 ]
}

# refused RULE COMMAND…: exit code 2, and the rule is named.
refused() {
	local rule=$1
	shift
	run "$@"
	echo "$output"
	[ "$status" = 2 ] && said "[$rule]"
}

# fails CODE TEXT COMMAND…: that exit code, and the text stands in the message.
fails() {
	local code=$1 text=$2
	shift 2
	run "$@"
	echo "$output"
	[ "$status" = "$code" ] && said "$text"
}

# said TEXT…: each stands in what the last command said.
said() {
	local text
	for text in "$@"; do
		[[ "$output" == *"$text"* ]] || { echo "not said: $text"; return 1; }
	done
}

# told REGEX…: each matches within what the last command said.
told() {
	local regex
	for regex in "$@"; do
		[[ "$output" =~ $regex ]] || { echo "not told: $regex"; return 1; }
	done
}

# same A B
same() { [ "$1" = "$2" ] || { printf 'found  %s\nwanted %s\n' "$1" "$2"; return 1; }; }

# eventually COMMAND…: asks again until it is so, for half a minute at most.
eventually() {
	local until=$((SECONDS + 90))
	while [ $SECONDS -lt $until ]; do
		"$@" >/dev/null && return 0
		breath
	done
	echo "never: $*"
	return 1
}

# --- the old authority

old_conf() {
	cat <<-CONF
		[ca]
		default_ca = old
		[old]
		database = $WORK/old/index.txt
		serial = $WORK/old/serial
		crlnumber = $WORK/old/crlnumber
		new_certs_dir = $WORK/old/issued
		certificate = $WORK/old/zjca-oca2.pem
		private_key = $WORK/old/zjca-oca2.key
		default_md = sha256
		default_crl_days = 30
		preserve = yes
		unique_subject = no
		policy = any
		x509_extensions = ee
		[any]
		countryName = optional
		organizationName = optional
		commonName = optional
		organizationIdentifier = optional
		[ee]
		keyUsage = critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid:always
		[odd]
		keyUsage = critical,digitalSignature
		1.2.3.4 = critical,ASN1:UTF8String:nobody knows what this means
		[root]
		basicConstraints = critical,CA:TRUE
		keyUsage = critical,keyCertSign,cRLSign
		subjectKeyIdentifier = hash
		[req]
		string_mask = utf8only
		utf8 = yes
		distinguished_name = dn
		[dn]
	CONF
}

old_authority() {
	cd "$WORK/old" || return 1
	old_conf >ca.conf
	mkdir -p issued
	: >index.txt
	echo 01 >crlnumber
	openssl req -new -x509 -utf8 -config ca.conf -extensions root -newkey rsa:2048 -nodes -keyout zjca-oca2.key -out zjca-oca2.pem -days 7300 \
		-set_serial 0x0100000000000001 -subj "/C=CN/O=ZJCA/CN=ZJCA OCA2" 2>/dev/null
	old_crl
}

old_crl() { openssl ca -config "$WORK/old/ca.conf" -gencrl -out "$WORK/old/zjca-oca2.crl" 2>/dev/null; }
old_revoke() { openssl ca -config "$WORK/old/ca.conf" -revoke "$WORK/old/$1.pem" 2>/dev/null; }

stamp() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
shanghai() { TZ=CST-8 date -d "$1" '+%Y-%m-%d %H:%M:%S'; }

# old_cert STEM SERIAL NAME IDENTIFIER [rsa|p256] [ENDS]: three years long; STEM.pem and STEM.key. OLD_EXTENSIONS: the section, ee when unset.
old_cert() {
	local stem=$1 serial=$2 name=$3 identifier=$4 algorithm=${5:-p256} ends=${6:-60 days} key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	[ "$algorithm" = p256 ] || key=(-newkey rsa:2048)
	cd "$WORK/old" || return 1
	openssl req -new -utf8 -config ca.conf "${key[@]}" -nodes -keyout "$stem.key" -out "$stem.csr" \
		-subj "/C=CN/O=$name/CN=$name/organizationIdentifier=$identifier" 2>/dev/null
	echo "$serial" >serial
	openssl ca -batch -notext -config ca.conf -extensions "${OLD_EXTENSIONS:-ee}" -preserveDN -in "$stem.csr" -out "$stem.pem" \
		-startdate "$(stamp "$ends -3 years")" -enddate "$(stamp "$ends")" 2>/dev/null
}

csv_begin() {
	echo account_identifier,organisation,agent,mobile,project,service_id,service,service_begins,service_ends,certificate_name,serial,issuer,pem_file >"$WORK/old/accounts.csv"
}

# csv_row ACCOUNT ORGANISATION SERVICE ENDS NAME SERIAL STEM: a service of one year, to ENDS.
csv_row() {
	echo "$1,$2,张三,1300000000,jinhua,$3,机构证书,$(shanghai "$4 -1 year"),$(shanghai "$4"),$5,$6,ZJCA OCA2,$7.pem" >>"$WORK/old/accounts.csv"
}

# import OPTIONS…
import() { hufu import --officer "$(key_of alice)" --officer "$(key_of bob)" --crl "$WORK/old/zjca-oca2.crl" "$@" "$WORK/old/accounts.csv"; }

# --- people

# sms_code MOBILE: waits for the newest code to a number, prints it, and takes its messages out of the spool, as a gateway would.
sms_code() {
	local file until=$((SECONDS + 90))
	while [ $SECONDS -lt $until ]; do
		for file in "$DIR"/var/lib/hufu-ra/spool/*.json; do
			if [ -e "$file" ] && [ "$(field to <"$file")" = "$1" ] && [ "$(field template <"$file")" = code ]; then
				field en <"$file" | grep -o '[0-9]\{6\}' | head -n1
				rm "$file"
				return 0
			fi
		done
		breath
	done
	echo "no message to $1" >&2
	return 1
}

# mobile_of NAME: a number of one's own.
mobile_of() { printf '139%08d\n' $((16#$(md5sum <<<"$1" | cut -c1-7) % 100000000)); }

# at_home NAME IDENTIFIER: an officer has seen the papers; a number is bound and a password set; logged in by the number.
at_home() {
	local code mobile
	mobile=$(mobile_of "$1")
	as "$1" hufu login --password-fd 4 "$2" 4<<<88888888 || [ $? = 5 ]
	code=$(as officer hufu --json account grant --reason "papers seen" "$2" | field code)
	as "$1" hufu account prove --officer-code-fd 4 4<<<"$code"
	as "$1" hufu account sms --for bind --mobile "$mobile"
	code=$(sms_code "$mobile")
	as "$1" hufu password --mobile "$mobile" --sms-code-fd 5 --password-fd 4 4<<<"the password of $1" 5<<<"$code"
	as "$1" hufu login --password-fd 4 "$mobile" 4<<<"the password of $1"
}

# paid_order NAME SERVICE: an order, paid and confirmed; prints its id.
paid_order() {
	local order
	order=$(as "$1" hufu --json order renew "$2" | field order)
	as "$1" hufu order pay "$order" >/dev/null
	as officer hufu order confirm --bank-reference "BANK-$order" "$order" >/dev/null
	echo "$order"
}

prepare() { # NAME OPTIONS… [SERIAL]
	as "$1" hufu request prepare --project jinhua "${@:2}"
}

# prepared NAME OPTIONS… [SERIAL]: a request is drafted; prints its id.
prepared() {
	prepare "$1" --json "${@:2}" | field request
}

# proved NAME KEY REQUEST: signed with the current key and handed in.
proved() {
	as "$1" hufu request prove --key "$2" --yes "$3" && as "$1" hufu request submit "$3"
}

approved() {
	as officer hufu officer approve --yes --key "$(key_of "$1")" "$2"
}

# issued_to NAME REQUEST STEM: waits for the end; STEM.pem and STEM.note; prints the serial.
issued_to() {
	as "$1" hufu --json request show --wait 30 "$2" >"$WORK/answer.json" || { cat "$WORK/answer.json"; return 1; }
	field certificate <"$WORK/answer.json" >"$WORK/$3.pem"
	field note <"$WORK/answer.json" >"$WORK/$3.note"
	field certificate_serial <"$WORK/answer.json"
}

# material NAME: a PDF of one page; prints its path.
material() {
	printf '%%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%% %s\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n' \
		"$1" $((43 + ${#1})) >"$WORK/$1.pdf"
	echo "$WORK/$1.pdf"
}

# The five of a change of name or code, as options.
five_materials() {
	local m
	for m in registration-form agent-id-card business-licence change-proof risk-notice; do
		echo "--material=$m=$(material "$m")"
	done
}

# csr STEM ALGORITHM: a new key and its request, by openssl.
csr() {
	local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	case $2 in
	p256) ;;
	rsa) key=(-newkey rsa:2048) ;;
	*) key=("${@:2}") ;;
	esac
	openssl req -new -utf8 "${key[@]}" -nodes -keyout "$WORK/$1.key" -out "$WORK/$1.csr" -subj "/CN=whatever the applicant writes" 2>/dev/null
}

# --- certificates, in foreign eyes

# The ten characters of a key, by foreign tools: the first 50 bits of its SHA-256 in base32.
characters() { openssl pkey -in "$1" -pubout -outform DER | openssl dgst -sha256 -binary | base32 | cut -c 1-10; }

verified() { openssl verify -x509_strict -CAfile "$DIR/etc/hufu/root.crt" -untrusted "$DIR/etc/hufu/issuing.crt" "$@"; }
verified_crl() { verified -crl_check -CRLfile "$WORK/crl.pem" "$@"; }
subject() { openssl x509 -in "$1" -noout -subject -nameopt utf8,sep_comma_plus,-esc_msb; }
public_key() { openssl x509 -in "$1" -noout -pubkey; }
seconds() { date -u -d "$1" +%s; }
ends() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%s; }
# ends_later STEM "1 year": when it ends, and that much more.
ends_later() { seconds "$(date -u -d "@$(ends "$1")" '+%F %T UTC') +$2"; }
reason_on_crl() { openssl crl -in "$WORK/crl.pem" -noout -text | grep -A4 "Serial Number: $1" | grep -A1 'Reason' | tail -n1 | tr -d ' '; }

# --- the signer's wire, as one who holds the RA's Unix user

as_ra() { setpriv --reuid hufu-ra --regid hufu-ra --init-groups env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
# to_signer NOTE [CSR]: hands a tally to the signer past the desk; prints "done …" or "fault KIND RULE TEXT".
to_signer() { as_ra python3 "$WORK/wire.py" "$DIR/run/hufu/ca/ra.sock" tally "$@"; }
