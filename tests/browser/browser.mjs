// What the stories in the browser are made of: Chromium, pages that are watched for errors, and how a page must look. $HTTP is the portal, $WORK keeps cookies between steps (in $KEPT),
// $SHOTS gets the screenshots.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const { WORK, HTTP, SHOTS } = process.env;
export const base = `http://${HTTP}`, desk = `http://${process.env.PROXY}`; // subscribers' pages, and the officers' where both are there
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const WIDTHS = [360, 1440];
mkdirSync(SHOTS, { recursive: true });

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });

// Errors of the page's own scripts and refused resources fail the step; not that the person's own agent is not there, which a browser reports too, nor what its viewer says of a PDF without pages.
const VIEWER = /^Assertion failed: Could not find page/;
export async function open({ width = 1440, language = "zh", fresh = false, kept = process.env.KEPT || "browser", base: at = base } = {}) {
	const cookies = `${WORK}/${kept}.json`;
	const context = await browser.newContext({ viewport: { width, height: width < 500 ? 740 : 900 }, storageState: !fresh && existsSync(cookies) ? cookies : undefined });
	if (language !== "zh") await context.addInitScript((l) => localStorage.setItem("hufu-language", l), language);
	const page = await context.newPage();
	page.base = at;
	page.kept = cookies;
	page.wrong = [];
	page.hosts = new Set();
	page.bytes = 0;
	page.on("pageerror", (e) => { if (!VIEWER.test(e.message)) page.wrong.push(e.message); });
	page.on("console", (m) => { if (m.type() === "error" && !/127\.0\.0\.1:27183|ERR_CONNECTION_REFUSED|agent\.js|chrome-extension:/.test(m.text() + m.location().url) && !VIEWER.test(m.text())) page.wrong.push(`${m.text()} ${m.location().url}`); });
	page.on("request", (r) => page.hosts.add(new URL(r.url()).host));
	return page;
}

