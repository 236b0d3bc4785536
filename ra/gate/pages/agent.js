// The person's own agent (hufu agent), which has the USB key: asked over this machine's loopback, in JSON-RPC. It shows what is asked for in its own window, and asks there for
// the PIN; nothing of that passes through a page. agent-panel.js says which panels there are.
import { h, newId, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { change, rpc, RpcError } from "./rpc.js";
import { button, errorNote, facts, form, mono, note, toast } from "./ui.js";
import { day } from "./format.js";

const t = texts({
	title: ["使用本机的 USB Key", "Use the USB key on this computer"],
	begin: ["连接 USB Key 客户端", "Reach the agent of the USB key"],
	missing: ["没有找到 USB Key 客户端。请在插有 USB Key 的电脑上启动它，再重试；没有的话，请向服务台索取，或用下面的其他方法。", "No agent was found. Start it on the computer that has the USB key, and try again; whoever has none asks the desk, or takes one of the other ways below."],
	again: ["重试", "Try again"],
	pair: ["此网页还没有与客户端配对。点击后，客户端窗口会显示配对码。", "This page is not paired with the agent yet. Press, and the agent shows a code in its own window."],
	pair_show: ["显示配对码", "Show the code"],
	code: ["客户端显示的配对码", "The code that the agent shows"],
	pair_do: ["配对", "Pair"],
	paired: ["已配对", "Paired"],
	forget: ["解除配对", "Unpair this page"],
	none: ["未插入 USB Key。", "No USB key is plugged in."],
	refresh: ["重新读取", "Look again"],
	token: ["USB Key", "USB key"],
	serial: ["序列号", "Serial number"],
	on_it: ["其中的证书", "Certificates on it"],
	nothing: ["无", "none"],
	until: ["至", "until"],
	locked: ["PIN 已锁定，请申请解锁", "the PIN is locked: ask for an unlock"],
	one_try: ["PIN 只剩最后一次机会", "one try is left for the PIN"],
	low: ["曾输错 PIN", "a wrong PIN was entered before"],
	start: ["仍是初始 PIN，请先修改", "it has its start PIN still: change that first"],
	mismatch: ["插入的 USB Key 中没有这张证书（{wanted}）。以插入的 USB Key 为准；请确认是否插对。", "The USB key that is plugged in does not hold this certificate ({wanted}). The one that is plugged in counts: make sure that it is the one you mean."],
	mismatch_token: ["插入的是 USB Key {found}，而办理的是 {wanted}。请插入后者。", "USB key {found} is plugged in, but this is about {wanted}: plug that one in."],
	wait: ["请到客户端窗口核对并回答。", "Look at the agent's own window, and answer there."],
	sign: ["用此 USB Key 签名", "Sign with this USB key"],
	csr: ["在此 USB Key 上生成新密钥", "Make the new key on this USB key"],
	algorithm: ["密钥算法", "Kind of key"],
	made: ["新密钥已生成；十位字符显示在客户端窗口。", "The new key is made; the agent's own window shows its ten characters."],
	install: ["安装到此 USB Key", "Install on this USB key"],
	installed: ["证书 {serial} 已安装，密钥签名正常。", "Certificate {serial} is installed, and its key signs."],
	installed_rsa: ["证书 {serial} 已安装，密钥签名、解密正常。", "Certificate {serial} is installed, and its key signs and deciphers."],
	test: ["测试签名与解密", "Try signing and deciphering"],
	tested: ["密钥工作正常：{keys}", "The keys work: {keys}"],
	signs: ["签名", "signs"],
	deciphers: ["签名、解密", "signs, deciphers"],
	pin: ["修改 PIN", "Change the PIN"],
	pin_done: ["PIN 已修改", "The PIN is changed"],
	unlock: ["申请解锁此 USB Key", "Ask to have this USB key unlocked"],
	unlock_asked: ["解锁申请 {number} 已受理。核对码显示在客户端窗口：审核员会打电话询问，勿告知主动来电者。审核员同意后，点击下面的按钮。", "Unlock {number} is with the officers. The agent's window shows a code: an officer will ask for it; say it to nobody who calls you. When the officer has agreed, press the button below."],
	unlock_set: ["设置新 PIN", "Set a new PIN"],
	unlock_done: ["新 PIN 已设置，旧 PIN 失效；密钥不变且工作正常。", "The new PIN is set, and the old one is refused from now on; the keys are the same and work."],
	unlock_broken: ["新 PIN 已设置，但有密钥不能工作，请联系服务台。", "The new PIN is set, but a key does not work: ask the desk."],
	unlock_off: ["此客户端未配置解锁所需的公钥。", "This agent was started without the key that an unlock wants (--token-key)."],
	approve: ["在客户端中核对并批准", "Check and approve in the agent"],
	approved: ["已批准", "Approved"],
	no_officer: ["此客户端未配置审核员密钥（--officer）。", "This agent was started without an officer's key (--officer)."],
	with_token: ["新密钥在此 USB Key 上", "The new key is on this USB key"],
	agree: ["在客户端中键入核对码并同意解锁", "Type the code in the agent and agree"],
	agreed: ["已同意解锁", "The unlock is agreed to"],
	no_escrow: ["此客户端未配置打开 PUK 的密钥（--escrow）。", "This agent was started without the desk's token key (--escrow)."],
	make: ["在此 USB Key 上制作密钥", "Make the key on this USB key"],
	key_made: ["密钥已制作", "The key is made"],
});

const KEY = "hufu-agent";
let last = 0;
let place = null; // {agent, hello}

const paired = () => localStorage.getItem(KEY);
const away = (e) => e instanceof RpcError && e.reason === "agent_missing";

async function address() {
	if (!place) place = (await (await fetch("/agent.json")).json()).agent;
	return place;
}

// One call. A page is known by its pairing; errors are like the desk's.
export async function call(method, params = {}) {
	const known = Object.fromEntries(Object.entries(params).filter(([, v]) => v !== undefined && v !== null && v !== ""));
	if (!/^(agent|pair)\./.test(method)) known.session = paired() || "none";
	let reply;
	try {
		const answer = await fetch(await address(), { method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: ++last, method, params: known }) });
		reply = await answer.json();
	} catch {
		throw new RpcError({ message: "no agent", data: { reason: "agent_missing", zh: "没有找到 USB Key 客户端，或它已退出", en: "the agent is not there, or has ended" } });
	}
	if (reply.error) throw new RpcError(reply.error);
	return reply.result;
}

