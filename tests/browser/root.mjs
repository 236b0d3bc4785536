// A certificate of a CA that the root has revoked, in Chromium. node root.mjs pages; $HTTP is the gate, $PROXY the portal; $WORK has org.pem.
import { readFileSync } from "node:fs";
import { at, desk, looks, open, play, settled, shot, sound, words, WIDTHS } from "./browser.mjs";
import assert from "node:assert/strict";

const { WORK, HTTP, SERIAL, MOBILE } = process.env;
const SAID = {
	zh: { login: ["登录", "用户名", "密码"], list: "我的证书", one: "证书", extend: "延期", why: "证书已吊销", state: "已吊销", reason: "签发机构密钥泄露", since: "自" },
	en: { login: ["Log in", "User name", "Password"], list: "My certificates", one: "Certificate", extend: "Extend", why: "the certificate is revoked", state: "revoked", reason: "the CA's key is in other hands", since: "Since" },
};

async function status(width) {
	const page = await open({ width, fresh: true });
	await page.goto(`http://${HTTP}/status`);
	await page.locator("input[type=file]").setInputFiles({ name: "org.pem", mimeType: "application/x-pem-file", buffer: readFileSync(`${WORK}/org.pem`) });
	const answer = page.locator("#answer dl.revoked").first();
	for (const text of ["已吊销 / revoked", "cACompromise", SERIAL]) await answer.getByText(text).waitFor();
	await shot(page, `root-status-${width}`);
	await looks(page, `root-status-${width}`);
	sound(page);
}

async function portal(width, language) {
	const said = SAID[language], page = await open({ width, language, fresh: true, base: desk });
	const reads = (text) => page.locator("main").getByText(text, { exact: true }).locator("visible=true").first().waitFor();
	await at(page, "login", said.login[0]);
	await page.getByLabel(said.login[1]).fill(MOBILE);
	await page.getByLabel(said.login[2]).fill("the password of org");
	await page.getByRole("button", { name: said.login[0] }).click();
	await page.waitForURL(/#\/services/);
	await at(page, "certificates", said.list);
	const row = page.getByRole("row").filter({ hasText: SERIAL });
	await row.getByText(said.state).waitFor();
	await row.getByRole("button", { name: said.extend }).or(row.getByRole("link", { name: said.extend })).first().click();
	await page.getByText(said.why).locator("visible=true").first().waitFor();
	await shot(page, `root-list-${width}-${language}`);
	await at(page, `certificate/${SERIAL}`, said.one);
	for (const text of [said.state, said.reason, said.since]) await reads(text);
	await settled(page);
	await shot(page, `root-certificate-${width}-${language}`);
	await looks(page, `root-certificate-${width}-${language}`);
	assert.deepEqual(await words(page, "certificate", language), []);
	sound(page);
}

await play({
	async pages() {
		for (const width of WIDTHS) {
			await status(width);
			for (const language of ["zh", "en"]) await portal(width, language);
		}
	},
});
