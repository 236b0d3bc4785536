// Every field of every form, wrong in each way that it can be wrong: node forms.mjs. A row is a field, what is put there, and what must then stand at it, in Chinese and in English;
// nothing of what was typed may be gone, no other field may be blamed, and the focus is on the field. A form is opened once in each language, and its rows follow each other.
import assert from "node:assert/strict";
import { looks, open, play, settled, shot, smsCode, sound } from "./browser.mjs";

const { HTTP, PROXY, MOBILE, PASSWORD, ORDER, NUMBER, CODE, SERIAL, THIRD, THIRD_ORDER, NEWCOMER, RECOVERY, DRAFT, SERVICE, CASE } = process.env;
const FRESH = "91330100MAHUFU0179", FREE = "91330100MAHUFU0254";

const EMPTY = ["此项必填", "this is required"];
const HIDDEN = ["内容中含有控制字符或不可见字符", "there are control or invisible characters in it"];
const LONG = ["内容过长", "too long"];
const FORM = ["格式不正确", "malformed"];
const CHECK = ["代码校验未通过", "the identifier fails its check"];
const MOBILE_FORM = ["手机号格式不正确", "no mobile number that can be sent to"];
const SIX = ["短信验证码为六位数字", "a code is six digits"];
const CODE_WRONG = ["验证码不正确或已失效，请重新获取", "the code is wrong or over: ask for a new one"];
const WEAK = ["新密码不符合要求", "the new password is too short, published or the same"];
const MAIL = ["邮箱地址格式不正确", "no mail address"];
const NO_REQUEST = ["没有找到这项申请", "no such request"];
const PHONE = ["电话号码格式不正确", "no telephone number"], NO_PEM = ["没有找到 PEM", "no PEM block"];
const long = "长".repeat(700), hidden = "一\u200b二";

const text = (field) => [[field, "", EMPTY], [field, hidden, HIDDEN], [field, long, LONG]];
const search = () => [["search", hidden, HIDDEN], ["search", long, LONG]];
const identifier = (field) => [[field, "", EMPTY], [field, "913301003535355024", CHECK], [field, "35353550-9", CHECK], [field, "no code", FORM], [field, long, LONG]];
const mobile = (field) => [[field, "", EMPTY], [field, "1300000000", MOBILE_FORM], [field, "23800000000", MOBILE_FORM], [field, "138 0000 0000", MOBILE_FORM]];
const code = (field) => [[field, "", EMPTY], [field, "12345", SIX], [field, "12345六", SIX], [field, "000000", CODE_WRONG]];
const both = (password) => ({ new_password: password, new_password_again: password });
const good = both("a long enough one");
const passwords = [["new_password", { new_password: "" }, EMPTY], ["new_password", both("short"), WEAK], ["new_password", both("88888888"), WEAK], ["new_password_again", "", EMPTY], ["new_password_again", "a long enough two", ["两次输入的新密码不一致", "the two new passwords differ"]]];

