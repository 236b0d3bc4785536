// One request: what it will do, its papers, the notice, the signature, and its way through the desk.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change, RpcError } from "./rpc.js";
import { agentPanel } from "./agent-panel.js";
import { badge, button, card, dialog, facts, form, link, mono, note, table, toast } from "./ui.js";
import { dropBox } from "./upload.js";
import { readDraft } from "./draft.js";
import { kindWord, minute, size, time } from "./format.js";

const t = texts({
	number: ["申请编号", "Number"],
	kind: ["业务", "Kind"],
	serial: ["证书", "Certificate"],
	state: ["状态", "State"],
	made: ["申请时间", "Made"],
	due: ["预计办结", "Due"],
	dies: ["申请有效至", "Valid until"],
	what: ["办理内容", "What it does"],
	missing: ["还缺什么", "What is missing"],
	papers: ["材料", "Papers"],
	paper: ["材料", "Paper"],
	file: ["文件", "File"],
	upload: ["上传", "Upload"],
	remove: ["删除", "Remove"],
	removed: ["已删除", "Removed"],
	notice: ["证书业务风险告知函", "Risk notice"],
	notice_text: ["请阅读、打印、盖章，扫描后与材料一同上传；再在此接受。", "Read it, print it, stamp it, and upload the scan with the papers; then accept it here."],
	print: ["打印", "Print"],
	form: ["业务登记表", "Registration form"],
	form_text: ["已按本申请填好，请打印、签字盖章后扫描上传。", "Filled in for this request: print it, sign and stamp it, and upload the scan."],
	form_print: ["查看并打印", "Look at it and print"],
	accept: ["已阅读并接受", "I have read and accept it"],
	accepted: ["已接受", "accepted"],
	sign: ["签名", "Signature"],
	sign_text: ["请核对下面的文本，用证书的密钥签名。签名的就是这段文本，本页面不能代替它。", "Check the text below and sign it with the certificate's key. What is signed is this text; a page never is."],
	command: ["方法二：在有密钥的电脑上运行命令", "Or by the command, on the computer that has the key"],
	paste: ["方法三：粘贴在别处生成的签名行（每行一个，以 — 开头）", "Or paste signature lines that were made elsewhere, one a line, each beginning with —"],
	save_text: ["下载文本", "Download the text"],
	signed: ["已签名", "Signed"],
	hand_in: ["提交", "Hand in"],
	submit: ["提交申请", "Hand the request in"],
	submit_text: ["提交后由审核员审核；不需要审核的立即签发。", "Officers review it; what needs no review is issued at once."],
	submitted: ["已提交", "Handed in"],
	withdraw: ["撤回申请", "Withdraw"],
	withdraw_sure: ["撤回后须重新申请。确认撤回？", "After that a new request is needed. Withdraw it?"],
	withdrawn: ["已撤回", "Withdrawn"],
	history: ["办理进度", "Its way"],
	certificate: ["新证书", "The new certificate"],
	certificate_text: ["证书已签发，请安装到 USB Key。", "The certificate is issued: install it on the USB key."],
	download: ["下载证书", "Download it"],
	refusal: ["签发系统未通过：{why}", "The signer refused: {why}"],
	refresh: ["刷新", "Refresh"],
	lost: ["密钥遗失：提交后原证书立即挂起。", "The key is lost: its certificate goes on hold when you hand this in."],
	keep: ["不挂起原证书（他人持有该密钥时仍可使用）", "leave it valid (whoever has the key can go on using it)"],
	correct: ["需要补正", "To be corrected"],
	correct_open: ["请按审核员的要求修改，重新签名后再提交。", "Put right what the officers ask for, sign again, and hand it in."],
	correct_start: ["开始补正", "Begin the correction"],
	edit: ["修改申请", "Edit"],
	fingerprint: ["新密钥指纹", "Characters of the new key"],
});
let shown = null;
export const title = () => (shown ? [`${kindWord(shown.kind)} ${shown.number || ""}`, `${kindWord(shown.kind)} ${shown.number || ""}`] : ["申请", "Request"]);

const OPEN = ["drafted", "awaiting_proof"];
const RUNNING = ["approved", "sent"];

function save(text, name) {
	const a = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name });
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

// A text to be read, and printed alone.
function paper(text, name) {
	const rows = text.replace(/^\| (.*?) \|\s?(.*?)\|?$/gm, "$1  $2"); // the table at its head
	const node = h("div.paper", { tabindex: "0", role: "document", "aria-label": name }, rows);
	const print = () => {
		document.body.classList.add("print-paper");
		node.classList.add("printed");
		window.print();
		document.body.classList.remove("print-paper");
		node.classList.remove("printed");
	};
	return [node, h("div.row", {}, button(t("print"), print))];
}

