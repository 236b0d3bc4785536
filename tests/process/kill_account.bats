#!/usr/bin/env bats
# kill -9 while people log in for the first time, set passwords, register, choose and leave.

load kill

setup_file() {
	kill_begin
	organisation first 74C2008800000F02 杭州首登示例有限公司 91330100MAHUFU0254 20602
	organisation second 74C2008800000F03 杭州再登示例有限公司 91330100MAHUFU033Y 20603
	organisation agent 74C2008800000F01 杭州断电示例有限公司 91330100MAHUFU0179 20601
	AT_HOME="agent 91330100MAHUFU0179" kill_up
}

teardown_file() { kill_end; }

names=([0]=first [1]=second)
codes=([0]=91330100MAHUFU0254 [1]=91330100MAHUFU033Y)

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

@test "first log-in: a code, the proof, a password; another password, another agent, the freeze" {
	local mobile after round name n=0 grant
	for round in commit answer; do
		local -n points=$round
		name=${names[n]} mobile=1380000000$n after=1380000010$n
		as "$name" hufu login --password-fd 4 "${codes[n]}" 4<<<88888888 || [ $? = 5 ]
		grant=$(as officer hufu --json account grant --reason "papers seen" "${codes[n]}" | field code)
		once 2 first_login_proof "$name" account.prove "{\"way\": \"officer\", \"code\": \"$grant\"}" "${points[@]}"
		once 1 sms_code "$name" account.sms "{\"purpose\": \"bind\", \"mobile\": \"$mobile\"}" "${points[@]}"
		once 2 password_reset "$name" account.reset \
			"{\"mobile\": \"$mobile\", \"sms_code\": \"$(sms_code $mobile)\", \"new_password\": \"the password of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $mobile 4<<<"the password of $name"
		once 1 password_change "$name" account.password \
			"{\"password\": \"the password of $name\", \"new_password\": \"another of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $mobile 4<<<"another of $name"
		old=$(code $mobile old "$name") new=$(code $after new "$name")
		once 3 agent_change "$name" account.agent "{\"agent\": \"赵六\", \"mobile\": \"$after\", \"way\": \"sms\", \"new_code\": \"$new\", \
			\"old_code\": \"$old\", \"new_password\": \"a third of $name\"}" "${points[@]}"
		did as "$name" hufu login --password-fd 4 $after 4<<<"a third of $name"
		once 1 account_freeze - account.freeze "{\"code\": \"$(notice_code $mobile)\"}" "${points[@]}"
		refused session_unknown as "$name" hufu account
		n=$((n + 1))
	done
	same "$(rows "SELECT count(*) FROM bindings WHERE mobile LIKE '1380000%'")" 4
	same "$(rows "SELECT count(*) FROM account_cases WHERE kind = 'frozen'")" 2
}

@test "register: one account, however often it is asked; a forgotten password" {
	local mobile round n=0 new=([0]=913301003535355023 [1]=91330100MAHUFU041R)
	for round in commit answer; do
		local -n points=$round
		mobile=1380000020$n
		once 2 register - account.register "{\"identifier\": \"${new[n]}\", \"organisation\": \"杭州新到示例有限公司\", \"agent\": \"李四\", \
			\"mobile\": \"$mobile\", \"sms_code\": \"$(code $mobile register)\", \"new_password\": \"the password of new\"}" "${points[@]}"
		same "$(rows "SELECT count(*) FROM accounts WHERE identifier = '${new[n]}'")" 1
		once 2 password_forgot - account.forgot \
			"{\"mobile\": \"$mobile\", \"sms_code\": \"$(code $mobile forgot)\", \"new_password\": \"remembered again\"}" "${points[@]}"
		did as "new$n" hufu login --password-fd 4 $mobile 4<<<"remembered again"
		n=$((n + 1))
	done
}

@test "a linked account is made and chosen; sessions end" {
	local mobile round n=0 new=([0]=91330100MAHUFU05XH [1]=91330100MAHUFU068H)
	mobile=$(mobile_of agent)
	for round in commit answer; do
		local -n points=$round
		once 2 link agent account.link "{\"identifier\": \"${new[n]}\", \"organisation\": \"杭州兼办示例有限公司\", \
			\"sms_code\": \"$(code "$mobile" register)\"}" "${points[@]}"
		same "$(rows "SELECT count(*) FROM accounts WHERE identifier = '${new[n]}'")" 1
		as agent hufu login --password-fd 4 "$mobile" 4<<<"the password of agent" || [ $? = 5 ]
		once 1 organisation_chosen agent account.choose "{\"identifier\": \"${new[n]}\"}" "${points[@]}"
		once 1 session_end agent account.end '{}' "${points[@]}"
		refused session_unknown as agent hufu account
		did as agent hufu login --password-fd 4 91330100MAHUFU0179 4<<<"the password of agent"
		once 1 logout agent account.logout '{}' "${points[@]}"
		refused session_unknown as agent hufu account
		did as agent hufu login --password-fd 4 91330100MAHUFU0179 4<<<"the password of agent"
		n=$((n + 1))
	done
}
