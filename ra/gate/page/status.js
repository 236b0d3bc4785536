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
	answer.append(list);
}

async function get(query) {
	const reply = await fetch("/v1/status" + query, { headers: { Accept: "application/json" } });
	const o = await reply.json();
	if (o.error) throw o.error;
	return o.answers;
}

// From the certificate that was asked for to the newest of its line; a circle or a long line ends it.
async function chain(first) {
	const seen = new Set();
	for (let list = first; list.length > 0 && seen.size < 32;) {
		list.forEach(show);
		const last = list[0], key = last.successor_issuer + last.successor;
		if (!last.successor || seen.has(key)) return;
		seen.add(key);
		list = await get("/" + last.successor + "?issuer=" + last.successor_issuer);
	}
}

async function ask(query) {
	say("查询中…", "asking…");
	try {
		const list = await get(query);
		answer.replaceChildren();
		await chain(list);
	} catch (e) {
		say(e.zh || "查询失败，请稍后再试", e.en || "no answer: try later");
	}
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

async function ask_file(file) {
	if (!file) return;
	if (!window.crypto || !crypto.subtle) {
		say("请通过 HTTPS 打开本页，才能选择文件", "open this page by HTTPS to choose a file");
		return;
	}
	if (file.size === 0 || file.size > 65536) {
		say("这不是证书文件", "this is no certificate");
		return;
	}
	try {
		const der = to_der(new Uint8Array(await file.arrayBuffer()));
		const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
		await ask("?sha256=" + Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join(""));
	} catch (e) {
		say("这不是证书文件", "this is no certificate");
	}
}

document.getElementById("ask").addEventListener("submit", (e) => {
	e.preventDefault();
	ask_serial(document.getElementById("serial").value);
});
document.getElementById("file").addEventListener("change", (e) => ask_file(e.target.files[0]));
const drop = document.getElementById("drop");
drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (e) => {
	e.preventDefault();
	drop.classList.remove("over");
	ask_file(e.dataTransfer.files[0]);
});

const linked = new URLSearchParams(location.search).get("serial");
if (linked) {
	document.getElementById("serial").value = linked;
	ask_serial(linked);
}
