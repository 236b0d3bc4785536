// The first log-in, 补录并重置: what the project wants besides the published password, then a number, its code, and a password of one's own.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change, callId } from "./rpc.js";
import { refresh, state } from "./app.js";
import { agentPanel } from "./agent-panel.js";
import { card, codeButton, facts, form, note, toast, errorNote } from "./ui.js";

const t = texts({
	why: ["您使用的是公开的初始密码。请先补录登录手机号并设置自己的密码，之后才能办理业务。", "You are logged in with the published initial password. Give a mobile number and set a password of your own; nothing else is possible before."],
	record: ["登记信息（只读）", "On record (read only)"],
	organisation: ["单位名称", "Organisation"],
	identifier: ["机构代码", "Identifier"],
	agent: ["经办人", "Agent"],
	mobile_on_record: ["登记手机号", "Mobile on record"],
	prove: ["第一步：证明您的身份", "First: show who you are"],
	set: ["补录并重置", "Back-fill and reset"],
	code: ["审核员提供的一次性代码", "One-time code that an officer gave"],
	by_officer: ["或由审核员当面核实", "Or by an officer who has seen your papers"],
	by_sms: ["或用登记手机号", "Or by the mobile on record"],
	code_hint: ["请持材料联系服务台，由审核员发放代码。", "Bring the papers to the service desk: an officer gives you a code."],
	sms: ["登记手机号收到的验证码", "Code sent to the mobile on record"],
	send: ["获取验证码", "Send a code"],
	sent: ["验证码已发送到 {mobile}，10 分钟内有效", "A code went to {mobile}; it is good for 10 minutes"],
	early: ["请稍候再获取", "Wait before asking again"],
	confirm: ["确认", "Confirm"],
	proved: ["身份已确认", "Confirmed"],
	key: ["用 USB Key 或证书密钥签名", "Sign with the USB key, or the certificate's key"],
	key_text: ["请签署下面的文本。方法一：用客户端签名；方法二：在有密钥的电脑上运行命令，把得到的签名行粘贴到下面。", "Sign the text below: with the agent, or by the command on the computer that has the key; paste the signature line."],
	line: ["签名行", "Signature line"],
	mobile: ["账号（手机号）", "Account (mobile number)"],
	mobile_hint: ["今后用它登录并接收通知", "It logs in from now on, and receives notices"],
	sms_code: ["短信验证码", "SMS code"],
	six: ["短信验证码为六位数字", "a code is six digits"],
	password: ["新密码", "New password"],
	password_hint: ["至少 8 位", "8 characters or more"],
	again: ["再次输入新密码", "The new password again"],
	submit: ["保存", "Save"],
	saved: ["已保存。今后请用手机号和新密码登录。", "Saved. From now on log in by the number and the new password."],
	malformed: ["格式不正确，仅存档，不会向其发送", "malformed; kept, never sent to"],
});
export const title = ["补录并重置", "Back-fill and reset"];

// The desk's word on the form of one field, as it is typed: null when it says nothing.
export const tick = (field) => async (value, all) => {
	const r = await rpc("account.check", { field, value, other: field === "new_password_again" ? all.new_password : undefined });
	return r.ok ? "" : say(r);
};

// A code of a message: six digits.
export const sixDigits = (v) => (/^\d{6}$/.test(v) ? "" : t("six"));

// A number, its code and the button that sends it.
export function codeFields({ purpose, onError, picture }) {
	const send = async (node) => {
		const r = await change("account.sms", { purpose, mobile: node.values().mobile, ...(picture ? picture() : {}) });
		toast(r.sent === false ? t("early") : t("sent", { mobile: r.mobile || node.values().mobile }));
		return r;
	};
	let formNode = null;
	const b = codeButton(t("send"), () => send(formNode), (e) => onError(formNode, e));
	return {
		bind: (node) => (formNode = node),
		fields: [
			{ name: "mobile", label: t("mobile"), hint: purpose === "forgot" ? "" : t("mobile_hint"), required: true, inputmode: "numeric", autocomplete: "tel", tick: tick("mobile"), max: 20, after: b },
			{ name: "sms_code", label: t("sms_code"), required: true, secret: true, inputmode: "numeric", autocomplete: "one-time-code", tick: tick("sms_code"), check: sixDigits, max: 10 },
		],
	};
}

export const passwordFields = () => [
	{ name: "new_password", label: t("password"), hint: t("password_hint"), type: "password", secret: true, required: true, autocomplete: "new-password", tick: tick("new_password"), max: 128 },
	{ name: "new_password_again", label: t("again"), type: "password", secret: true, required: true, autocomplete: "new-password", tick: tick("new_password_again"), max: 128 },
];

function resetForm(go) {
	const code = codeFields({ purpose: "bind", onError: (node, e) => node.fail(e) });
	const node = form({
		name: "reset", submit: t("submit"), fields: [...code.fields, ...passwordFields()],
		call: async (v, id) => {
			await change("account.reset", v, id);
			await refresh();
			toast(t("saved"));
			go(state.account ? "services" : "login");
		},
	});
	code.bind(node);
	return node;
}

function proofForms(proof, done) {
	const prove = async (way, more, id) => {
		await change("account.prove", { way, ...more }, id);
		toast(t("proved"));
		await done();
	};
	const parts = [];
	if (proof.ways.includes("key")) {
		parts.push(h("h3", {}, t("key")), h("p", {}, t("key_text")), h("pre", {}, proof.text), h("pre", {}, "hufu account prove --key FILE"), agentPanel("prove", { text: proof.text, certificates: proof.certificates, onLine: (line) => prove("key", { line }, callId()) }),
			form({ name: "prove-key", submit: t("confirm"), tone: "plain", fields: [{ name: "line", label: t("line"), type: "lines", lines: 3, required: true, max: 1200 }], place: () => "line", call: (v, id) => prove("key", v, id) }));
	}
	if (proof.ways.includes("sms")) {
		const send = codeButton(t("send"), () => change("account.sms", { purpose: "recorded" }), (e) => toast(e.say(), "bad"));
		parts.push(h("h3", {}, t("by_sms")), form({ name: "prove-sms", submit: t("confirm"), tone: "plain", fields: [{ name: "code", label: t("sms"), secret: true, required: true, inputmode: "numeric", after: send, check: sixDigits, max: 10 }], call: (v, id) => prove("sms", v, id) }));
	}
	if (proof.ways.includes("officer"))
		parts.push(h("h3", {}, t("by_officer")), form({ name: "prove-officer", submit: t("confirm"), tone: "plain", fields: [{ name: "code", label: t("code"), hint: t("code_hint"), secret: true, required: true, max: 40 }], call: (v, id) => prove("officer", v, id) }));
	return parts;
}

export async function render({ go }) {
	const a = state.account;
	if (!a || !a.must_reset) {
		go("");
		return null;
	}
	const box = h("div", {});
	const draw = async () => {
		await refresh();
		const proof = await rpc("account.proof");
		const me = state.account;
		replace(box,
			note("busy", t("why")),
			card(t("record"), facts([[t("organisation"), me.organisation], [t("identifier"), me.identifier], [t("agent"), me.agent], [t("mobile_on_record"), [me.mobile, (me.flags || []).includes("mobile_form") ? h("small", {}, ` ${t("malformed")}`) : null]]])),
			proof.enough ? card(t("set"), resetForm(go)) : card(t("prove"), proofForms(proof, draw)));
	};
	try {
		await draw();
	} catch (e) {
		replace(box, errorNote(e));
		throw e;
	}
	return h("div.readable", {}, box);
}