export const hello = () => call("agent.hello");
export const tokens = async () => (await call("token.list")).tokens;
export const sign = (params) => call("token.sign", params);
// An officer's yes: the page names the request, the agent does the rest. expect: where the new key is on a token here.
export const approve = (request, expect) => call("officer.approve", { request, expect });

// --- reaching it

function missingNote(again) {
	const command = `hufu agent --origin ${location.origin}`;
	return [note("warn", h("p", {}, t("missing"))), h("pre", {}, command), h("div.row", {}, button(t("again"), again, { tone: "plain" }))];
}

function pairForm(ready) {
	const box = h("div", {}, note("busy", t("pair")));
	const fail = (e) => replace(box, errorNote(e), h("div.row", {}, show));
	const show = button(t("pair_show"), async () => {
		await call("pair.begin");
		replace(box, form({
			submit: t("pair_do"), fields: [{ name: "code", label: t("code"), required: true, inputmode: "numeric", max: 6, secret: true }],
			call: async (v) => {
				const { session } = await call("pair.finish", v);
				localStorage.setItem(KEY, session);
				toast(t("paired"));
				await ready();
			},
		}));
		box.querySelector("input").focus();
	}, { tone: "primary", onError: fail });
	box.append(h("div.row", {}, show));
	return box;
}

// Draws what the agent's state asks for: how to get it, the pairing, or what work() gives.
function reach(work) {
	const box = h("div", { "aria-live": "polite" });
	// done: {token, said}, what was just done at a token, to be said in its new row.
	const draw = async (done) => {
		try {
			const about = await hello();
			replace(box, await work(about, draw, done));
		} catch (e) {
			if (away(e)) replace(box, missingNote(draw));
			else if (e instanceof RpcError && e.reason === "agent_unpaired") replace(box, pairForm(draw));
			else replace(box, errorNote(e), h("div.row", {}, button(t("again"), () => draw(), { tone: "plain" })));
		}
	};
	if (paired()) draw();
	else replace(box, h("div.row", {}, button(t("begin"), () => draw(), { tone: "primary" })));
	return h("div.agent-work", {}, h("h3", {}, t("title")), box);
}

// --- tokens

const warning = (k) => (k.pin === "locked" || k.pin === "one_try" || k.pin === "low" ? t(k.pin) : k.start_pin ? t("start") : null);

function described(k, own = true) {
	const certificates = k.certificates.map((c) => h("div", {}, mono(c.serial), h("br"), `${c.name} ${t("until")} ${day(c.not_after)}`));
	return [facts([[t("token"), k.label], [t("serial"), mono(k.token)], [t("on_it"), certificates.length ? certificates : t("nothing")]]), own && warning(k) ? note("warn", warning(k)) : null];
}