// at: a field that this form alone has on its page, or which of several (nth); way: what is chosen before; typed: what stands in it when a row begins.
const FORMS = {
	stranger: [
		{ page: "", at: "search", typed: { search: "没有这个" }, rows: search() },
		{ page: "login", at: "password", typed: { identifier: "913301003535355023", password: "wrong one" }, rows: [["identifier", "", EMPTY], ["identifier", long, LONG], ["password", "", EMPTY], ["password", "wrong", ["用户名或密码不正确", "the name or the password is wrong"]]] },
		{ page: "register", at: "organisation", typed: { identifier: FREE, organisation: "杭州新来示例有限公司", agent: "王五", mobile: "13700000001", sms_code: "000000", ...good }, rows: [...identifier("identifier"), ...text("organisation"), ...text("agent"), ...mobile("mobile"), ...code("sms_code"), ...passwords] },
		{ page: "forgot", at: "sms_code", typed: { mobile: "13700000001", sms_code: "000000", ...good }, rows: [...mobile("mobile"), ...code("sms_code"), ...passwords] },
		{ page: "identifier", at: "text", typed: { organisation: "杭州新来示例有限公司", agent: "王五", mobile: "13700000001", text: "请联系" }, rows: [...text("organisation"), ...text("agent"), ...mobile("mobile"), ["text", hidden, HIDDEN], ["text", long, LONG]] },
		{ page: "freeze", at: "code", typed: { code: "ABCD" }, rows: [["code", "", EMPTY], ["code", "ABCD-EFGH", ["冻结码不正确或已失效", "the code is wrong or over"]], ["code", long, LONG]] },
	],
	fresh: [
		{ page: "reset", at: "line", typed: { line: "x" }, rows: [["line", "", EMPTY], ["line", "no line", ["签名行格式不正确", "the signature line is malformed"]], ["line", `— sub:${"a".repeat(40)}:01 AAAAAAAA`, ["签名", "sign"]], ["line", long, LONG]] },
		{ page: "reset", at: "code", typed: { code: "ABCD" }, rows: [["code", "", EMPTY], ["code", "ABCD-EFGH", ["验证码不正确或已失效，请联系服务台 (电话 0579", "the code is wrong or over: ask the service desk (telephone 0579"]], ["code", long, LONG]] },
	],
	proved: [{ page: "reset", at: "mobile", typed: { mobile: "13700000003", sms_code: "000000", ...good }, rows: [...mobile("mobile"), ...code("sms_code"), ...passwords, ["new_password", both(FRESH), WEAK]], taken: ["该手机号已被其他账户使用，请联系服务台 (电话 0579", "another account uses this number: ask the service desk (telephone 0579"] }],
	org: [
		{ page: "me", at: "mail", typed: { mail: "agent@example.com" }, rows: [["mail", "nobody", MAIL], ["mail", "a@b", MAIL], ["mail", "a b@example.com", MAIL], ["mail", "名@example.com", MAIL], ["mail", `${"a".repeat(65)}@example.com`, MAIL], ["mail", long, LONG]] },
		{ page: "me", at: "password", typed: { password: PASSWORD, ...good }, rows: [["password", "", EMPTY], ["password", "wrong", ["当前密码不正确", "the present password is wrong"]], ...passwords, ["new_password", both(MOBILE), WEAK]] },
		{ page: "me", at: "old_code", typed: { agent: "王五", old_code: "000000", mobile: "13700000002", new_code: "000000", ...good }, rows: [...text("agent"), ["old_code", "", EMPTY], ["old_code", "12345", SIX], ...mobile("mobile"), ...code("new_code"), ...passwords] },
		{ page: "link", at: "identifier", typed: { identifier: FREE, organisation: "杭州新来示例有限公司", sms_code: "000000" }, rows: [...identifier("identifier"), ...text("organisation"), ...code("sms_code")] },
		{ page: `order/${ORDER}`, at: "tax_number", typed: { title: "杭州田谷", tax_number: "913301003535355023" }, rows: [...text("title"), ["tax_number", "", EMPTY], ["tax_number", "12", ["18 位统一社会信用代码", "a unified code of 18 characters"]], ["tax_number", "913301003535355024", CHECK], ["tax_number", "12345678901234é", FORM]] },
		{ page: `new/change/${SERIAL}`, way: "name-or-code", at: "organisation", typed: { organisation: "杭州虎符示例科技有限公司", identifier: "913301003535355023", files: "no" },
			rows: [["organisation", "", EMPTY], ["organisation", hidden, HIDDEN], ["organisation", "长".repeat(80), ["过长", "too long"]], ["organisation", "长", ["单位名称过短", "the name is too short"]], ["identifier", "", EMPTY], ["identifier", "913301003535355024", CHECK], ["identifier", "no code", ["应为 18 位统一社会信用代码", "wanted a unified code of 18 characters"]], ["identifier", FRESH, ["该单位代码已有其他有效证书", "the identifier lives in another certificate"]],
				["organisation", { organisation: "擎洲测试投标人6", identifier: "35353550-9" }, ["主体没有变化", "nothing changes in the subject"]], ["files", null, EMPTY], ["csr", "no request", ["没有找到 PEM", "no PEM block"]], ["csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", FORM]] },
		{ page: `new/change/${SERIAL}`, way: "legal-representative", at: "legal_representative", typed: { legal_representative: "李四" }, rows: text("legal_representative") },
		{ page: `new/reissue/${SERIAL}`, way: "lost", at: "recipient", typed: { where: "desk", recipient: "张三", mobile: "0571-88880000", ship_to: "杭州市西湖区示例路1号", files: "no" }, rows: [...text("recipient"), ["mobile", "", EMPTY], ["mobile", "12", ["电话号码格式不正确", "no telephone number"]], ["mobile", "call me", ["电话号码格式不正确", "no telephone number"]], ...text("ship_to"), ["files", null, EMPTY]] },
		{ page: `new/reissue/${SERIAL}`, way: "lost", at: "csr", typed: { where: "own", csr: "x", files: "no" }, rows: [["csr", "", EMPTY], ["csr", "no request", ["没有找到 PEM", "no PEM block"]]] },
	],
	third: [
		{ page: "apply", at: "search", typed: { search: "没有这个" }, rows: search() },
		{ page: "services", at: "search", typed: {}, rows: search() },
		{ page: "certificates", at: "search", typed: {}, rows: search() },
		{ page: "new/extend/74C2008800000C01", way: "new-key", at: "csr", typed: { order: THIRD_ORDER, files: "no", csr: "x" }, rows: [["csr", "", EMPTY], ["csr", "no request", NO_PEM], ["files", null, EMPTY]] },
	],
	newcomer: [
		{ page: `new/enrol/${SERVICE}`, at: "recipient", typed: { where: "desk", recipient: "张三", mobile: "0571-88880000", ship_to: "杭州市西湖区示例路1号" }, rows: [...text("recipient"), ["mobile", "12", PHONE], ...text("ship_to"), ["csr", { where: "own", csr: "" }, EMPTY], ["csr", { where: "own", csr: "no request" }, NO_PEM]] },
	],
	receipt: [{ page: "parcels", at: "token", typed: { token: "8ca811af663709db" }, rows: [["token", "", EMPTY], ["token", long, LONG]] }],
	officer: [
		{ page: "", at: "officer", typed: {}, rows: [["officer", "al ice", ["名册中的名字不含空格", "a name of the roster has no space"]]] },
		{ page: `request/${NUMBER}`, at: "other", typed: {}, rows: [["agent-id-card", {}, ["请至少写明一项", "Say at least one item"]], ["other", hidden, HIDDEN], ["business-licence", hidden, HIDDEN], ["O", hidden, HIDDEN], ["other", long, LONG]] },
		{ page: `request/${NUMBER}`, at: "reason", typed: {}, rows: text("reason") },
		{ page: `request/${RECOVERY}`, at: "note", typed: { step: "sent", note: "KMC-7" }, rows: [...text("note"), ["step", { step: "waived" }, ["缺少放弃恢复证书声明", "the stamped waiver is missing"]]] },
		{ page: `case/${CASE}`, at: "answer", typed: { decision: "refuse", answer: "请带执照原件" }, rows: [["decision", null, EMPTY], ...text("answer")] },
		{ page: "token/8ca811af663709db", at: "why", typed: { to: "damaged", why: "外壳破损" }, rows: text("why") },
		{ page: "audit", at: "since", typed: { object: NUMBER, since: "2026-11-02" }, rows: [["until", "2026-11-01", ["结束日期早于开始日期", "the last day is before the first"]], ["object", long, LONG], ["object", hidden, HIDDEN], ["who", long, LONG], ["who", hidden, HIDDEN]] },
		{ page: "accounts", at: "search", typed: { search: "没有这个" }, rows: search() },
		{ page: "payments", at: "search", typed: { search: "没有这个" }, rows: search() },
		{ page: "tokens", at: "search", typed: { search: "no such" }, rows: search() },
		{ page: "accounts", at: "reason", typed: { identifier: FRESH, reason: "营业执照原件" }, rows: [["identifier", "", EMPTY], ["identifier", "no such", ["没有这个账户", "there is no such account"]], ["identifier", "35353550-9", ["该账户已设置过自己的密码", "this account has a password of its own"]], ...text("reason")] },
		{ page: "payments", at: "amount_fen", typed: { order: ORDER, bank_reference: "BANK-9", amount_fen: "1" }, rows: [["order", "", EMPTY], ["order", "no such", ["没有找到这个订单", "no such order"]], ...text("bank_reference"), ["amount_fen", "much", ["请填写金额", "wanted an amount"]], ["amount_fen", "1.234", ["请填写金额", "wanted an amount"]], ["amount_fen", "-1", ["请填写金额", "wanted an amount"]]] },
		{ page: "payments", at: "payment", typed: { order: ORDER, bank_reference: "BANK-9", payment: "nothing" }, rows: [["order", "", EMPTY], ["order", "no such", ["没有找到这个订单", "no such order"]], ...text("bank_reference"), ["payment", "no such", ["该订单没有这笔付款", "no such payment"]]] },
		{ page: "parcels", at: "request", nth: 0, typed: { request: NUMBER, token: "8ca811af663709db" }, rows: [["request", "", EMPTY], ["request", "none", ["申请编号形如", "a number as"]], ["request", "20261126-AAAAAAAAAAAA", NO_REQUEST], ["token", "", EMPTY], ["token", long, LONG]] },
		{ page: "parcels", at: "carrier", typed: { request: NUMBER, carrier: "顺丰", tracking: "SF1" }, rows: [["request", "20261126-AAAAAAAAAAAA", NO_REQUEST], ["carrier", "", EMPTY], ["carrier", long, LONG], ["tracking", "", EMPTY], ["tracking", long, LONG], ["recipient", long, LONG], ["mobile", "1".repeat(21), LONG], ["ship_to", long, LONG]] },
		{ page: "parcels", at: "request", nth: 2, typed: { request: NUMBER, token: "8ca811af663709db", note: "外壳破损" }, rows: [["request", "20261126-AAAAAAAAAAAA", NO_REQUEST], ["token", "", EMPTY], ["note", "", EMPTY], ["note", long, LONG]] },
		{ page: "parcels", at: "close", typed: { request: NUMBER, note: "快递公司告知遗失" }, rows: [["request", "20261126-AAAAAAAAAAAA", NO_REQUEST], ["note", "", EMPTY], ["note", long, LONG]] },
	],
};

