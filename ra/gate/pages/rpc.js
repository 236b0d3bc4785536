// Calls to the desk, through this portal's /rpc. Who is asking, the browser's cookie says; no script of the page sees it.
import { say } from "./i18n.js";

const TIMEOUT_MS = 40000;
let next = 1;

// What the desk, the portal or the network refused. field: the parameter that is wrong ("" when none), words by language.
export class RpcError extends Error {
	constructor(error) {
		const data = error.data || {};
		super(error.message || "error");
		this.reason = data.reason || "error";
		this.field = (data.field || "").replace(/^params\./, "");
		this.words = { zh: data.zh || error.message, en: data.en || error.message };
		this.detail = data.text || "";
		this.ref = data.ref || "";
		this.contact = data.contact || null;
	}
	get loggedOut() { return this.reason === "session_missing" || this.reason === "session_unknown"; }
	say() { return say(this.words) + (this.ref ? ` (${this.ref})` : ""); }
}

const network = (zh, en, reason) => new RpcError({ message: en, data: { zh, en, reason } });

// An id for one wish of a person's: the same call again, after a lost answer, brings the same id.
export function callId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

async function post(body) {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
	try {
		const answer = await fetch("/rpc", { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body, signal: stop.signal });
		const text = await answer.text();
		try {
			return JSON.parse(text);
		} catch {
			throw network(`服务返回了无法识别的内容（HTTP ${answer.status}）`, `the answer is unreadable (HTTP ${answer.status})`, "unreadable");
		}
	} catch (e) {
		if (e instanceof RpcError) throw e;
		throw network("网络不通，请检查网络后重试", "no connection: check the network and try again", "network");
	} finally {
		clearTimeout(timer);
	}
}

// These need nobody logged in: a session that has ended does not stand in their way, for the portal has dropped its cookie by the next call.
const OPEN = /^(account\.(sms|check)|status\.query|form\.get|material\.)/;

export async function rpc(method, params = {}) {
	const clean = Object.fromEntries(Object.entries(params).filter(([, v]) => v !== undefined && v !== null && v !== ""));
	const body = JSON.stringify({ jsonrpc: "2.0", id: next++, method, params: clean });
	let reply = await post(body);
	if (reply.error && reply.error.data && reply.error.data.reason === "session_unknown" && OPEN.test(method)) reply = await post(body);
	if (reply.error) throw new RpcError(reply.error);
	return reply.result;
}

// A changing call, with an id of its own unless the caller keeps one for the next try.
export const change = (method, params = {}, id = callId()) => rpc(method, { ...params, call_id: id });