// While the agent's window is open the page says so; what went wrong stays on the page, and the next try is whole. Where the token is another after it (what stands on it, its PIN),
// its row is drawn anew: changed(said).
function act(text, tone, said, work, changed) {
	return button(text, async () => {
		replace(said, note("busy", t("wait")));
		try {
			const done = await work();
			if (changed) await changed(done);
			else replace(said, done);
		} catch (e) {
			if (changed && ["pin_wrong", "pin_locked"].includes(e.reason)) await changed(errorNote(e));
			else replace(said, errorNote(e));
		}
	}, { tone });
}

function extras(k, said, changed) {
	const test = async () => note("ok", t("tested", { keys: (await call("token.test", { expect: k.token })).keys.map((x) => `${x.key.slice(0, 8)}… ${x.deciphers ? t("deciphers") : t("signs")}`).join("; ") }));
	const pin = async () => {
		await call("token.pin", { expect: k.token });
		return note("ok", t("pin_done"));
	};
	return [act(t("test"), "small", said, test), act(t("pin"), "small", said, pin, changed)];
}

// A row for each key that is plugged in: what it is, what does not fit, and what can be done with it.
// redraws: the work leaves another token behind. desk: it is one of the desk's, whose PIN is the start PIN and whose keys are nobody's yet.
async function rows({ wanted, wantedToken, text, work, redraws, desk }, draw, done) {
	const found = await tokens();
	const again = h("div.row", {}, button(t("refresh"), () => draw(), { tone: "plain" }));
	if (found.length === 0) return [note("warn", t("none")), again];
	return [...found.map((k) => {
		const said = h("div", { "aria-live": "polite" }, done?.token === k.token ? done.said : null), changed = (now) => draw({ token: k.token, said: now });
		const fits = !wanted || k.certificates.some((c) => wanted.includes(c.serial));
		const other = wantedToken && wantedToken !== k.token;
		const wrong = other ? t("mismatch_token", { found: k.token, wanted: wantedToken }) : fits ? null : t("mismatch", { wanted: wanted.join(", ") });
		return h("div.card", {}, described(k, !desk), wrong ? note("warn", wrong) : null, h("div.row", {}, other ? null : act(text, fits ? "primary" : "plain", said, () => work(k), redraws && changed), desk ? null : extras(k, said, changed)), said);
	}), again];
}

// --- what the panels do

const panels = {
	sign: ({ text, serial, certificate, onLine }) => ({
		wanted: serial ? [serial] : null, text: t("sign"),
		work: async (k) => {
			await onLine((await sign({ text, certificate, expect: k.token })).lines);
			return null;
		},
	}),
	prove: ({ text, certificates, onLine }) => ({
		wanted: certificates.map((c) => c.serial), text: t("sign"),
		work: async (k) => {
			const own = certificates.find((c) => k.certificates.some((x) => x.serial === c.serial)) || certificates[0];
			const { identifier } = await rpc("account.show");
			const { lines } = await sign({ text, certificate: own.pem, line: own.line, identifier, expect: k.token });
			await onLine(lines[0]);
			return null;
		},
	}),
	install: ({ certificate, onDone }) => ({
		text: t("install"), redraws: true,
		work: async (k) => {
			const r = await call("token.install", { certificate, expect: k.token });
			if (onDone) await onDone(r);
			return note("ok", t(r.deciphers ? "installed_rsa" : "installed", { serial: r.certificate_serial }));
		},
	}),
};

// What kind of key is to be made: [the field, the select in it].
function algorithmChoice() {
	const id = newId("algorithm"), select = h("select", { id }, [["rsa", "RSA 2048"], ["p256", "ECDSA P-256"]].map(([v, text]) => h("option", { value: v }, text)));
	return [h("div.field", {}, h("label", { for: id }, t("algorithm")), select), select];
}

function csrPanel({ onCsr }) {
	return reach(async (about, draw) => {
		const [field, select] = algorithmChoice();
		const work = async (k) => {
			const made = await call("token.keygen", { algorithm: select.value, expect: k.token });
			onCsr(made.csr);
			return note("ok", t("made"));
		};
		return [field, await rows({ text: t("csr"), work }, draw)];
	});
}

// --- unlocking: the page carries sealed boxes between the desk and the agent, and waits for the officer