function materialsCard(r, way, again) {
	const wanted = way ? way.materials : [];
	const rows = wanted.flatMap((group) => group.map((m) => ({ ...m, have: r.materials.find((x) => x.name === m.name) })));
	for (const m of r.materials) if (!rows.some((x) => x.name === m.name)) rows.push({ title: m.title, name: m.name, have: m });
	if (rows.length === 0) return null;
	const edit = r.state === "drafted";
	const wrong = (m) => { const k = r.corrections.find((c) => c.item === m.name); return k && !m.have ? h("p.wrong", {}, k.reason) : null; };
	const remove = (m) => async () => {
		await change("material.remove", { request: r.number, name: m.name, sha256: m.have.sha256 });
		toast(t("removed"));
		await again();
	};
	return card(t("papers"), table(t("papers"), [
		{ label: t("paper"), cell: (m) => h("span", {}, say(m.title || m), wrong(m)) },
		{ label: t("file"), cell: (m) => (m.have ? h("span", {}, "✓ ", size(m.have.bytes), h("br"), h("small.mono", {}, m.have.sha256.slice(0, 16), "…")) : "–") },
		...(edit ? [{ label: t("upload"), cell: (m) => (m.have ? button(t("remove"), remove(m), { tone: "small" }) : dropBox({ label: say(m.title || m), name: m.name, owner: async () => ({ request: r.number }), onDone: again })) }] : []),
	], rows));
}

async function noticeCard(r, way, again) {
	if (!way || !way.notice || !["drafted", "awaiting_proof"].includes(r.state)) return null;
	const waits = (r.missing || []).some((m) => m.what === "notice");
	const text = await rpc("form.get", { form: way.notice, request: r.number, format: "text" });
	return card(t("notice"), h("p", {}, t("notice_text")), paper(text.content, t("notice")), h("div.row", {}, waits ? button(t("accept"), async () => {
		await prepareAgain(r, { notice_accepted: true });
		await again();
	}, { tone: "primary" }) : h("span.badge.ok", {}, t("accepted"))));
}

// The draft again with one term more: its terms as they were typed in this tab, else as the desk has them.
async function prepareAgain(r, more) {
	const typed = readDraft(`terms-${r.number}`);
	const terms = typed.kind ? typed : termsOf(r);
	await change("request.prepare", { ...terms, request: r.request, save: true, notice_accepted: accepted(r) || undefined, ...more });
}

const termsOf = (r) => ({ kind: r.kind, way: r.way, serial: r.serial, issuer: r.issuer, project: r.project, profile: r.serial ? undefined : r.profile, months: r.months || undefined, order: r.order, csr: r.csr, key_seen: r.key_seen, files: r.files, subject: r.subject && r.subject.length ? r.subject : undefined, ...(r.delivery ? { recipient: r.delivery.recipient, mobile: r.delivery.mobile, ship_to: r.delivery.address } : {}) });

const accepted = (r) => !(r.missing || []).some((m) => m.what === "notice") && /^notice: /m.test(r.tally || "");

// The registration form, filled in, where the way wants it.
async function formCard(r, way) {
	const name = "registration-form";
	if (r.state !== "drafted" || !way || !way.materials.flat().some((m) => m.name === name)) return null;
	try {
		const text = await rpc("form.get", { form: name, request: r.number, format: "text" });
		return card(t("form"), h("p", {}, t("form_text")), h("details", {}, h("summary", {}, t("form_print")), paper(text.content, t("form"))));
	} catch (e) {
		if (e instanceof RpcError && e.loggedOut) throw e;
		return null; // this bundle has no such form
	}
}

const canSign = (r) => ["drafted", "awaiting_proof", "lapsed"].includes(r.state) && r.tally && !(r.missing || []).some((m) => m.what !== "proof");

async function signCard(r, again) {
	if (!canSign(r) || !(r.missing || []).some((m) => m.what === "proof")) return null;
	const take = async (lines, id) => {
		await change("request.prove", { request: r.number, lines }, id);
		toast(t("signed"));
		await again();
	};
	let pem;
	try {
		pem = r.serial ? (await rpc("cert.show", { serial: r.serial })).pem : undefined;
	} catch { /* another's, or of long ago: the agent has it on the token */ }
	return card(t("sign"), h("p", {}, t("sign_text")), h("pre", {}, r.tally),
		agentPanel("sign", { text: r.tally, serial: r.serial, certificate: pem, onLine: (line) => take([].concat(line)) }),
		h("h3", {}, t("command")), h("pre", {}, `hufu request prove --token-uri pkcs11:token=… ${r.number}\nhufu request prove --key FILE ${r.number}`),
		h("details", {}, h("summary", {}, t("paste")), h("div.row", {}, button(t("save_text"), () => save(r.tally, `${r.number}.txt`))),
			form({ name: `lines-${r.number}`, submit: t("sign"), tone: "plain", fields: [{ name: "lines", label: t("paste"), type: "lines", lines: 4, required: true, max: 16000 }], place: () => "lines", call: (v, id) => take(v.lines.split("\n").map((l) => l.trim()).filter(Boolean), id) })));
}