// In the page: each row is put into its fields as if typed and handed in; what the form then says, and whether what was typed is still there.
const play_rows = (form, rows) => form.evaluate(async (node, rows) => {
	const field = (name) => node.querySelector(`[data-name="${name}"]`), names = () => [...node.querySelectorAll("[data-name]")].map((f) => f.dataset.name);
	const value = (name) => (field(name).querySelector("[type=radio]") ? field(name).querySelector(":checked")?.value || "" : field(name).querySelector("input, select, textarea").value);
	const read = () => Object.fromEntries(names().map((name) => [name, value(name)]));
	const put = (values) => {
		for (const [name, v] of Object.entries(values)) {
			const inputs = [...field(name).querySelectorAll("input, select, textarea")];
			for (const i of inputs) if (i.type === "radio") i.checked = i.value === v; else i.value = v;
			inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
		}
	};
	const said = () => Object.fromEntries([...names().map((name) => [name, field(name).querySelector(".wrong").textContent]), ["", node.querySelector("[role=alert]")?.textContent]].filter(([, text]) => text));
	const results = [];
	for (const values of rows) {
		const before = read();
		put(values);
		const typed = read();
		node.requestSubmit();
		while (node.isConnected && node.querySelector("[type=submit][aria-busy]")) await new Promise((then) => setTimeout(then, 2));
		results.push({ said: said(), typed, now: read(), focus: document.activeElement.closest("[data-name]")?.dataset.name });
		put(Object.fromEntries(Object.keys(values).map((name) => [name, before[name]])));
	}
	return results;
}, rows);
const read = (form) => form.evaluate((node) => Object.fromEntries([...node.querySelectorAll("[data-name]")].map((f) => [f.dataset.name, f.querySelector("[type=radio]") ? f.querySelector(":checked")?.value || "" : f.querySelector("input, select, textarea").value])));
const RADIO = ["where", "files", "decision"], SELECT = ["order", "months", "step", "to"];
const put = async (form, values) => {
	for (const [name, value] of Object.entries(values)) {
		const field = form.locator(`[data-name="${name}"]`);
		if (RADIO.includes(name)) await field.locator(`input[value="${value}"]`).check();
		else if (SELECT.includes(name) && (await field.locator("select").count())) await field.locator("select").selectOption(value);
		else await field.locator("input, textarea").fill(value);
	}
};
const hand_in = (form) => form.locator("[type=submit]").click();

