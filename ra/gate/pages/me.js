// 我的信息: what is on record, notices, password, agent, sessions.
import { h, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { refresh, state } from "./app.js";
import { badge, button, card, codeButton, facts, form, mono, table, toast } from "./ui.js";
import { passwordFields, sixDigits, tick } from "./reset.js";
import { minute, whoWord } from "./format.js";

const t = texts({
	record: ["登记信息", "On record"],
	organisation: ["单位名称", "Organisation"],
	identifier: ["机构代码", "Identifier"],
	agent: ["经办人", "Agent"],
	representative: ["法定代表人", "Legal representative"],
	login_mobile: ["登录手机号", "Mobile that logs in"],
	notices: ["通知", "Notices"],
	mail: ["电子邮箱", "E-mail"],
	language: ["通知语言", "Language of notices"],
	save: ["保存", "Save"],
	saved: ["已保存", "Saved"],
	password: ["修改密码", "Change the password"],
	present: ["当前密码", "Present password"],
	changed: ["密码已修改，其他登录已退出", "Changed; all other sessions have ended"],
	agent_title: ["更换经办人", "Another agent"],
	agent_text: ["需要原手机号和新手机号各收一个验证码，并由新经办人设置新密码；原手机号不可用时，请联系服务台。", "A code goes to the present number and to the new one, and the new agent sets a password. If the present number is gone, ask the desk."],
	new_agent: ["新经办人", "New agent"],
	new_mobile: ["新手机号", "New mobile"],
	old_code: ["原手机号验证码", "Code to the present number"],
	new_code: ["新手机号验证码", "Code to the new number"],
	send: ["获取验证码", "Send a code"],
	done: ["已更换", "Done"],
	sessions: ["登录记录", "Sessions"],
	used: ["最近使用", "Last used"],
	address: ["地址", "From"],
	this: ["本次登录", "this one"],
	end: ["结束", "End it"],
	end_all: ["全部退出", "End all"],
	ended: ["已结束", "Ended"],
	tokens: ["我的 USB Key", "My USB keys"],
	token: ["序列号", "Serial number"],
	certificate: ["证书", "Certificate"],
	state: ["状态", "State"],
});
export const title = ["我的信息", "My data"];

function noticesForm(me) {
	return form({
		name: "contact", submit: t("save"),
		fields: [{ name: "mail", label: t("mail"), type: "email", value: me.mail, max: 254, autocomplete: "email", tick: tick("mail") }, { name: "language", label: t("language"), type: "select", value: me.language || "zh", options: [["zh", "中文"], ["en", "English"]] }],
		call: async (v, id) => {
			await change("account.contact", v, id);
			await refresh();
			toast(t("saved"));
		},
	});
}

function passwordForm() {
	const node = form({
		name: "password", submit: t("save"), keep: false,
		fields: [{ name: "password", label: t("present"), type: "password", secret: true, required: true, autocomplete: "current-password", max: 128 }, ...passwordFields()],
		call: async (v, id) => {
			await change("account.password", v, id);
			for (const key of ["password", "new_password", "new_password_again"]) node.set(key, "");
			toast(t("changed"));
		},
	});
	return node;
}

function agentForm(again) {
	const send = (purpose) => codeButton(t("send"), () => change("account.sms", { purpose, mobile: purpose === "new" ? node.values().mobile : undefined }), (e) => node.fail(e));
	const node = form({
		name: "agent", submit: t("save"),
		fields: [
			{ name: "agent", label: t("new_agent"), required: true, tick: tick("agent"), max: 200 },
			{ name: "old_code", label: t("old_code"), secret: true, required: true, inputmode: "numeric", check: sixDigits, max: 10, after: send("old") },
			{ name: "mobile", label: t("new_mobile"), required: true, inputmode: "numeric", tick: tick("mobile"), max: 20 },
			{ name: "new_code", label: t("new_code"), secret: true, required: true, inputmode: "numeric", check: sixDigits, max: 10, after: send("new") },
			...passwordFields(),
		],
		call: async (v, id) => {
			await change("account.agent", { ...v, way: "sms" }, id);
			toast(t("done"));
			await again();
		},
	});
	return node;
}

export async function render({ go }) {
	const box = h("div.two", {});
	const draw = async () => {
		await refresh();
		const me = state.account;
		const { sessions } = await rpc("account.sessions");
		const { tokens } = await rpc("token.mine");
		const end = (s) => async () => {
			await change("account.end", { id: s.id });
			toast(t("ended"));
			await draw();
		};
		replace(box,
			h("div", {},
				card(t("record"), facts([[t("organisation"), me.organisation], [t("identifier"), mono(me.identifier)], [t("agent"), me.agent], [t("representative"), me.legal_representative], [t("login_mobile"), me.login_mobile]])),
				card(t("tokens"), table(t("tokens"), [{ label: t("token"), cell: (k) => mono(k.token) }, { label: t("certificate"), cell: (k) => (k.certificate ? mono(k.certificate) : "–") }, { label: t("state"), cell: (k) => badge(k.state) }], tokens)),
				card(t("sessions"), table(t("sessions"), [{ label: t("used"), cell: (s) => minute(s.used) }, { label: t("address"), cell: (s) => whoWord(s.address || "–") }, { label: t("end"), cell: (s) => (s.this ? t("this") : button(t("end"), end(s), { tone: "small" })) }], sessions), h("div.row", {}, button(t("end_all"), async () => { await change("account.end"); await refresh(); go("login"); }, { tone: "danger" })))),
			h("div", {}, card(t("notices"), noticesForm(me)), card(t("password"), passwordForm()), card(t("agent_title"), h("p", {}, t("agent_text")), agentForm(draw))));
	};
	await draw();
	return box;
}
