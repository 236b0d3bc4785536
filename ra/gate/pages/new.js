// A new request: extend, change, reissue, or a first certificate. First the way, then what the way asks; the request is saved as a draft and goes on at its own page.
import { h, replace } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc, change, RpcError } from "./rpc.js";
import { state } from "./app.js";
import { badge, card, facts, form, mono, note, table } from "./ui.js";
import { yuan, time } from "./format.js";
import { keepDraft, readDraft } from "./draft.js";
import { agentPanel } from "./agent-panel.js";
import { tick } from "./reset.js";

const t = texts({
	extend: ["证书延期", "Extend the certificate"],
	change: ["证书变更", "Change the certificate"],
	reissue: ["证书补办", "Reissue the certificate"],
	enrol: ["办理证书", "First certificate"],
	way: ["选择办理方式", "Choose the way"],
	recommended: ["推荐", "recommended"],
	not_now: ["现在不能办理：{why}", "not possible now: {why}"],
	materials: ["所需材料（盖章后扫描上传）", "Papers: stamped, scanned, uploaded"],
	paper: ["材料", "Paper"],
	none: ["不需要材料", "no papers"],
	or: [" 或 ", " or "],
	review: ["审核", "Review"],
	officers: ["{n} 名审核员签名，一般 {days} 个工作日内", "{n} officers sign; usually within {days} working days"],
	instant: ["无须审核，立即办理", "no review: at once"],
	files: ["对已加密文件的影响", "What it does to encrypted files"],
	details: ["填写申请", "The request"],
	months: ["延期时长", "Length"],
	n_months: ["{n} 个月", "{n} months"],
	months_none: ["不延期，只变更", "no extension"],
	order: ["已付款的订单", "Paid order"],
	order_hint: ["延期要用一张已付款的订单。没有时请先在“我的服务”续费。", "An extension uses a paid order. Without one, renew the service first."],
	no_order: ["（没有可用的订单）", "(no order that can be used)"],
	name: ["单位名称", "Organisation"],
	identifier: ["统一社会信用代码", "Unified social credit code"],
	representative: ["新的法定代表人", "New legal representative"],
	files_question: ["有尚未开启的加密文件吗？", "Encrypted files not yet opened?"],
	files_no: ["没有", "no"],
	files_yes: ["有", "yes"],
	files_yes_more: ["请先申请恢复证书；恢复完成前，补办不会提交。", "Ask for the recovery first: until it ends this request is held."],
	files_waived: ["有，但书面放弃恢复", "yes, and the recovery was waived in writing"],
	csr: ["新密钥的证书请求（CSR）", "Request of the new key (CSR)"],
	csr_hint: ["由 USB Key 生成：hufu token keygen、hufu token csr；或用下面的客户端。", "Made on the USB key: hufu token keygen, hufu token csr; or by the agent."],
	csr_maybe: ["不填则密钥不变", "empty: the key stays"],
	seen: ["审核员如何确认新密钥", "How officers see the new key"],
	seen_paper: ["盖章文件上写明密钥指纹", "its characters on stamped paper"],
	seen_call: ["服务台致电公开号码", "a call to a publicly known number"],
	seen_person: ["本人到场", "in person"],
	where: ["新密钥在哪里生成", "Where the new key is made"],
	where_desk: ["由服务台制作 USB Key 并寄送", "the desk makes a USB key and ships it"],
	where_own: ["在自己的 USB Key 上（提交 CSR）", "on a USB key of ours (a CSR)"],
	recipient: ["收件人", "Recipient"],
	mobile: ["联系电话", "Telephone"],
	ship_to: ["收件地址", "Address"],
	save: ["保存并继续", "Save and go on"],
	link_account: ["以新资料办理新证书", "New certificate with new data"],
	link_text: ["请先以新的统一社会信用代码建立账户（沿用本手机号），再在新账户申请服务。", "First an account with the new code is made under the same number, then the service is applied for there."],
	to_link: ["建立新账户", "Make the account"],
	make_sure: ["请确认：没有任何尚未解密的加密文件（含未开标的投标文件）。", "Make sure that nothing encrypted is still to be decrypted, tenders not yet opened among it."],
	cert: ["证书", "Certificate"],
	name_of: ["证书名称", "Certificate name"],
	serial: ["序列号", "Serial number"],
	state: ["状态", "State"],
	until: ["到期", "Until"],
});
let kind = "extend";
export const title = (params) => t(params.kind in { extend: 1, change: 1, reissue: 1, enrol: 1 } ? params.kind : "extend");