const valuesOf = ([field, value]) => (value && typeof value === "object" ? value : { [field]: value || "" });
function judge([field, , words], { said, typed, now, focus }, language, where) {
	assert.deepEqual(Object.keys(said), [field], `${where}: said ${JSON.stringify(said)}`);
	assert.ok(said[field].includes(words[language === "zh" ? 0 : 1]), `${where}: ${said[field]}`);
	assert.deepEqual(now, typed, `${where}: what was typed`);
	assert.equal(focus, field, `${where}: the focus`);
}

const NOT_KEPT = /password|code$|^search$/; // a secret never, a search only while its page is there

// One form in one language. left: what the Chinese page had typed in it when its rows were over, which its English one must have still.
async function fill(page, f, language, left) {
	const key = `${f.page} ${f.way || f.at + (f.nth || "")}`;
	if (!page.url().endsWith(`#/${f.page}`) || f.way) await page.evaluate((to) => { document.querySelector("main").replaceChildren(); if (location.hash === to) dispatchEvent(new Event("hashchange")); else location.hash = to; }, `#/${f.page}`);
	await page.locator("main h1").waitFor();
	await settled(page);
	if (f.way) await page.locator(`input[name=way][value="${f.way}"]`).check();
	const form = page.locator("form").filter({ has: page.locator(`[data-name="${f.at}"]`) }).nth(f.nth || 0);
	await form.waitFor({ state: "attached" });
	await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
	const now = await read(form);
	if (language === "en") for (const [name, value] of Object.entries(left[key])) if (!NOT_KEPT.test(name)) assert.equal(now[name], value, `${key}: ${name} after the language was changed`);
	await put(form, f.typed);
	const rows = f.rows.map((r) => valuesOf(r));
	if (f.taken) {
		await put(form, { mobile: MOBILE });
		if (language === "zh") await form.getByRole("button", { name: "获取验证码" }).click();
		await settled(page);
		rows.push({ mobile: MOBILE, sms_code: await smsCode(MOBILE) });
	}
	const results = await play_rows(form, rows);
	[...f.rows, ...(f.taken ? [["mobile", "another account's", f.taken]] : [])].forEach((r, i) => judge(r, results[i], language, `${key}, ${r[0]} = ${JSON.stringify(rows[i]).slice(0, 60)}, ${language}`));
	left[key] = await read(form);
}

