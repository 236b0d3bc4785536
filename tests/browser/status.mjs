// The page for people in Chromium: files are dropped onto it. node status.mjs ACTION; $WORK has the certificate and receipts of gate.bats.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { WORK, HTTP, SERIAL } = process.env;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const page = await (await browser.newContext({ viewport: { width: 360, height: 740 } })).newPage();
const wrong = [];
page.on("pageerror", (e) => wrong.push(e.message));
page.on("console", (m) => { if (m.type() === "error") wrong.push(m.text()); });

// As a person's drag does it: a DataTransfer with files, dropped on the box.
async function drop(...names) {
	const files = names.map((n) => ({ name: n, base64: readFileSync(`${WORK}/${n}`).toString("base64") }));
	const transfer = await page.evaluateHandle((v) => {
		const t = new DataTransfer();
		for (const f of v) t.items.add(new File([Uint8Array.from(atob(f.base64), (c) => c.charCodeAt(0))], f.name));
		return t;
	}, files);
	await page.dispatchEvent("#drop", "dragover", { dataTransfer: transfer });
	assert.equal(await page.locator("#drop.over").count(), 1);
	await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
	assert.equal(await page.locator("#drop.over").count(), 0);
}
const says = (text) => page.locator("#answer").getByText(text).first().waitFor({ timeout: 20000 });

try {
	await page.goto(`http://${HTTP}/status`);
	await drop("org.pem");
	await says("已吊销 / revoked");
	await says(SERIAL);
	await says("以前的证书 / what it followed");
	await says("已终止 / ended"); // the old authority's, found by the new one's file
	assert.equal(await page.locator("#answer dl").count(), 2);
	await says(/^\/ca\/[0-9a-f]{40}\.pem$/);
	assert.equal((await page.request.get(await page.locator("#answer a").first().getAttribute("href").then((h) => `http://${HTTP}${h}`))).status(), 200);
	await drop("org.receipt"); // goes with the certificate before it
	await says("成立 / it holds");
	await says(/需要名册.*hufu verify/);
	await says("已吊销 / revoked");
	await page.reload();
	await drop("org.receipt");
	await says("now choose the certificate that the receipt is of");
	await drop("org.pem");
	await says("成立 / it holds");
	await drop("bad.receipt", "org.pem"); // both at once, in any order
	await says(/台账/);
	await page.locator("#answer dl.revoked").first().waitFor();
	assert.equal(await page.getByText("it holds").count(), 0);
	await drop("old/org.key");
	await says("this is no certificate");
	assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "wider than the window");
	assert.deepEqual(wrong, []);
} finally {
	await browser.close();
}