async function orders() {
	const { orders } = await rpc("order.list", { state: "paid", per_page: 50 });
	return orders;
}

const papers = (way) => (way.materials && way.materials.length ? table(t("materials"), [{ label: t("paper"), cell: (g) => g.map((m) => say(m.title || m)).join(t("or")) }], way.materials) : h("p", {}, t("none")));

// What a way means, before it is chosen.
const summary = (way, days) => [
	say(way.files) ? note(way.key === "same" ? "ok" : "warn", h("strong", {}, t("files")), h("p", {}, say(way.files))) : null,
	h("h3", {}, t("review")), h("p", {}, way.officers ? t("officers", { n: way.officers, days: days || 2 }) : t("instant")),
	h("h3", {}, t("materials")), papers(way),
];

function keyFields(way) {
	const wanted = kind === "enrol" || kind === "reissue";
	if (way.key === "same") return [];
	const fields = [];
	if (wanted) fields.push({ name: "where", label: t("where"), type: "radio", required: true, value: "desk", options: [["desk", t("where_desk")], ["own", t("where_own")]] },
		{ name: "recipient", label: t("recipient"), required: true, max: 120 }, { name: "mobile", label: t("mobile"), required: true, max: 20, inputmode: "tel" }, { name: "ship_to", label: t("ship_to"), required: true, max: 400 });
	fields.push({ name: "csr", label: t("csr"), hint: way.key === "either" ? t("csr_maybe") : t("csr_hint"), type: "lines", lines: 4, max: 32768, required: way.key === "new" || wanted });
	if (wanted) fields.push({ name: "key_seen", label: t("seen"), type: "select", options: [["paper", t("seen_paper")], ["call", t("seen_call")], ["person", t("seen_person")]] });
	return fields;
}

function subjectFields(way, cert, draft) {
	if (way.makes === "record") return [{ name: "legal_representative", label: t("representative"), value: before(draft, "legalRepresentative"), required: true, max: 128, tick: tick("agent") }];
	if (kind === "change") return [{ name: "organisation", label: t("name"), value: before(draft, "O", cert.name), required: true, max: 256, tick: tick("organisation") }, { name: "identifier", label: t("identifier"), value: before(draft, "organizationIdentifier", state.account.identifier), required: true, max: 40, tick: tick("identifier") }];
	return [];
}

async function orderFields(way, draft) {
	if (!way.order || (way.order === "none" && kind !== "change")) return [];
	const maybe = way.order !== "always";
	const all = await orders();
	const lengths = [...(maybe ? [["", t("months_none")]] : []), ...[12, 24, 36].map((n) => [String(n), t("n_months", { n })])];
	return [
		...(kind === "enrol" ? [] : [{ name: "months", label: t("months"), type: "select", value: draft && String(draft.months || ""), options: lengths }]),
		{ name: "order", label: t("order"), hint: t("order_hint"), type: "select", value: draft?.order, options: [...(maybe ? [["", "–"]] : []), ...(all.length ? all.map((o) => [o.order, `${o.order} · ${yuan(o.amount_fen)} · ${t("n_months", { n: o.months || o.period_months })}`]) : maybe ? [] : [["", t("no_order")]])] },
	];
}

