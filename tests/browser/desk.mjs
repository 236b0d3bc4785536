// One step of an officer's day at the desk's pages, in Chromium: node desk.mjs STEP. The organisations, and the colleague at another machine, are officers.bats's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { at, base, foreign, keep, looks, open, play, settled, shot, sound, tabTo, WIDTHS, words } from "./browser.mjs";

const number = (name) => readFileSync(`${process.env.WORK}/${name}`, "utf8").trim();

const PAGES = ["", "queue", `request/${number("number")}`, "accounts?find=91330100", "cases?state=accepted", "parcels", "payments", "tokens", "token/8ca811af663709db", `audit?object=${number("number")}`, "audit?who=uid:0", "system"];

const steps = {
	// Who acts is said once; the queue shows what is due, and its filters are in the address.
	async queue() {
		const page = await open({ fresh: true });
		await at(page, "", "概览");
		await page.getByLabel("审核员姓名").fill("alice");
		await page.getByRole("button", { name: "保存" }).click();
		await page.getByText("已保存").waitFor();
		await at(page, "queue", "待审核");
		await page.getByText("待审核 2，已逾期 0，已认领 0").waitFor();
		assert.equal(await page.getByRole("row").count(), 3);
		await page.getByLabel("业务").selectOption("revoke");
		await page.getByText("没有记录").waitFor();
		await page.getByLabel("业务").selectOption("change");
		await page.getByRole("link", { name: number("number") }).waitFor();
		assert.match(page.url(), /kind=change/);
		await page.getByRole("link", { name: number("second") }).click(); // and back: the choice is still there, and so is what comes next in it
		await page.getByRole("link", { name: "下一件：杭州田谷" }).click();
		await page.getByRole("heading", { level: 1, name: `申请 ${number("number")}` }).waitFor();
		await page.getByRole("link", { name: "返回列表" }).click();
		await page.getByRole("link", { name: number("number") }).waitFor();
		assert.match(page.url(), /kind=change/);
		await page.getByLabel("业务").selectOption("revoke");
		await page.getByText("没有记录").waitFor();
		await page.getByLabel("业务").selectOption("change");
		await page.getByRole("link", { name: number("number") }).waitFor();
		await page.goBack();
		await page.getByText("没有记录").waitFor();
		await at(page, "queue", "待审核");
		await shot(page, "desk-queue-1440-zh");
		await due(page);
		await keep(page);
		sound(page);
	},

	// One request: difference, papers beside it, a claim, and a correction whose messages stand at their fields.
	async request() {
		const page = await open();
		await at(page, `request/${number("number")}`, /^申请/);
		await page.getByRole("button", { name: "认领", exact: true }).click();
		await page.getByText(/alice 至/).waitFor();
		assert.deepEqual(await page.locator("del").allInnerTexts(), ["擎洲测试投标人6", "擎洲测试投标人6", "35353550-9"]);
		assert.deepEqual(await page.locator("ins").allInnerTexts(), ["杭州虎符示例科技有限公司", "杭州虎符示例科技有限公司", "913301003535355023"]);
		await page.getByRole("button", { name: "营业执照", exact: true }).click();
		const picture = page.getByRole("img", { name: /营业执照/ });
		await picture.waitFor();
		assert.equal(await picture.evaluate(async (n) => { await n.decode(); return n.naturalWidth; }), 240);
		await page.getByText(/SHA-256 与申请中的一致/).waitFor();
		await looks(page, "request");
		await shot(page, "desk-request-1440-zh");
		await page.getByRole("button", { name: "经办人身份证", exact: true }).click();
		await page.locator("iframe.material[src^='blob:']").waitFor();
		await page.getByRole("button", { name: "要求补正" }).click();
		await page.locator(".field", { hasText: "经办人身份证" }).locator(".wrong", { hasText: "至少写明一项" }).waitFor();
		await page.getByLabel("营业执照", { exact: true }).fill("印章看不清");
		await page.getByLabel("营业执照：已盖章、清晰可读，且属于该单位").check();
		const tab = await page.context().newPage(); // another tab, which will be too late
		await tab.goto(`${base}/#/request/${number("number")}`);
		await tab.getByLabel("理由").waitFor();
		await page.reload(); // what was typed is kept
		await settled(page);
		assert.equal(await page.getByLabel("营业执照", { exact: true }).inputValue(), "印章看不清");
		assert.equal(await page.getByLabel("营业执照：已盖章、清晰可读，且属于该单位").isChecked(), true);
		await page.getByRole("button", { name: "要求补正" }).click();
		await page.getByText("待补正", { exact: true }).waitFor();
		await page.getByText(/审核员要求补正：营业执照：印章看不清/).waitFor();
		await tooLate(tab);
		assert.equal(await page.evaluate(() => document.activeElement.textContent), "下一件：杭州另一家示例有限公司"); // Enter goes on
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { level: 1, name: `申请 ${number("second")}` }).waitFor();
		await page.goBack();
		await page.getByRole("heading", { level: 1, name: `申请 ${number("number")}` }).waitFor();
		assert.equal(await page.getByRole("button", { name: "不予通过" }).count(), 0);
		sound(page);
	},

	// A whole review without a mouse, in English, on a narrow window: from the queue to a rejection; an empty reason is said at its field.
	async keyboard() {
		const page = await open({ language: "en", width: 360 });
		await at(page, "queue", "Review queue");
		await tabTo(page, number("second"));
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { level: 1, name: `Request ${number("second")}` }).waitFor();
		await tabTo(page, "Claim");
		await page.keyboard.press("Enter");
		await page.getByText(/alice until/).waitFor();
		await tabTo(page, "business licence");
		await page.keyboard.press("Enter");
		await page.getByRole("img", { name: /business licence/ }).waitFor();
		await tabTo(page, "Reason, which the applicant reads");
		await tabTo(page, "Reject");
		await page.keyboard.press("Enter");
		await page.getByText("this is required").waitFor();
		assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
		await looks(page, "reject");
		await shot(page, "desk-request-360-en");
		await page.keyboard.type("The name in the stamp is another organisation's");
		await tabTo(page, "Reject");
		await page.keyboard.press("Enter");
		await page.getByText("withdrawn", { exact: true }).or(page.getByText("refused", { exact: true })).first().waitFor();
		await page.getByText(/another organisation's/).waitFor();
		await page.getByText("nothing else in the queue").waitFor();
		assert.equal(await page.evaluate(() => document.activeElement.textContent), "Back to the queue");
		sound(page);
	},

	// The service desk's work: an account found, a forgotten identifier with its licence, money that came (a wrong amount is said at its field), a USB key moved.
	async service() {
		const page = await open();
		await at(page, "accounts", "查找账户");
		await page.getByLabel(/机构代码、登录手机号/).fill("另一家");
		await page.getByRole("button", { name: "搜索" }).click();
		await page.getByRole("cell", { name: "91330100MAHUFU0179" }).waitFor();
		await page.getByLabel("机构代码", { exact: true }).fill("no such");
		await page.getByLabel("核实依据").fill("营业执照原件");
		await page.getByRole("button", { name: "核发" }).click();
		await page.locator(".wrong:not(:empty), [role=alert]").first().waitFor();
		assert.equal(await page.getByLabel("核实依据").inputValue(), "营业执照原件");
		await at(page, "cases", "服务事项");
		await page.getByRole("link", { name: "查看" }).click();
		await page.getByRole("button", { name: "营业执照" }).click();
		await page.getByRole("img", { name: /营业执照/ }).waitFor();
		await page.getByRole("button", { name: "办理" }).click();
		await page.getByText("此项必填").first().waitFor();
		await page.getByLabel(/^同意/).check();
		await page.getByLabel("答复").fill("已电话告知");
		await page.getByRole("button", { name: "办理" }).click();
		await page.getByText("已同意", { exact: true }).waitFor();
		await at(page, "payments", "收款与退款");
		const confirm = page.locator("section", { hasText: "确认到账" });
		await confirm.getByLabel("订单编号").fill(number("order"));
		await confirm.getByLabel("银行流水号").fill("BANK-1");
		await confirm.getByLabel(/到账金额/).fill("299.99");
		await confirm.getByRole("button", { name: "确认到账" }).click();
		await confirm.locator(".field", { hasText: "到账金额" }).locator(".wrong:not(:empty)").waitFor();
		await confirm.getByLabel(/到账金额/).fill("300");
		await confirm.getByRole("button", { name: "确认到账" }).click();
		await page.getByRole("row", { name: new RegExp(`${number("order")}.*已付款`) }).waitFor();
		await at(page, "tokens", "USB Key 库存");
		await page.getByRole("link", { name: "8ca811af663709db" }).click();
		await page.getByLabel("新状态").selectOption("damaged");
		await page.getByLabel("原因").fill("外壳破损");
		await page.getByRole("button", { name: "变更状态" }).click();
		await page.getByText(/外壳破损/).waitFor();
		sound(page);
	},

	// Figures with a table beside each chart; the audit page by page; what the operator reads.
	async figures() {
		const page = await open();
		await at(page, "", "概览");
		await page.locator("svg.chart rect").first().waitFor();
		await page.getByText("查看数字").first().click();
		const today = page.locator("details table").first().getByRole("row").last();
		assert.deepEqual((await today.getByRole("cell").allInnerTexts()).slice(1), ["2", "0", "1", "1", "0"]);
		await shot(page, "desk-home-1440-zh");
		await at(page, "audit", "审计记录");
		await page.getByRole("row").nth(25).waitFor();
		const first = await page.getByRole("row").nth(1).getByRole("cell").first().innerText();
		await page.getByRole("button", { name: "下一页" }).click();
		await page.getByText("第 2 页").waitFor();
		assert.equal(await page.getByRole("row").nth(1).getByRole("cell").first().innerText(), String(Number(first) + 25));
		await page.getByRole("button", { name: "上一页" }).click();
		await page.getByText("第 1 页").waitFor();
		await page.getByLabel(/^操作者/).fill("account:35353550-9");
		await page.getByRole("button", { name: "查询" }).click();
		await page.waitForFunction(() => { const rows = [...document.querySelectorAll("tbody tr")]; return rows.length > 0 && rows.every((r) => r.cells[2].textContent === "account:35353550-9"); });
		await at(page, "system", "系统状况");
		for (const text of ["正常", "已开启"]) await page.getByText(text, { exact: true }).waitFor();
		await page.getByText(/条，已核对签名/).waitFor();
		await page.locator("section", { hasText: "吊销列表" }).getByText("下次更新").waitFor();
		await page.locator("svg.chart rect").first().waitFor();
		await shot(page, "desk-system-1440-zh");
		sound(page);
	},

	// Each page in both languages, one at a telephone's width and one at a desk's; with HUFU_LONG each at both.
	async all() {
		const machine = [];
		for (const language of ["zh", "en"]) {
			for (const width of process.env.HUFU_LONG === "1" ? WIDTHS : [language === "zh" ? 360 : 1440]) {
				const page = await open({ width, language });
				await page.goto(base);
				await page.locator("main").waitFor({ state: "attached" });
				for (const hash of PAGES) {
					await page.evaluate((to) => { document.querySelector("main").replaceChildren(); if (location.hash === to) dispatchEvent(new Event("hashchange")); else location.hash = to; }, `#/${hash}`);
					await page.locator("h1").waitFor();
					await settled(page);
					const name = `desk-${hash.split(/[/?]/)[0] || "home"}-${width}-${language}`;
					await looks(page, name);
					machine.push(...(await words(page, name, language)));
					await shot(page, name);
					assert.equal(await page.locator("main .note.bad").count(), 0, `${name}: ${await page.locator("main").innerText()}`);
					if (language === "en") assert.deepEqual(await foreign(page), [], `${name}: Chinese on the English page`);
				}
				sound(page);
				await page.context().close();
			}
		}
		assert.deepEqual(machine, []);
	},
};

