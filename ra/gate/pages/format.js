// Times, money and words as people read them. The desk speaks UTC and fen; people here live in Shanghai and pay in yuan.
import { say } from "./i18n.js";

const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const time = (iso) => (iso ? clock.format(new Date(iso)) : "–");
export const day = (iso) => time(iso).slice(0, 10);
export const minute = (iso) => time(iso).slice(0, 16);
export const yuan = (fen) => (fen === null || fen === undefined ? "–" : `¥ ${(fen / 100).toFixed(2)}`);
export const size = (n) => (n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(0)} KiB` : `${(n / 1048576).toFixed(1)} MiB`);

// Who did something, or from where, as a row names it: a person by the name, a program's user by its number.
const USER = ["系统用户 {n}", "system user {n}"];
export const whoWord = (who) => (/^uid:\d+$/.test(who) ? say(USER, { n: who.slice(4) }) : who.replace(/^ip:/, ""));

const STATES = {
	good: ["有效", "good", "ok"],
	held: ["已挂起", "held", "warn"],
	revoked: ["已吊销", "revoked", "bad"],
	ended: ["已终止", "ended", "bad"],
	expired: ["已到期", "expired", "warn"],
	unknown: ["未知", "unknown", "plain"],
	active: ["服务中", "active", "ok"],
	expiring: ["即将到期", "expiring", "warn"],
	awaiting_payment: ["待付款", "to be paid", "warn"],
	lapsed: ["已失效", "lapsed", "plain"],
	created: ["待付款", "to be paid", "warn"],
	paid: ["已付款", "paid", "ok"],
	fulfilled: ["已完成", "fulfilled", "ok"],
	cancelled: ["已取消", "cancelled", "plain"],
	refunded: ["已退款", "refunded", "plain"],
	drafted: ["草稿", "draft", "plain"],
	awaiting_proof: ["待签名", "to be signed", "warn"],
	awaiting_officers: ["审核中", "in review", "busy"],
	approved: ["已通过", "approved", "busy"],
	sent: ["签发中", "being issued", "busy"],
	issued: ["已签发", "issued", "ok"],
	refused: ["未通过", "refused", "bad"],
	withdrawn: ["已撤回", "withdrawn", "plain"],
	to_correct: ["待补正", "to be corrected", "warn"],
	corrected: ["已补正", "corrected", "plain"],
	opened: ["已受理", "opened", "busy"],
	at_key_centre: ["密钥中心处理中", "at the key centre", "busy"],
	delivered: ["已恢复", "delivered", "ok"],
	no_copy: ["无备份", "no copy", "bad"],
	waived: ["已放弃恢复", "waived", "plain"],
	done: ["已完成", "done", "ok"],
	failed: ["未成功", "failed", "bad"],
	to_make: ["待制作", "key to be made", "busy"],
	keyed: ["密钥已生成", "key made", "busy"],
	to_ship: ["待寄出", "to be shipped", "busy"],
	in_post: ["运送中", "in the post", "busy"],
	sealed: ["待取用", "sealed", "busy"],
	released: ["已取用", "released", "busy"],
	packed: ["已装箱", "packed", "busy"],
	shipped: ["已寄出", "shipped", "busy"],
	received: ["已签收", "received", "ok"],
	lost: ["已遗失", "lost", "bad"],
	returned: ["已退回", "returned", "plain"],
	undone: ["已撤销", "undone", "plain"],
	in_use: ["使用中", "in use", "ok"],
	stock: ["库存", "in stock", "plain"],
	prepared: ["已备好", "prepared", "plain"],
	damaged: ["已损坏", "damaged", "bad"],
	scrapped: ["已报废", "scrapped", "plain"],
};
export const stateWord = (word) => (STATES[word] ? say(STATES[word]) : word || "–");
export const stateTone = (word) => (STATES[word] ? STATES[word][2] : "plain");

const KINDS = {
	extend: ["延期", "extension"],
	change: ["变更", "change"],
	enrol: ["新办", "first certificate"],
	reissue: ["补办", "reissue"],
	revoke: ["吊销", "revocation"],
	hold: ["挂起", "hold"],
	release: ["解除挂起", "release"],
	recover: ["恢复证书", "recovery"],
	unlock: ["解锁", "unlock"],
	renew: ["续费", "renewal"],
	new: ["新服务", "new service"],
};
// Why a certificate counts no more (RFC 5280 5.3.1).
const REASONS = {
	unspecified: ["未说明", "not said"],
	keyCompromise: ["密钥遗失或泄露", "the key is lost or in other hands"],
	cACompromise: ["签发机构密钥泄露", "the CA's key is in other hands"],
	affiliationChanged: ["证书信息变更", "the subject has changed"],
	superseded: ["由新证书取代", "replaced by another certificate"],
	cessationOfOperation: ["不再使用", "no longer used"],
	certificateHold: ["挂起", "on hold"],
	removeFromCRL: ["解除挂起", "released from hold"],
	privilegeWithdrawn: ["授权撤销", "the right to it was withdrawn"],
	aACompromise: ["属性机构密钥泄露", "the attribute authority's key is in other hands"],
};
export const reasonWord = (word) => (REASONS[word] ? say(REASONS[word]) : word);
export const kindWord = (word) => (KINDS[word] ? say(KINDS[word]) : word || "–");
