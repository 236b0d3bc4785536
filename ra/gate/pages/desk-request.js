// One request, as an officer looks at it: what shall be different, the papers beside it, what to look for, and the decision. An approval is the agent's: this page names the request
// and no more.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change, RpcError } from "./rpc.js";
import { acting } from "./acting.js";
import { keepDraft, readDraft } from "./draft.js";
import { agentPanel } from "./agent-panel.js";
import { badge, button, card, facts, form, link, mono, note, table, toast } from "./ui.js";
import { projectTitle, readProjects } from "./projects.js";
import { viewer } from "./viewer.js";
import { chosenQueue, dueMark, queueParams } from "./desk-queue.js";
import { kindWord, minute, time } from "./format.js";

const t = texts({
	number: ["申请编号", "Number"],
	kind: ["业务", "Kind"],
	project: ["项目", "Project"],
	organisation: ["单位", "Organisation"],
	identifier: ["机构代码", "Identifier"],
	agent: ["经办人", "Agent"],
	certificate: ["证书", "Certificate"],
	state: ["状态", "State"],
	officers: ["已审/需审", "Signed"],
	submitted: ["提交时间", "Handed in"],
	due: ["应于此前办结", "Due"],
	dies: ["申请有效至", "Valid until"],
	entered: ["录入人", "Entered by"],
	claimed: ["认领人", "Claimed by"],
	until: ["至", "until"],
	claim: ["认领", "Claim"],
	unclaim: ["退回认领", "Hand the claim back"],
	claimed_now: ["已认领", "Claimed"],
	unclaimed: ["已退回", "Handed back"],
	corrections: ["此前要求补正", "Was to be corrected"],
	wrong: ["按现在的规则不能办理", "Not possible as things stand"],
	difference: ["变更内容", "What shall be different"],
	attribute: ["项目", "Attribute"],
	old: ["原内容", "As it was"],
	new: ["新内容", "As it shall be"],
	nothing: ["（无）", "(none)"],
	checklist: ["核对要点", "What to look for"],
	papers: ["材料", "Materials"],
	tally: ["待签名的文本", "The text that is signed"],
	tally_note: ["此处仅供查看。批准时，客户端自行取得文本与材料并核对，签名的是客户端显示的文本。", "Shown to be read. To approve, the agent fetches text and materials itself and checks them; what is signed is what the agent shows."],
	approve: ["批准", "Approve"],
	approve_text: ["本页面只告诉客户端申请编号。", "This page tells the agent the number of the request and no more."],
	command: ["或在保管密钥的电脑上运行命令", "Or by the command, on the computer that has the officer's key"],
	decide: ["同意变更登记", "Agree to the change of record"],
	decided: ["已同意", "Agreed"],
	recover: ["恢复进度", "Step of the recovery"],
	step: ["进度", "Step"],
	sent: ["已送密钥中心", "sent to the key centre"],
	delivered: ["已交付", "delivered"],
	no_copy: ["密钥中心查无备份", "the key centre has no copy"],
	waived: ["已书面放弃", "waived in writing"],
	remark: ["说明", "Note"],
	record: ["记录", "Record"],
	recorded: ["已记录", "Recorded"],
	correct: ["要求补正", "Ask for a correction"],
	correct_text: ["在需要补正的各项中写明原因，申请人会逐项看到；留空的不要求补正。", "Write the reason at each item that is to be corrected: the applicant reads them item by item. What is left empty is not asked for."],
	none_said: ["请至少写明一项需要补正的内容", "Say at least one item that is to be corrected"],
	other: ["其他", "Something else"],
	corrected: ["已要求补正", "Correction asked for"],
	reject: ["不予通过", "Reject"],
	reason: ["理由（申请人可见）", "Reason, which the applicant reads"],
	reject_text: ["拒绝后该申请终止，不能恢复。", "A rejected request has ended and can't be taken up again."],
	rejected: ["已拒绝", "Rejected"],
	history: ["办理进度", "Its way"],
	audit: ["审计记录", "Audit"],
	make: ["制作密钥", "Make the key"],
	make_text: ["密钥在审核员的电脑上、在 USB Key 中生成；制作者不能审批该申请。", "The key is made on a token, at an officer's own machine; who made it does not approve the request."],
	unlock: ["同意解锁", "Agree to the unlock"],
	unlock_text: ["请致电申请单位，由对方念出其客户端显示的核对码，在您的客户端中键入；PUK 只在您的客户端中打开。", "Call the organisation: they read out the code that their agent shows, and you type it in yours. The PUK is opened in your agent alone."],
	ship: ["装箱与寄送", "Pack and ship"],
	refresh: ["刷新", "Refresh"],
	back: ["返回列表", "Back to the queue"],
	next: ["下一件：{name}", "Next: {name}"],
	none_next: ["列表中没有其他申请", "nothing else in the queue"],
	steps: ["待审核列表", "Review queue"],
});
let number = "";
export const title = () => [`申请 ${number}`, `Request ${number}`];