// Marks in words: overdue, and due within a day. The times are the test's.
async function due(page) {
	const away = { [number("number")]: -3600000, [number("second")]: 3600000 };
	await page.route("**/rpc", async (route) => {
		if (route.request().postDataJSON().method !== "review.queue") return route.continue();
		const answer = await route.fetch(), body = await answer.json();
		body.result.requests = body.result.requests.map((r) => ({ ...r, overdue: away[r.number] < 0, due: new Date(Date.now() + away[r.number]).toISOString().replace(/\.\d+/, "") }));
		return route.fulfill({ response: answer, json: body });
	});
	await page.reload();
	await page.getByRole("row").filter({ hasText: number("number") }).getByText("已逾期").waitFor();
	await page.getByRole("row").filter({ hasText: number("second") }).getByText("今日到期").waitFor();
	await page.unroute("**/rpc");
}

// Who decides on what a colleague, or another tab, has decided meanwhile, hears of it and sees what is so.
async function tooLate(tab) {
	await tab.getByLabel("理由").fill("不符");
	await tab.getByRole("button", { name: "不予通过" }).click();
	await tab.locator(".toast.bad").waitFor();
	await tab.getByText("待补正", { exact: true }).waitFor();
	assert.equal(await tab.getByRole("button", { name: "不予通过" }).count(), 0);
	await tab.close();
}

await play(steps);