function submitCard(r, again) {
	const open = OPEN.includes(r.state) && (r.missing || []).length === 0;
	if (!open) return null;
	const lost = r.kind === "reissue" && r.way === "lost";
	return card(t("submit"), h("p", {}, t("submit_text")), lost ? note("warn", t("lost")) : null, form({
		submit: t("hand_in"), fields: lost ? [{ name: "keep_valid", label: t("keep"), type: "check" }] : [],
		call: async (v, id) => {
			const done = await change("request.submit", { request: r.number, keep_valid: v.keep_valid || undefined }, id);
			toast(done.hold ? say(done.hold) : t("submitted"));
			await again();
		},
	}));
}

// What officers want put right: while the owner has not begun, and in the draft that replaces it until it is handed in.
function correctCard(r, again) {
	const asked = r.state === "to_correct";
	if (!asked && !(OPEN.includes(r.state) && r.corrections.length)) return null;
	const begin = async () => {
		await prepareAgain(r, {});
		await again();
	};
	return card(t("correct"), r.corrections.map((k) => note("warn", h("strong", {}, say(k)), `: ${k.reason}`)), asked ? button(t("correct_start"), begin, { tone: "primary" }) : h("p", {}, t("correct_open")));
}

function resultCard(r) {
	if (r.refusal) return note("bad", t("refusal", { why: r.refusal.text }));
	if (!r.certificate) return null;
	return card(t("certificate"), h("p", {}, t("certificate_text")), facts([[t("serial"), link(`certificate/${r.certificate_serial}`, mono(r.certificate_serial))]]), agentPanel("install", { certificate: r.certificate }), h("div.row", {}, button(t("download"), () => save(r.certificate, `${r.certificate_serial}.pem`))));
}

const timeline = (r) => card(t("history"), h("ol.line", {}, (r.history || []).map((e) => h("li", {}, h("time", { datetime: e.at }, time(e.at)), say(e)))));

function top(r, again) {
	const withdraw = async () => {
		if (!(await dialog(t("withdraw"), h("p", {}, t("withdraw_sure")), [[t("withdraw"), true, "danger"]]))) return;
		try {
			await change("request.withdraw", { request: r.number });
			toast(t("withdrawn"));
		} finally {
			await again(); // it may have gone on meanwhile: what is so now
		}
	};
	const may = ["drafted", "awaiting_proof", "awaiting_officers", "to_correct", "approved", "to_make", "keyed", "to_ship", "opened", "lapsed"].includes(r.state);
	return card(null, facts([[t("number"), mono(r.number || r.request)], [t("kind"), kindWord(r.kind)], [t("serial"), r.serial ? link(`certificate/${r.serial}`, mono(r.serial)) : null], [t("state"), badge(r.state)], [t("made"), time(r.made)], [t("due"), r.due ? minute(r.due) : null], [t("dies"), r.dies && OPEN.includes(r.state) ? minute(r.dies) : null], [t("fingerprint"), r.key_fingerprint && r.key_seen !== "token" ? mono(r.key_fingerprint) : null]]), h("div.row", {}, button(t("refresh"), again), r.state === "drafted" && r.serial && ["extend", "change", "reissue"].includes(r.kind) ? h("a.button", { href: `#/new/${r.kind}/${r.serial}?request=${r.number}` }, t("edit")) : null, may ? button(t("withdraw"), withdraw, { tone: "danger" }) : null));
}

async function wayOf(r) {
	try {
		if (r.serial) return (await rpc("request.ways", { serial: r.serial })).ways.find((w) => w.kind === r.kind && w.way === r.way);
		const project = await rpc("project.show", { project: r.project });
		return project.ways.find((w) => w.kind === r.kind && w.way === r.way);
	} catch (e) {
		if (e instanceof RpcError && e.loggedOut) throw e;
		return null;
	}
}

export async function render({ params }) {
	const box = h("div.readable", {});
	let polls = 0;
	const draw = async () => {
		const r = (shown = await rpc("request.show", { request: params.id }));
		const way = OPEN.includes(r.state) || r.state === "to_correct" ? await wayOf(r) : null;
		const missing = (r.missing || []).filter((m) => m.what !== "proof");
		replace(box, top(r, draw), resultCard(r), correctCard(r, draw),
			say(r.explain) ? card(t("what"), h("pre", {}, say(r.explain)), way && say(way.files) ? note(way.key === "same" ? "ok" : "warn", say(way.files)) : null) : null,
			missing.length ? card(t("missing"), h("ul", {}, missing.map((m) => h("li", {}, say(m))))) : null,
			materialsCard(r, way, draw), await formCard(r, way), await noticeCard(r, way, draw), await signCard(r, draw), submitCard(r, draw), timeline(r));
		if (RUNNING.includes(r.state) && polls++ < 60) setTimeout(() => { if (box.isConnected) draw().catch(() => {}); }, 1000);
	};
	await draw();
	return box;
}