const OVER = ["puk_wrong", "puk_locked", "puk_serial", "puk_open"];
const keptUnlock = (token) => JSON.parse(localStorage.getItem(`hufu-unlock-${token}`) || "null");

async function askUnlock(k) {
	const made = await call("unlock.ask", { expect: k.token });
	const r = await change("unlock.open", { token: made.token, key: made.key });
	localStorage.setItem(`hufu-unlock-${k.token}`, JSON.stringify({ request: r.request, number: r.number, call_id: `${made.call_id}-${r.request.slice(0, 16)}` }));
}

async function setPin(k, open) {
	const report = async (result, puk, text) => {
		await change("unlock.report", { request: open.request, result, puk, text });
		await call("unlock.forget", { expect: k.token });
		localStorage.removeItem(`hufu-unlock-${k.token}`);
	};
	try {
		const { puk } = await rpc("unlock.take", { request: open.request, call_id: open.call_id });
		const next = await call("unlock.next", { puk, expect: k.token });
		await change("unlock.renew", { request: open.request, puk: next.puk });
		const set = await call("unlock.set", { expect: k.token });
		await report("done", "next");
		return set.keys_work ? note("ok", t("unlock_done")) : note("bad", t("unlock_broken"));
	} catch (e) {
		if (e instanceof RpcError && OVER.includes(e.reason)) await report("failed", "kept", e.reason);
		throw e;
	}
}

function unlockPanel({ token }) {
	return reach(async (about, draw) => {
		if (!about.unlocks) return note("warn", t("unlock_off"));
		const found = await tokens();
		const k = found.find((x) => x.token === token) || (token ? null : found[0]);
		const said = h("div", { "aria-live": "polite" });
		const again = button(t("refresh"), () => draw(), { tone: "plain" });
		if (!k) return [note("warn", found.length && token ? t("mismatch_token", { found: found[0].token, wanted: token }) : t("none")), h("div.row", {}, again)];
		const open = keptUnlock(k.token);
		if (!open) return [described(k, false), h("div.row", {}, act(t("unlock"), "primary", said, async () => { await askUnlock(k); await draw(); return null; }), again), said];
		return [described(k, false), note("busy", t("unlock_asked", { number: open.number })), h("div.row", {}, act(t("unlock_set"), "primary", said, () => setPin(k, open)), again), said];
	});
}

// --- officers

function approvePanel({ request, onDone }) {
	return reach(async (about, draw) => {
		if (!about.officer) return note("warn", t("no_officer"));
		const said = h("div", { "aria-live": "polite" });
		const yes = (expect) => async () => {
			const r = await approve(request, expect);
			toast(t("approved")); // the page is drawn anew: a note in this panel would go with it
			if (onDone) await onDone(r);
			return null;
		};
		const here = await tokens().catch((e) => { if (e.reason === "agent_unpaired" || away(e)) throw e; return []; });
		return [h("div.row", {}, act(t("approve"), "primary", said, yes()), here.map((k) => act(`${t("with_token")}: ${k.label}`, "small", said, yes(k.token))), button(t("refresh"), () => draw(), { tone: "plain" })), said];
	});
}

// What an officer's own agent does with a request, and then the page looks again.
const officers = async (method, params, words, onDone) => {
	const r = await call(method, params);
	toast(t(words));
	if (onDone) await onDone(r);
	return null;
};

function agreePanel({ request, onDone }) {
	return reach((about) => {
		if (!about.officer || !about.opens) return note("warn", t(about.officer ? "no_escrow" : "no_officer"));
		const said = h("div", { "aria-live": "polite" });
		return [h("div.row", {}, act(t("agree"), "primary", said, () => officers("officer.unlock", { request }, "agreed", onDone))), said];
	});
}

// token: the one that has the key already, which only lacks its signature.
function makePanel({ request, token, onDone }) {
	return reach(async (about, draw, done) => {
		if (!about.officer) return note("warn", t("no_officer"));
		const [field, select] = algorithmChoice();
		const work = (k) => officers("officer.make", { request, algorithm: select.value, expect: k.token }, "key_made", onDone);
		return [token ? null : field, await rows({ wantedToken: token, text: t("make"), work, desk: true }, draw, done)];
	});
}

export async function panel(work, options) {
	if (work === "agree") return agreePanel(options);
	if (work === "make") return makePanel(options);
	if (work === "csr") return csrPanel(options);
	if (work === "unlock") return unlockPanel(options);
	if (work === "approve") return approvePanel(options);
	return panels[work] ? reach((about, draw, done) => rows(panels[work](options), draw, done)) : null;
}