// The values of the form as request.prepare takes them.
function asParams(v, way, base) {
	const p = { ...base, kind, way: way.way, months: v.months ? Number(v.months) : undefined, order: v.order, csr: v.csr, files: v.files };
	if (way.makes === "record") p.subject = [{ attribute: "legalRepresentative", value: v.legal_representative }];
	else if (kind === "change") p.subject = [{ attribute: "O", value: v.organisation }, { attribute: "CN", value: v.organisation }, { attribute: "organizationIdentifier", value: v.identifier }];
	else if (kind === "enrol") p.subject = [{ attribute: "C", value: "CN" }, { attribute: "O", value: state.account.organisation }, { attribute: "CN", value: state.account.organisation }, { attribute: "organizationIdentifier", value: state.account.identifier }];
	if (v.where === "desk") Object.assign(p, { recipient: v.recipient, mobile: v.mobile, ship_to: v.ship_to, key_seen: "token", csr: undefined });
	else if (v.where === "own") p.key_seen = v.key_seen;
	return p;
}

// What officers want corrected, at the field that holds it.
const FIELD = { O: "organisation", CN: "organisation", organizationIdentifier: "identifier", legalRepresentative: "legal_representative", key: "csr", delivery: "ship_to" };
function showCorrections(node, corrections) {
	for (const k of corrections) {
		const part = node.fieldAt(FIELD[k.item] || k.item);
		if (part) part.wrong(`${say(k)}: ${k.reason}`);
	}
}

// The subject as a draft has it, else as it is now.
const before = (draft, attribute, now) => draft?.subject?.find((a) => a.attribute === attribute)?.value || now;

// Which field of the form a rule is about. The desk names what the signer would look at: the tally's subject, an attribute of a name, the request of the new key.
function placeOf(e, way) {
	const subject = /^(tally\.)?(subject|name)\b/.test(e.field), attribute = e.field.match(/^(?:subject|name)\.(\w+)/)?.[1] || (subject && e.detail.match(/^(\w+): found/)?.[1]);
	if (way.makes === "record" && subject) return "legal_representative";
	if (/^(identifier|line)_/.test(e.reason)) return "identifier";
	if (subject) return FIELD[attribute] || "organisation";
	if (/^(csr|pem|tally\.key|key)\b/.test(e.field)) return "csr";
	return e.field === "tally.validity" ? "months" : e.field;
}

// What the profile wants of an attribute stands in its rules alone; a person hears what to look at.
function inWords(e, place) {
	if (e.reason === "subject_attribute" && place in WRONG) e.words = { zh: WRONG[place][0], en: WRONG[place][1] };
	return e;
}
const WRONG = {
	organisation: ["单位名称过短、过长或含有不允许的字符，请与营业执照一致", "the name is too short, too long or has characters that are not allowed: as on the licence"],
	identifier: ["应为 18 位统一社会信用代码，或形如 12345678-9 的组织机构代码", "wanted a unified code of 18 characters, or an organisation code as 12345678-9"],
};

// A draft. What a rule refuses is said at its field; where the form has no such field, the draft is saved as it is, and its page says what is missing.
async function prepare(terms, id, node, way) {
	try {
		return await change("request.prepare", terms, id);
	} catch (e) {
		if (!(e instanceof RpcError) || e.loggedOut || e.reason === "network") throw e;
		const place = placeOf(e, way), part = node.fieldAt(place);
		if (part && !part.node.hidden) throw inWords(e, place);
		return change("request.prepare", { ...terms, save: true }, id);
	}
}

async function detailForm(way, base, cert, go, draft) {
	const fields = [...subjectFields(way, cert, draft), ...(await orderFields(way, draft)), ...keyFields(way)];
	if (way.asks_files) fields.push({ name: "files", label: t("files_question"), type: "radio", value: draft?.files, required: true, options: [["no", t("files_no")], ["yes", t("files_yes"), t("files_yes_more")], ["waived", t("files_waived")]] });
	const node = form({
		name: `new-${kind}-${way.way}-${base.serial || base.service}`, fields, submit: t("save"), place: (e) => placeOf(e, way),
		call: async (v, id) => {
			const { service, ...rest } = base;
			const terms = asParams(v, way, rest);
			const r = await prepare(terms, id, node, way);
			keepDraft(`terms-${r.number}`, terms);
			go(`request/${r.number}`);
			return false; // what was typed stays, for who goes back to edit it
		},
	});
	const show = () => {
		const v = node.values();
		if (!("where" in v)) return;
		for (const key of ["recipient", "mobile", "ship_to"]) node.fieldAt(key).node.hidden = v.where !== "desk";
		for (const key of ["csr", "key_seen"]) if (node.fieldAt(key)) node.fieldAt(key).node.hidden = v.where !== "own";
	};
	node.addEventListener("input", show);
	show();
	if (draft) showCorrections(node, draft.corrections);
	return h("div", {}, way.key !== "same" ? agentPanel("csr", { onCsr: (pem) => node.set("csr", pem) }) : null, node);
}