const RUNNING = ["approved", "sent"];
const REVIEWED = ["awaiting_officers", "to_make", "keyed", "opened", "at_key_centre"];

// What follows in the list that the officer came from: behind this one, else its first that no colleague has claimed. follows: what that was when the page was opened, for one that is
// in the list no more.
async function nextOf(r, follows) {
	const me = acting().officer, { requests } = await rpc("review.queue", { ...queueParams(chosenQueue()), per_page: 100 });
	const at = requests.findIndex((x) => x.number === r.number), free = requests.filter((x) => x.number !== r.number && (!x.claimed_by || x.claimed_by === me));
	return (at >= 0 ? free.find((x) => requests.indexOf(x) > at) : free.find((x) => follows && x.number === follows.number)) || free[0] || null;
}

const stepsBar = (r, next) => h("nav.row", { "aria-label": t("steps") }, link(`queue?${new URLSearchParams(chosenQueue())}`, t("back")),
	next ? h(`a.button${REVIEWED.includes(r.state) ? "" : ".primary"}`, { href: `#/request/${next.number}`, rel: "next" }, t("next", { name: next.organisation || next.number })) : h("span.hint", {}, t("none_next")));

// A colleague was faster, or another tab: what is so now is shown, with the word on it.
const faster = (again) => async (e) => {
	if (!(e instanceof RpcError) || e.reason !== "request_state") throw e;
	toast(e.say(), "bad");
	await again();
	return false;
};

function top(r, again) {
	const did = (method, words) => async () => {
		if ((await change(method, { request: r.number, ...acting() }).catch(faster(again))) === false) return;
		toast(t(words));
		await again();
	};
	return card(null, facts([
		[t("number"), mono(r.number)], [t("kind"), r.way_title ? `${kindWord(r.kind)} · ${say(r.way_title)}` : kindWord(r.kind)], [t("state"), badge(r.state)], [t("officers"), r.officers], [t("due"), r.due ? dueMark(r) : null],
		[t("organisation"), r.organisation], [t("identifier"), r.identifier ? link(`accounts?find=${encodeURIComponent(r.identifier)}`, mono(r.identifier)) : null], [t("agent"), r.agent], [t("project"), projectTitle(r.project)],
		[t("certificate"), r.serial ? h("span", {}, mono(r.serial), " ", r.certificate_state ? badge(r.certificate_state) : null) : null],
		[t("submitted"), r.submitted ? minute(r.submitted) : null], [t("dies"), r.dies ? minute(r.dies) : null], [t("entered"), r.entered_by], [t("claimed"), r.claimed_by ? `${r.claimed_by} ${t("until")} ${minute(r.claim_ends)}` : null],
	]), h("div.row", {}, !REVIEWED.includes(r.state) ? null : r.claimed_by ? button(t("unclaim"), did("review.release_claim", "unclaimed")) : button(t("claim"), did("review.claim", "claimed_now"), { tone: "primary" }), button(t("refresh"), again, { tone: "plain" }), link(`audit?object=${r.request}`, t("audit"))));
}

const differenceCard = (r) => card(t("difference"), h("p", {}, say(r.explain)), (r.difference || []).length === 0 ? null : table(t("difference"), [
	{ label: t("attribute"), cell: (d) => say(d.title) },
	{ label: t("old"), cell: (d) => (d.old === null ? t("nothing") : h("del", {}, d.old)) },
	{ label: t("new"), cell: (d) => (d.new === null ? t("nothing") : h("ins", {}, d.new)) },
], r.difference));

// The ticks are the officer's own aid, kept in this tab; nothing is sent.
function checklistCard(r) {
	const key = `ticks-${r.request}`, ticks = readDraft(key);
	const tick = (c) => h("label", {}, h("input", { type: "checkbox", checked: ticks[c.zh] === true, onchange: (e) => { ticks[c.zh] = e.target.checked; keepDraft(key, ticks); } }), h("span", {}, say(c)));
	return (r.checklist || []).length === 0 ? null : card(t("checklist"), h("div.checklist", {}, r.checklist.map(tick)));
}

function approveCard(r, again) {
	if (r.state === "to_make" || r.state === "keyed") return card(t("make"), h("p", {}, t("make_text")), agentPanel("make", { request: r.number, token: r.state === "keyed" ? r.token : null, onDone: again }), h("h3", {}, t("command")), h("pre", {}, `hufu token keygen --serial TOKEN --algorithm rsa\nhufu token csr --serial TOKEN --subject CN=x --out new.csr\nhufu work csr --as NAME --serial TOKEN --csr new.csr --start-pin-fd 4 ${r.number} 4<start.pin\nhufu work prove --as NAME ${r.number}`));
	if (r.state === "to_ship") return card(t("ship"), link(`parcels?request=${r.number}`, t("ship")));
	if (r.kind === "unlock" && r.state === "opened") return card(t("unlock"), h("p", {}, t("unlock_text")), agentPanel("agree", { request: r.number, onDone: again }), h("h3", {}, t("command")), h("pre", {}, `hufu officer unlock --escrow token.key --as NAME ${r.number}`));
	if (r.kind === "recover" && REVIEWED.includes(r.state)) return recoverCard(r, again);
	if (r.state !== "awaiting_officers") return null;
	if (!r.tally) {
		return card(t("approve"), h("div.row", {}, button(t("decide"), async () => {
			if ((await change("review.decide", { request: r.number, ...acting() }).catch(faster(again))) === false) return;
			toast(t("decided"));
			await again();
		}, { tone: "primary" })));
	}
	return card(t("approve"), h("p", {}, t("approve_text")), agentPanel("approve", { request: r.number, onDone: again }), h("h3", {}, t("command")), h("pre", {}, `hufu officer approve --key FILE ${r.number}`),
		h("details", {}, h("summary", {}, t("tally")), h("p.hint", {}, t("tally_note")), h("pre", { tabindex: "0" }, r.tally)));
}