async function fillAll(page, who) {
	const left = {};
	for (const language of ["zh", "en"]) {
		if ((await page.evaluate(() => document.documentElement.lang.slice(0, 2))) !== language) await page.getByRole("button", { name: language === "en" ? "English" : "中文" }).click();
		for (const f of FORMS[who]) await fill(page, f, language, left);
	}
}

// --- what is no field of a form

// Both languages, one after the other.
async function both_ways(page, does) {
	for (const language of ["zh", "en"]) {
		if ((await page.evaluate(() => document.documentElement.lang.slice(0, 2))) !== language) await page.getByRole("button", { name: language === "en" ? "English" : "中文" }).click();
		await does(language, (words) => words[language === "zh" ? 0 : 1]);
	}
}

// Files into a paper's place, as a drag does it or as they are chosen: what is said stands there, the keyboard is there, and no other paper's place says anything.
const dropped = (row, files) => row.locator(".drop").evaluate((node, files) => {
	const transfer = new DataTransfer();
	for (const [name, size, text] of files) transfer.items.add(new File([text || new Uint8Array(size)], name));
	node.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}, files);
const chosen = (row, [[name, , text]]) => row.locator("input[type=file]").setInputFiles({ name, mimeType: "application/pdf", buffer: Buffer.from(text || "") });
const FILES = [
	["of another kind", dropped, [["licence.exe", 0, "MZ no paper"]], ["不是 PDF、JPEG 或 PNG 文件", "this is no PDF, JPEG or PNG file"]],
	["of another kind under a paper's name", chosen, [["licence.pdf", 0, "no paper at all"]], ["不是 PDF、JPEG 或 PNG 文件", "this is no PDF, JPEG or PNG file"]],
	["that begins as a PDF and is none", chosen, [["licence.pdf", 0, "%PDF-1.4\nand no more"]], ["文件不完整", "the file is cut short"]],
	["too large", dropped, [["licence.pdf", 20 * 1024 * 1024 + 1]], ["文件超过 20 MiB", "the file is over 20 MiB"]],
	["empty", chosen, [["licence.pdf", 0, ""]], ["文件是空的", "the file is empty"]],
	["two at once", dropped, [["a.pdf", 0, "%PDF-1.4"], ["b.pdf", 0, "%PDF-1.4"]], ["一次只能上传一份文件", "one file at a time"]],
];
async function uploads(page) {
	await page.evaluate((to) => { location.hash = to; }, `#/request/${DRAFT}`);
	await both_ways(page, async (language, said) => {
		const row = page.getByRole("row").filter({ hasText: said(["营业执照", "business licence"]) });
		await row.locator(".drop").waitFor();
		await settled(page);
		for (const [what, hand, files, words] of FILES) {
			await hand(row, files);
			await row.locator(".wrong", { hasText: said(words) }).waitFor();
			assert.equal(await page.locator(".drop .wrong:not(:empty)").count(), 1, `${what}, ${language}`);
			assert.equal(await row.locator("input[type=file]").evaluate((n) => n === document.activeElement && n.getAttribute("aria-invalid")), "true", `${what}, ${language}: the focus`);
		}
	});
}