function wayChoice(ways, chosen, onChoose) {
	const node = h("div.choices", { role: "radiogroup", "aria-label": t("way") }, ways.map((w) => h("label.choice", {}, h("input", { type: "radio", name: "way", value: w.way, checked: w === chosen, disabled: w.possible === false, onchange: () => onChoose(w) }),
		h("span", {}, say(w.title), w.recommended ? [" ", h("span.badge.ok", {}, t("recommended"))] : null, w.possible === false ? h("small", {}, t("not_now", { why: say(w.why || w) })) : w.files ? h("small", {}, say(w.files)) : null))));
	return node;
}

// The ways of a first certificate are the project's, those of others the certificate's.
async function readWays(params) {
	if (kind !== "enrol") {
		const cert = await rpc("cert.show", { serial: params.of });
		const r = await rpc("request.ways", { serial: params.of });
		return { cert, ways: r.ways.filter((w) => w.kind === kind || (kind === "change" && w.linked_account)), days: r.review_days, base: { serial: cert.serial, project: cert.project } };
	}
	const { services } = await rpc("service.list", { per_page: 100 });
	const service = services.find((s) => s.id === params.of);
	const project = await rpc("project.show", { project: service.project });
	const profile = (project.services.find((s) => s.service === service.service || say(s.title) === service.service) || project.services[0]).profile;
	return { cert: null, ways: project.ways.filter((w) => w.kind === "enrol" && w.profile === profile).map((w) => ({ ...w, key: "new" })), days: 2, base: { project: service.project, profile, service: service.id } };
}

export async function render({ params, query, go }) {
	kind = params.kind;
	const { cert, ways, days, base } = await readWays(params);
	const draft = query.request ? await rpc("request.show", { request: query.request }) : null;
	if (draft) base.request = query.request; // it is edited
	const detail = h("div", { "aria-live": "polite" });
	const kept = `way-${kind}-${params.of}`;
	const choose = async (way) => {
		keepDraft(kept, { way: way.way });
		if (way.linked_account) return replace(detail, card(t("link_account"), h("p", {}, t("link_text")), papers(way), h("p", {}, h("a.button.primary", { href: "#/link" }, t("to_link")))));
		replace(detail, card(say(way.title), summary(way, days)), card(t("details"), await detailForm(way, base, cert || {}, go, draft && draft.way === way.way ? draft : null)));
	};
	const open = ways.filter((w) => w.possible !== false);
	ways.sort((a, b) => (b.recommended ? 1 : 0) - (a.recommended ? 1 : 0));
	const only = ways.length === 1 && open.length === 1 ? open[0] : null;
	const chosen = draft ? open.find((w) => w.kind === draft.kind && w.way === draft.way) : open.find((w) => w.way === readDraft(kept).way) || only;
	if (chosen) await choose(chosen);
	return h("div.readable", {},
		cert ? card(t("cert"), facts([[t("name_of"), cert.name], [t("serial"), mono(cert.serial)], [t("until"), time(cert.not_after)], [t("state"), badge(cert.state)]])) : null,
		kind !== "enrol" ? note("warn", t("make_sure")) : null,
		ways.length > 1 || open.length === 0 ? card(t("way"), wayChoice(ways, chosen, choose)) : null, detail);
}