const recoverCard = (r, again) => card(t("recover"), form({
	name: `recover-${r.number}`, submit: t("record"),
	fields: [{ name: "step", label: t("step"), type: "select", options: ["sent", "delivered", "no_copy", "waived"].map((s) => [s, t(s)]) }, { name: "note", label: t("remark"), required: true, max: 500 }],
	place: () => "step",
	call: async (v, id) => {
		await change("review.recover", { request: r.number, ...v, ...acting() }, id);
		toast(t("recorded"));
		await again();
	},
}));

// The desk names the item; the message goes to its field.
function atItem(e, names) {
	const item = e instanceof RpcError && names.find((name) => `${e.field}.`.startsWith(`items.${name}.`) || e.detail.includes(`"${name}"`) || e.detail.includes(`item ${name} `));
	if (item) e.field = item;
	return e;
}

function correctCard(r, again) {
	if (r.state !== "awaiting_officers" || r.entered_by) return null;
	const titles = new Map([...(r.materials || []).map((m) => [m.name, say(m.title)]), ...(r.difference || []).map((d) => [d.attribute, say(d.title)]), ["other", t("other")]]), names = [...titles.keys()];
	return card(t("correct"), h("p", {}, t("correct_text")), form({
		name: `correct-${r.number}`, submit: t("correct"), tone: "plain",
		fields: names.map((name) => ({ name, label: titles.get(name), max: 500 })),
		call: async (v, id) => {
			const items = names.filter((name) => v[name] !== "").map((name) => ({ item: name, reason: v[name] }));
			if (items.length === 0) throw new RpcError({ message: t("none_said"), data: { zh: t("none_said"), en: t("none_said"), field: names[0] } });
			if ((await change("review.correct", { request: r.number, items, ...acting() }, id).catch((e) => { throw atItem(e, names); }).catch(faster(again))) === false) return;
			toast(t("corrected"));
			await again();
		},
	}));
}

function rejectCard(r, again) {
	if (!REVIEWED.includes(r.state)) return null;
	return card(t("reject"), h("p", {}, t("reject_text")), form({
		name: `reject-${r.number}`, submit: t("reject"), tone: "danger",
		fields: [{ name: "reason", label: t("reason"), type: "lines", required: true, max: 500 }],
		call: async (v, id) => {
			if ((await change("review.reject", { request: r.number, reason: v.reason, ...acting() }, id).catch(faster(again))) === false) return;
			toast(t("rejected"));
			await again();
		},
	}));
}

const timeline = (r) => card(t("history"), h("ol.line", {}, (r.history || []).map((e) => h("li", {}, h("time", { datetime: e.at }, time(e.at)), say(e)))));

function warnings(r) {
	return [(r.corrections || []).length ? note("warn", h("strong", {}, t("corrections")), h("ul", {}, r.corrections.map((c) => h("li", {}, `${say(c.title || c) || c.item}: ${c.reason || c.text || ""}`)))) : null,
		(r.wrong || []).map((w) => note("bad", h("strong", {}, t("wrong")), ` ${say(w)}`))];
}

export async function render({ params }) {
	const box = h("div.review", {});
	let polls = 0, next = null;
	const draw = async () => {
		const r = await rpc("review.show", { request: params.id });
		number = r.number;
		next = await nextOf(r, next);
		await readProjects([r.project]);
		const here = box.contains(document.activeElement); // who works by the keyboard goes on from here
		replace(box, stepsBar(r, next), top(r, draw), warnings(r),
			h("div.sides", {}, h("div", {}, differenceCard(r), checklistCard(r)), h("div", {}, card(t("papers"), viewer({ request: r.number }, r.materials)))),
			h("div.sides", {}, h("div", {}, approveCard(r, draw), timeline(r)), h("div", {}, correctCard(r, draw), rejectCard(r, draw))));
		if (here) (REVIEWED.includes(r.state) ? box.querySelector("button") : box.querySelector("[rel=next]") || box.querySelector("nav a")).focus();
		if (RUNNING.includes(r.state) && polls++ < 60) setTimeout(() => { if (box.isConnected) draw().catch(() => {}); }, 1000);
	};
	await draw();
	return box;
}