// The picture code of a project's log-in: a wrong one brings another picture, and what was typed beside it stays; the password too, as long as the page does.
async function picture(page) {
	await page.evaluate(() => { location.hash = "#/project/jinhua"; });
	await both_ways(page, async (language, said) => {
		const at = (name) => page.locator(`[data-name="${name}"]`), wrong = (name) => at(name).locator(".wrong");
		await at("picture_code").waitFor();
		await settled(page);
		assert.equal(await at("identifier").locator("input").inputValue(), language === "zh" ? "" : FREE);
		await at("identifier").locator("input").fill(FREE);
		await at("password").locator("input").fill("the password");
		for (const [typed, words] of [["", EMPTY], ["ABCDE", ["图形验证码不正确", "the picture code is wrong"]]]) {
			const before = await page.locator("img.picture").getAttribute("src");
			await at("picture_code").locator("input").fill(typed);
			await at("picture_code").locator("input").press("Enter");
			await wrong("picture_code").filter({ hasText: said(words) }).waitFor();
			assert.deepEqual(await page.locator(".wrong:not(:empty)").count(), 1);
			if (typed !== "") assert.notEqual(await page.locator("img.picture").getAttribute("src"), before);
			assert.equal(await page.evaluate(() => document.activeElement.name), "picture_code");
			assert.deepEqual([await at("identifier").locator("input").inputValue(), await at("password").locator("input").inputValue()], [FREE, "the password"]);
		}
	});
}

// 签收: a parcel that the test plays, of a request that is not in the post.
async function receipt(page) {
	await page.route("**/rpc", async (route) => {
		if (route.request().postDataJSON().method !== "parcel.list") return route.continue();
		const answer = await route.fetch(), body = await answer.json();
		body.result = { parcels: [{ request: DRAFT, number: DRAFT, state: "shipped", token: "", carrier: "顺丰", tracking: "SF1" }], total: 1 };
		return route.fulfill({ response: answer, json: body });
	});
	await fillAll(page, "receipt");
	await page.unroute("**/rpc");
}

