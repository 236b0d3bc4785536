# `hufu agent` for stories, with a program that answers in a person's place. Loaded behind live.bash; needs $WORK, and $module of usb keys.

# The person: keeps what is asked, does what a test has laid ready for it, and answers.
make_person() {
	cat >"$WORK/person" <<-'SH'
		#!/bin/bash
		cat >"$WORK/asked.$1"
		echo "$*" >>"$WORK/words"
		[ ! -e "$WORK/then.$1" ] || . "$WORK/then.$1"
		[ ! -e "$WORK/answer.$1" ] || exec cat "$WORK/answer.$1"
	SH
	chmod +x "$WORK/person"
}
# answers WORD LINE…: of the person, from now on.
answers() { printf '%s\n' "${@:2}" >"$WORK/answer.$1"; }
asked() { cat "$WORK/asked.$1"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# agent_up NAME OPTIONS…: with that person's home, at the port of $WORK/port, or one of its own, which is kept there. HUFU_AGENT: of another
# build.
agent_up() {
	local line
	agent_down
	[ -e "$WORK/port" ] || free_port >"$WORK/port"
	mkfifo "$WORK/agent.fifo"
	XDG_STATE_HOME=$WORK/people/$1 "${HUFU_AGENT:-$hufu}" agent --port "$(cat "$WORK/port")" --module "${front:-$module}" --prompt "$WORK/person" "${@:2}" \
		</dev/null >/dev/null 2>"$WORK/agent.fifo" 3>&- &
	echo $! >"$WORK/agent.pid"
	read -r line <"$WORK/agent.fifo"
	rm "$WORK/agent.fifo"
	[[ "$line" == "hufu agent: 127.0.0.1:$(cat "$WORK/port")"* ]] || { echo "$line"; return 1; }
}
agent_down() {
	[ -e "$WORK/agent.pid" ] || return 0
	kill "$(cat "$WORK/agent.pid")" 2>/dev/null || : # it may have ended by itself
	until_gone "$(cat "$WORK/agent.pid")"
	rm "$WORK/agent.pid"
}
