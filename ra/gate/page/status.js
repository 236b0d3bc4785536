// The page for people: asks /v1/status of the gate that served it, and nobody else. Text is put in as text, never as HTML.
"use strict";

const answer = document.getElementById("answer");
const reasons = {
	keyCompromise: "密钥泄露", affiliationChanged: "主体信息变更", superseded: "已被取代", cessationOfOperation: "停止使用",
	certificateHold: "挂起", privilegeWithdrawn: "权限撤销", cACompromise: "CA 密钥泄露", aACompromise: "AA 密钥泄露",
	removeFromCRL: "从 CRL 移除", unspecified: "未说明",
};

function element(name, text, kind) {
	const e = document.createElement(name);
	if (text !== undefined) e.textContent = text;
	if (kind) e.className = kind;
	return e;
}

function say(zh, en) {
	answer.replaceChildren(element("p", zh));
	const p = element("p", en);
	p.lang = "en";
	answer.append(p);
}

function row(list, name, text, kind) {
	if (text) list.append(element("dt", name), element("dd", text, kind));
}

function show(one) {
	const list = element("dl", undefined, one.state);
	row(list, "状态 state", one.zh + " / " + one.en, "state");
	row(list, "序列号 serial number", one.serial);
	row(list, "签发者密钥标识 issuer's key id", one.issuer);
	row(list, "原因 reason", one.reason && (reasons[one.reason] || "") + " " + one.reason);
	row(list, "时间 since", one.when);
	row(list, "有效期至 valid until", one.not_after);
	row(list, "后继证书 successor", one.successor);
	row(list, "前一张证书 predecessor", one.predecessor);
	if (one.chain) {
		const link = element("a", one.chain), line = element("dd");
		link.href = one.chain;
		line.append(link);
		list.append(element("dt", "上级证书链 certificates above it"), line);
	}
	answer.append(list);
}

// What a receipt proves, and what nobody has looked at.
function show_receipt(o) {
	const list = element("dl", undefined, o.good ? "good" : "revoked");
	const words = (v) => v.forEach((w) => list.append(element("dd", w.zh + " / " + w.en)));
	row(list, "回执 receipt", o.good ? "成立 / it holds" : o.zh + " / " + o.en, "state");
	row(list, "位置 where", o.where);
	if (o.good) {
		row(list, "台账 ledger", o.ledger + "，" + o.ledger_size + " 条 entries；" + o.intent + "，" + o.outcome);
		list.append(element("dt", "已核对 checked"));
		words(o.checked);
		list.append(element("dt", "未核对 not checked"));
		words(o.not_checked);
	}
	answer.append(list);
}

async function get(query) {
	const reply = await fetch("/v1/status" + query, { headers: { Accept: "application/json" } });
	const o = await reply.json();
	if (o.error) throw o.error;
	return o.answers;
}

// From a certificate on along its line, as one.successor or one.predecessor has it; a circle or a long line ends it.
async function follow(one, beside, title) {
	const seen = new Set();
	while (one && one[beside] && seen.size < 32) {
		const key = one[beside + "_issuer"] + one[beside];
		if (seen.has(key)) return;
		if (seen.size === 0) answer.append(element("h2", title));
		seen.add(key);
		const list = await get("/" + one[beside] + "?issuer=" + one[beside + "_issuer"]);
		list.forEach(show);
		one = list[0];
	}
}

// The certificate that was asked for, what followed it, and what it followed.
async function chain(first) {
	first.forEach(show);
	await follow(first[0], "successor", "后来的证书 / what followed it");
	await follow(first[0], "predecessor", "以前的证书 / what it followed");
}

// work: asks, and puts what it heard into the answer.
async function answered(work) {
	say("查询中…", "asking…");
	try {
		await work();
	} catch (e) {
		say(e.zh || "查询失败，请稍后再试", e.en || "no answer: try later");
	}
}

function ask(query) {
	return answered(async () => {
		const list = await get(query);
		answer.replaceChildren();
		await chain(list);
	});
}

function ask_receipt(der, receipt) {
	return answered(async () => {
		const pem = "-----BEGIN CERTIFICATE-----\n" + btoa(String.fromCharCode(...der)).replace(/.{64}/g, "$&\n") + "\n-----END CERTIFICATE-----\n";
		const reply = await fetch("/v1/status/receipt", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ certificate: pem, receipt }) });
		const o = await reply.json();
		if (o.error) throw o.error;
		answer.replaceChildren();
		show_receipt(o);
		if (o.good) await chain(await get("/" + o.serial + "?issuer=" + o.issuer));
	});
}

function ask_serial(text) {
	const serial = text.replace(/[\s:]/g, "").toUpperCase();
	if (!/^(?!00)([0-9A-F]{2}){1,20}$/.test(serial)) {
		say("序列号应为十六进制数字，两位一组，不以 00 开头", "wanted a serial number: pairs of hexadecimal digits, not beginning with 00");
		return;
	}
	ask("/" + serial);
}

// DER, or the first certificate of a PEM file.
function to_der(bytes) {
	const text = new TextDecoder("latin1").decode(bytes);
	const pem = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(text);
	return pem ? Uint8Array.from(atob(pem[1].replace(/\s/g, "")), (c) => c.charCodeAt(0)) : bytes;
}

async function ask_certificate(der) {
	if (!window.crypto || !crypto.subtle) {
		say("请通过 HTTPS 打开本页，才能选择文件", "open this page by HTTPS to choose a file");
		return;
	}
	const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
	await ask("?sha256=" + Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join(""));
}

const none = () => say("这不是证书文件", "this is no certificate");

// A certificate, or one and its receipt, in any order; a receipt alone goes with the certificate that was chosen before it, and the other way round.
let chosen = {};
async function ask_files(files) {
	if (files.length === 0) return;
	if (files.length > 1) chosen = {};
	for (const file of files) {
		if (file.size === 0 || file.size > 49152) return none();
		const bytes = new Uint8Array(await file.arrayBuffer()), text = new TextDecoder().decode(bytes);
		if (text.startsWith("hufu/receipt/")) chosen.receipt = text;
		else {
			if (files.length === 1 && chosen.der) chosen = {};
			try { chosen.der = to_der(bytes); } catch (e) { return none(); }
			if (chosen.der[0] !== 0x30) return none();
		}
	}
	if (!chosen.der) say("请再选择这张回执的证书文件", "now choose the certificate that the receipt is of");
	else if (chosen.receipt) await ask_receipt(chosen.der, chosen.receipt);
	else await ask_certificate(chosen.der);
}

document.getElementById("ask").addEventListener("submit", (e) => {
	e.preventDefault();
	ask_serial(document.getElementById("serial").value);
});
document.getElementById("file").addEventListener("change", (e) => ask_files(e.target.files));
const drop = document.getElementById("drop");
drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (e) => {
	e.preventDefault();
	drop.classList.remove("over");
	ask_files(e.dataTransfer.files);
});

const linked = new URLSearchParams(location.search).get("serial");
if (linked) {
	document.getElementById("serial").value = linked;
	ask_serial(linked);
}