async function logIn(page, name, password, then) {
	await page.evaluate(() => { location.hash = "#/login"; });
	const form = page.locator("form").filter({ has: page.locator("[name=password]") });
	await form.waitFor();
	await put(form, { identifier: name, password });
	await hand_in(form);
	await page.getByRole("heading", { level: 1, name: then }).waitFor();
}

const WHO = {
	async stranger(page) {
		await fillAll(page, "stranger");
		await page.getByRole("button", { name: "中文" }).click();
		await picture(page);
	},
	async fresh(page) {
		await logIn(page, FRESH, "88888888", "补录并重置");
		await fillAll(page, "fresh");
		await page.getByRole("button", { name: "中文" }).click();
		await page.getByText("第一步").waitFor();
		const form = page.locator("form").filter({ has: page.locator("[name=code]") }).last();
		await put(form, { code: CODE });
		await hand_in(form);
		await page.locator("[name=new_password]").waitFor();
		await fillAll(page, "proved");
	},
	async org(page) {
		await logIn(page, MOBILE, PASSWORD, "我的服务");
		await fillAll(page, "org");
	},
	async third(page) {
		await logIn(page, THIRD, "the password of third", "我的服务");
		await fillAll(page, "third");
		await page.evaluate(() => { location.hash = "#/apply"; });
		await page.getByRole("searchbox").fill("金华");
		await page.getByRole("button", { name: "中文" }).click();
		await page.getByRole("heading", { level: 1, name: "服务申请" }).waitFor();
		await page.waitForFunction(() => document.querySelector("[type=search]").value === "金华");
		await receipt(page);
		await uploads(page);
	},
	async newcomer(page) {
		await logIn(page, NEWCOMER, "the password of newcomer", "我的服务");
		await fillAll(page, "newcomer");
	},
	async officer(page) {
		await fillAll(page, "officer");
	},
};

// Six people at once, each in a browser of their own.
await play({
	async all() {
		const ends = await Promise.allSettled(Object.entries(WHO).map(async ([who, does]) => {
			const page = await open({ fresh: true });
			await page.goto(`http://${who === "officer" ? PROXY : HTTP}/`);
			await page.locator("main").waitFor({ state: "attached" });
			await does(page);
			sound(page);
		}));
		assert.deepEqual(ends.filter((e) => e.reason).map((e) => e.reason.message.slice(0, 1500)), []);
	},

	// What an administrator who is no officer may not ask for is not offered; the operator's view says all in the language that is chosen.
	async administrator() {
		const page = await open({ fresh: true });
		await page.goto(`http://${PROXY}/`);
		await page.getByRole("heading", { level: 1, name: "概览" }).waitFor();
		assert.deepEqual(await page.locator("nav.side a").allInnerTexts(), ["概览", "审计记录", "系统状况"]);
		assert.equal(await page.getByLabel("审核员姓名").count(), 0);
		await page.getByRole("link", { name: "系统状况" }).click();
		await page.getByRole("row", { name: /OCSP responder ocsp-1.*有效/ }).waitFor();
		const row = page.getByRole("row").filter({ hasText: NUMBER });
		const held = page.getByText("挂起中的证书 1 张");
		while (!(await row.count()) || !(await held.count())) { // the signer's answers are on their way
			await page.reload();
			await page.getByRole("heading", { level: 1, name: "系统状况" }).waitFor();
		}
		await row.getByText("签名者不在名册中").waitFor();
		await row.getByText("signer_unknown").waitFor();
		assert.equal(await row.getByRole("link").count(), 0);
		await page.getByText("检查点原文").click();
		await page.getByText(/^hufu\/log\/[0-9a-f]{40}\n\d+\n/).waitFor();
		await looks(page, "system");
		await shot(page, "desk-administrator-1440-zh");
		await page.getByRole("button", { name: "English" }).click();
		await page.getByText("1 certificates are on hold").waitFor();
		await page.getByRole("link", { name: "Audit" }).click();
		await page.getByRole("row").nth(20).waitFor();
		sound(page);
	},
});