export const sound = (page) => assert.deepEqual(page.wrong, []);
export const keep = (page) => page.context().storageState({ path: page.kept });
export async function at(page, hash, heading) {
	await page.goto(`${page.base || base}/#/${hash}`);
	await page.reload();
	await page.getByRole("heading", { level: 1, name: heading }).waitFor();
	await settled(page);
}
export const settled = (page) => page.waitForFunction(() => !document.querySelector("[aria-busy]"));
export async function shot(page, name) {
	const toasts = (hidden) => page.evaluate((h) => { scrollTo(0, 0); for (const n of document.querySelectorAll(".toasts")) n.hidden = h; }, hidden);
	await toasts(true); // they pass; and what sticks to the top is drawn there
	await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
	await toasts(false);
}
const pdf = (text) => {
	const head = `%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% ${text}\n`;
	return Buffer.from(`${head}xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R>>\nstartxref\n${Buffer.byteLength(head)}\n%%EOF\n`);
};
// A paper into its row, and the desk has it.
export async function upload(page, name, words = name) {
	const row = page.getByRole("row").filter({ hasText: name });
	await row.locator("input[type=file]").setInputFiles({ name: "paper.pdf", mimeType: "application/pdf", buffer: pdf(words) });
	await row.getByText("✓").waitFor();
}
// The same, as a mouse drops it.
export async function dropped(page, words) {
	const transfer = await page.evaluateHandle((base64) => {
		const t = new DataTransfer();
		t.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "paper.pdf"));
		return t;
	}, pdf(words).toString("base64"));
	await page.dispatchEvent(".drop", "dragover", { dataTransfer: transfer });
	assert.equal(await page.locator(".drop.over").count(), 1);
	await page.dispatchEvent(".drop", "drop", { dataTransfer: transfer });
}
// How often the page calls a method of the desk, from now on.
export function calls(page, method) {
	let n = 0;
	page.on("request", (r) => { if (r.url() === `${base}/rpc` && r.postDataJSON().method === method) n++; });
	return () => n;
}
// By the keyboard alone: Tab until what has this name has the focus.
export async function tabTo(page, name) {
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press("Tab");
		const here = await page.evaluate(() => { const a = document.activeElement; return (a.labels?.[0] || a).textContent.trim(); });
		if (name instanceof RegExp ? name.test(here) : here === name) return;
	}
	throw new Error(`the keyboard does not reach ${name}`);
}
// What has the focus, by its words; "" when it fell to the top of the page.
export const focused = (page) => page.evaluate(() => { const a = document.activeElement; return a === document.body ? "" : (a.labels?.[0] || a).textContent.trim(); });
// A file that a button gives, kept at that path.
export async function downloaded(page, name, path) {
	const download = page.waitForEvent("download");
	await page.getByRole("button", { name }).click();
	await (await download).saveAs(path);
}
// The same page by the switch in its corner: what it says in English, and that its own words are English; then back.
export async function inEnglish(page, heading, texts, name) {
	await page.getByRole("button", { name: "English" }).click();
	await page.getByRole("heading", { level: 1, name: heading }).waitFor();
	await settled(page);
	for (const text of texts) await page.locator("main").getByText(text).locator("visible=true").first().waitFor();
	assert.deepEqual(await foreign(page), [], `${name}: Chinese on the English page`);
	await looks(page, name);
	await shot(page, `${name}-en`);
	await page.getByRole("button", { name: "中文" }).click();
	await page.getByRole("heading", { level: 1, name: heading }).waitFor({ state: "detached" });
	await settled(page);
}
// Words of the page itself that are Chinese: what people have typed, and titles of the project, are not its own.
export const foreign = (page, own = /"[^"]*"/g) => page.evaluate((s) => [...document.querySelectorAll("h1, h2, h3, main button, th, dt, label, nav a, .hint")].map((n) => n.textContent).filter((text) => /[\u4e00-\u9fff]/.test(text.replace(new RegExp(s, "g"), ""))), own.source);
// Looks until it is there: for what another program leaves as a file.
async function found(look, what) {
	for (let i = 0; i < 100; i++) {
		const it = look();
		if (it) return it;
		await new Promise((r) => setTimeout(r, 100));
	}
	throw new Error(what);
}
// The newest message of a kind to a number, as the gateway would find it: what the pattern finds in its words.
export function message(mobile, template, pattern) {
	const spool = `${process.env.DIR}/var/lib/hufu-ra/spool`;
	return found(() => {
		for (const file of readdirSync(spool).filter((f) => f.endsWith(".json")).sort((a, b) => statSync(`${spool}/${b}`).mtimeMs - statSync(`${spool}/${a}`).mtimeMs)) {
			let m;
			try { m = JSON.parse(readFileSync(`${spool}/${file}`, "utf8")); } catch { continue; }
			const words = m.to === mobile && m.template === template && (m.en || m.zh).match(pattern);
			if (words) return words[1];
		}
		return null;
	}, `no message to ${mobile}`);
}
export const smsCode = (mobile) => message(mobile, "code", /(\d{6})/);
// What the agent shows aside; its answer to the page does not wait for the window.
export const forgetPairingCode = (place = WORK) => rmSync(`${place}/asked.pair`, { force: true });
export const pairingCode = (place = WORK) => found(() => existsSync(`${place}/asked.pair`) && readFileSync(`${place}/asked.pair`, "utf8").match(/pairing code: (\d{6})/)?.[1], "no pairing code is shown");
// Nothing serious by axe, nothing wider than the window.
export async function looks(page, name) {
	await page.evaluate(axe);
	const found = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ").slice(0, 400)}`));
	assert.deepEqual(found, [], name);
	assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${name} is wider than the window`);
	assert.equal(await page.evaluate(() => { const here = document.querySelector(".side [aria-current]")?.getBoundingClientRect(); return !here || (here.left >= 0 && here.right <= innerWidth); }), true, `${name}: where one is stands outside the window`);
}

// No machine's words on a page: codes with hyphens or underscores, names as programs write them, raw times, object identifiers; on a Chinese page no English, on an English one
// no Chinese. What stands in pre and code is to be copied or looked for as it stands, a paper to be
// printed is in both languages; the rest that is a true name, and why it is one:
const TRUE_NAMES = [
	/\b(USB Key|OCSP|CRL|PUK|PIN|CSR|SHA-256|SMS|PDF|JPEG|PNG|KiB|MiB|English)\b/g, // as people call them
	/\bhufu( [a-z]+)*|\btoken key\b|\b(ca|ra|gate)\.yaml\b/g, // commands and files of an operator
	/\bHufu Example Issuing CA\b|\bZJCA OCA2\b/g, // what a certificate says of who made it
	/\bagent@example\.com\b|\b(alice|bob|clerk|HUFU-1|Example)\b/g, // what was typed
	/\baccount:35353550-9\b|\brisk-\d{4}-\d\d\b/g, // how the audit names an account; the edition that stands on the notice
	/\b\d{8}-[0-9A-Z]{12}\b/g, // numbers of requests and orders
	/\b[0-9a-f]{8,}\b|\b[0-9A-F]{8,}\b|\b(bank:)?BANK-\d\b|\b[A-Z0-9]{8}-[A-Z0-9]\b/g, // serials, hashes, payments, identifiers
];
const MACHINE = [/\b[a-z]+(?:_[a-z0-9]+)+\b/, /\b[a-z]+[A-Z]\w*/, /\d{4}-\d\d-\d\dT\d\d/, /\b[0-2](?:\.\d+){3,}\b/, /\b(?:undefined|null|NaN)\b|\[object /];
const ENGLISH = ["back-fill", "e-mail", "one-time", "log-in", "hand-in", "re-key"]; // words that have a hyphen
// Gives what it finds, so that a walk tells all of it at its end.
export async function words(page, name, language) {
	const texts = await page.evaluate(() => {
		const skipped = "pre, code, input, textarea, del, ins, .paper", all = [];
		const walk = (node) => {
			if (node.nodeType === 3) all.push(node.data);
			else if (node.nodeType === 1 && !node.matches(skipped)) {
				for (const key of ["title", "alt", "aria-label", "placeholder"]) if (node.hasAttribute(key)) all.push(node.getAttribute(key));
				for (const child of node.childNodes) walk(child);
			}
		};
		walk(document.querySelector("main"));
		return all;
	});
	const found = [];
	for (const text of texts) {
		const rest = TRUE_NAMES.reduce((s, name) => s.replace(name, " "), text);
		const bad = MACHINE.some((m) => m.test(rest)) || (rest.match(/\b[a-z]+(?:-[a-z0-9]+)+\b/g) || []).some((w) => language === "zh" || !ENGLISH.includes(w));
		if (bad || (language === "zh" ? /[a-z]{3,}/i.test(rest) : false)) found.push(text.trim());
	}
	return [...new Set(found)].map((text) => `${name}: ${text}`);
}

// The step that the command names, and what was on the page when it fails.
export async function play(steps) {
	try {
		await steps[process.argv[2]]();
	} catch (e) {
		for (const context of browser.contexts()) for (const page of context.pages()) {
			await shot(page, `failed-${process.argv[2]}`).catch(() => {});
			console.error(page.url(), page.wrong, await page.locator("main").innerText().catch(() => ""));
		}
		throw e;
	} finally {
		await browser.close();
	}
}
