// One step of an officer's day at the desk's pages, in Chromium: node desk.mjs STEP. The organisations, and the colleague at another machine, are officers.bats's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { at, keep, looks, open, play, settled, shot, sound } from "./browser.mjs";

const number = (name) => readFileSync(`${process.env.WORK}/${name}`, "utf8").trim();

// By the keyboard alone: Tab until what has this name has the focus.
async function tabTo(page, name) {
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press("Tab");
		const here = await page.evaluate(() => { const a = document.activeElement; return (a.labels?.[0] || a).textContent.trim(); });
		if (here === name) return;
	}
	throw new Error(`the keyboard does not reach ${name}`);
}

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
		await page.goBack();
		await page.getByText("没有记录").waitFor();
		await at(page, "queue", "待审核");
		await shot(page, "desk-queue-1440-zh");
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
		await page.reload(); // what was typed is kept
		await settled(page);
		assert.equal(await page.getByLabel("营业执照", { exact: true }).inputValue(), "印章看不清");
		await page.getByRole("button", { name: "要求补正" }).click();
		await page.getByText("待补正", { exact: true }).waitFor();
		await page.getByText(/审核员要求补正：business-licence: 印章看不清/).waitFor();
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
		sound(page);
	},
};

await play(steps);
