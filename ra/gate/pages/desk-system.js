// The operator's view, to be read and no more: signer and ledger, status data, CRL and responders, what ends soon, what the signer refused.
import { h } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, RpcError } from "./rpc.js";
import { staff } from "./acting.js";
import { badge, card, code, facts, link, mono, note, table } from "./ui.js";
import { chart } from "./chart.js";
import { kindWord, minute, size, time } from "./format.js";

const t = texts({
	fine: ["没有需要处理的问题。", "Nothing to worry about."],
	worries: ["需要处理", "To be looked at"],
	signer: ["签发系统", "Signer"],
	reachable: ["连接", "Answers"],
	locked: ["密钥", "Its key"],
	open: ["已开启", "open"],
	shut: ["已锁定", "locked"],
	yes: ["正常", "yes"],
	no: ["无应答", "no"],
	size: ["台账条目", "Entries of its ledger"],
	beat: ["最近心跳", "Last beat"],
	issued: ["已签发", "Issued"],
	refused: ["已拒绝", "Refused"],
	revoked: ["已吊销", "Revoked"],
	ends: ["签发证书有效至", "The CA's certificate ends"],
	policy: ["策略 / 名册版本", "Policy / roster"],
	desk: ["服务台跟随台账", "What the desk has followed"],
	as_of: ["数据截至", "As of"],
	age: ["数据时龄", "Age"],
	seconds: ["{n} 秒", "{n} s"],
	lag: ["落后条目", "Entries behind"],
	waiting: ["待送签发", "Waiting for the signer"],
	messages: ["待发 / 失败消息", "Messages waiting / failed"],
	held: ["挂起的证书", "Certificates on hold"],
	parcels: ["逾期未签收包裹", "Parcels overdue"],
	version: ["版本", "Version"],
	crl: ["吊销列表", "CRL"],
	number: ["编号", "Number"],
	next: ["下次更新", "Next update"],
	bytes: ["大小", "Size"],
	responders: ["OCSP 响应者证书", "OCSP responders' certificates"],
	name: ["名称", "Name"],
	serial: ["序列号", "Serial number"],
	state: ["状态", "State"],
	until: ["有效至", "Valid until"],
	soon: ["未来 13 周到期的证书", "Certificates that end in the next 13 weeks"],
	week: ["自", "Week from"],
	certificates: ["张数", "certificates"],
	refusals: ["签发系统最近的拒绝", "The signer's last refusals"],
	at: ["时间", "When"],
	request: ["申请编号", "Request"],
	kind: ["业务", "Kind"],
	rule: ["规则", "Rule"],
	text: ["说明", "What it said"],
	checkpoint: ["检查点", "Checkpoint"],
	entries: ["{n} 条，已核对签名并与此前一致", "{n} entries, signed, and consistent with what was followed before"],
	note: ["检查点原文（签发系统签名）", "The checkpoint, as the signer signed it"],
	fork: ["与已跟随的台账不一致", "not the ledger that was followed"],
});
export const title = ["系统状况", "System"];

const worry = (w) => note("warn", say(w));

function signerCard(s) {
	const ok = (good, yes, no) => h(`span.badge.${good ? "ok" : "bad"}`, {}, t(good ? yes : no));
	return card(t("signer"), facts([[t("reachable"), ok(s.reachable, "yes", "no")], ...(s.reachable ? [[t("locked"), ok(!s.locked, "open", "shut")], [t("size"), s.ledger_size], [t("beat"), time(s.last_beat)], [t("issued"), s.issued], [t("refused"), s.refused], [t("revoked"), s.revoked], [t("ends"), minute(s.issuer_not_after)], [t("policy"), `${s.policy_version} / ${s.roster_version}`]] : [])]));
}

function deskCard(d, o) {
	const age = Math.max(0, Math.round((Date.now() - new Date(d.as_of)) / 1000)), forked = d.worries.some((w) => w.reason === "ledger_fork");
	return card(t("desk"), facts([[t("checkpoint"), h(`span${forked ? ".badge.bad" : ""}`, {}, forked ? t("fork") : t("entries", { n: d.ledger_size }))], [t("as_of"), time(d.as_of)], [t("age"), t("seconds", { n: age })], [t("lag"), d.lag], [t("waiting"), d.queue], [t("messages"), `${d.messages_waiting} / ${d.messages_failed}`], [t("held"), d.held], [t("parcels"), d.parcels_overdue], [t("version"), d.version]]), o.checkpoint ? h("details", {}, h("summary", {}, t("note")), h("pre", { tabindex: "0" }, o.checkpoint)) : null);
}

async function crlCard() {
	try {
		const c = await rpc("crl.get");
		return card(t("crl"), facts([[t("number"), c.number], [t("next"), minute(c.next_update)], [t("bytes"), size(c.size)]]));
	} catch (e) {
		if (!(e instanceof RpcError)) throw e;
		return card(t("crl"), note("warn", e.say()));
	}
}

const respondersCard = (o) => card(t("responders"), table(t("responders"), [
	{ label: t("name"), cell: (r) => r.name },
	{ label: t("serial"), cell: (r) => mono(r.serial) },
	{ label: t("until"), cell: (r) => minute(r.not_after) },
	{ label: t("state"), cell: (r) => badge(r.state) },
], o.responders));

const refusalsCard = (o) => card(t("refusals"), table(t("refusals"), [
	{ label: t("at"), cell: (r) => time(r.at) },
	{ label: t("request"), cell: (r) => (staff.officer ? link(`request/${r.number}`, mono(r.number)) : mono(r.number)) },
	{ label: t("kind"), cell: (r) => kindWord(r.kind) },
	{ label: t("rule"), cell: (r) => h("span", {}, say(r), " ", code(r.rule)) },
	{ label: t("text"), cell: (r) => code(r.text) },
], o.refusals));

export async function render() {
	const [d, o] = await Promise.all([rpc("desk.health"), rpc("desk.outlook")]);
	const found = [...d.worries, ...d.remarks];
	return h("div", {}, found.length ? card(t("worries"), found.map(worry)) : note("ok", t("fine")),
		h("div.sides", {}, signerCard(d.signer), deskCard(d, o)),
		h("div.sides", {}, card(null, chart({ caption: t("soon"), head: t("week"), series: [t("certificates")], rows: o.weeks.map((w) => ({ label: w.from, values: [w.ends] })), short: (day) => day.slice(5) })), await crlCard()),
		respondersCard(o), refusalsCard(o));
}
