// The guide's two people, each in a Chromium context of their own: node story.mjs PART. What a part leaves (cookies, pairings, a request's number) lies in $WORK for the next. What
// stands on the tokens afterwards is story.bats's to look at.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { at, base, desk, downloaded, focused, forgetPairingCode, inEnglish, keep, looks, message, open, pairingCode, play, shot, sound, upload } from "./browser.mjs";

const { WORK, DIR, SERIAL, TOKEN, MOBILE, PASSWORD, START, FOLDER } = process.env;
const OFFICE = `${WORK}/office`;
const number = () => readFileSync(`${WORK}/number`, "utf8");
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const reads = (page, text) => page.getByText(text).first().waitFor();
const state = (page, word) => page.locator(".badge", { hasText: new RegExp(`^${word}$`) }).first().waitFor();
const answers = (place, word, ...lines) => writeFileSync(`${place}/answer.${word}`, lines.map((l) => `${l}\n`).join(""));

// The two people; who came by in an earlier part is logged in, and known to the agent.
async function people(width = 1440) {
	const subscriber = await open({ width, kept: "subscriber" }), officer = await open({ kept: "officer", base: desk });
	return { subscriber, officer };
}
async function leave(...pages) {
	for (const page of pages) {
		sound(page);
		await keep(page);
	}
}

// Pairs the page with the agent of that place.
async function paired(page, place) {
	await press(page, "连接 USB Key 客户端");
	forgetPairingCode(place);
	await press(page, "显示配对码");
	await page.getByLabel("客户端显示的配对码").fill(await pairingCode(place));
	await press(page, "配对");
	await page.getByRole("button", { name: "配对", exact: true }).waitFor({ state: "detached" });
}

// A colleague's approval, from another machine.
const approves = (name, ...more) => execFileSync(process.env.hufu, ["officer", "approve", "--yes", "--key", `${DIR}/home/${name}/${name}.key`, ...more, number()], {
	input: START ? `${START}\n` : "", env: { ...process.env, XDG_STATE_HOME: `${WORK}/people/officer`, SOFTHSM2_CONF: `${WORK}/usb/office.conf` },
});

// Signed by the agent, handed in, and with the officers.
async function signedAndHandedIn(page) {
	await press(page, "用此 USB Key 签名");
	await press(page, "提交");
	await state(page, "审核中");
	writeFileSync(`${WORK}/number`, page.url().split("/").pop());
}
async function papers(page, names) {
	for (const name of names) await upload(page, name);
	await press(page, "已阅读并接受");
}
// The certificate onto the token: the panel shows at once what stands there now, and the keyboard stays where it was.
async function installs(page, serial) {
	await press(page, "刷新");
	await state(page, "已签发");
	await press(page, "安装到此 USB Key");
	await reads(page, /证书 \w+ 已安装，密钥签名、解密正常/);
	const now = (await page.getByText(/证书 \w+ 已安装/).innerText()).match(/证书 (\w+) 已安装/)[1];
	assert.notEqual(now, serial);
	await page.locator(".agent-work .facts", { hasText: now }).waitFor();
	assert.equal(await focused(page), "安装到此 USB Key");
	return now;
}

const parts = {
	async extend() {
		const { subscriber: s, officer: o } = await people();
		await at(s, "login", "登录");
		await s.getByLabel("用户名").fill(MOBILE);
		await s.getByLabel("密码").fill(PASSWORD);
		await press(s, "登录");
		await s.getByRole("heading", { level: 1, name: "我的服务" }).waitFor();
		await s.getByRole("link", { name: "我的证书" }).click();
		await s.getByRole("link", { name: "延期", exact: true }).click();
		await s.getByLabel(/延期（更换密钥）/).check();
		await paired(s, WORK);
		await press(s, "在此 USB Key 上生成新密钥");
		await reads(s, "新密钥已生成");
		await s.getByLabel("没有", { exact: true }).check();
		await press(s, "保存并继续");
		await signedAndHandedIn(s);

		await at(o, "", "概览");
		await o.getByLabel("审核员姓名").fill("alice");
		await press(o, "保存");
		await at(o, "queue", "待审核");
		await o.getByLabel("认领", { exact: true }).selectOption("1");
		await reads(o, "没有记录");
		await o.getByLabel("认领", { exact: true }).selectOption("0");
		await o.getByRole("link", { name: number() }).click();
		await press(o, "认领");
		await reads(o, /alice 至/);
		await at(o, "queue", "待审核");
		await o.getByLabel("认领", { exact: true }).selectOption("1");
		await o.getByRole("row", { name: new RegExp(`${number()}.*alice`) }).waitFor();
		assert.match(o.url(), /claimed=1/);
		await o.getByRole("link", { name: number() }).click();
		await paired(o, OFFICE);
		await press(o, "在客户端中核对并批准");
		await state(o, "已签发"); // the page looks again by itself

		await installs(s, SERIAL);
		await shot(s, "story-extended-1440-zh");
		await leave(s, o);
	},

	// A new name, by a new key of the organisation's own. The same page in English, with what was typed.
	async change() {
		const { subscriber: s, officer: o } = await people();
		await at(s, `new/change/${SERIAL}`, "证书变更");
		await s.getByLabel(/名称或代码变更/).check();
		await press(s, "在此 USB Key 上生成新密钥");
		await reads(s, "新密钥已生成");
		await s.getByLabel(/单位名称/).fill("杭州新令牌示例有限公司");
		await s.getByLabel("没有", { exact: true }).check();
		await inEnglish(s, "Change the certificate", ["Make the new key on this USB key", "Organisation", "Encrypted files not yet opened?", "empty: the key stays"], "story-change");
		assert.equal(await s.getByLabel(/单位名称/).inputValue(), "杭州新令牌示例有限公司");
		assert.match(await s.getByLabel(/证书请求/).inputValue(), /BEGIN CERTIFICATE REQUEST/);
		await press(s, "保存并继续");
		await papers(s, ["机构电子签名认证证书业务登记表", "经办人身份证", "营业执照", "工商变更证明", "证书业务风险告知函"]);
		await signedAndHandedIn(s);

		await at(o, `request/${number()}`, `申请 ${number()}`);
		await o.locator("ins", { hasText: "杭州新令牌示例有限公司" }).first().waitFor();
		await press(o, "在客户端中核对并批准");
		await reads(o, "1/2");
		await inEnglish(o, `Request ${number()}`, ["What shall be different", "What to look for", "Check and approve in the agent", "Ask for a correction"], "story-request");
		approves("bob");
		await press(o, "刷新");
		await state(o, "已签发");

		await installs(s, SERIAL);
		await leave(s, o);
	},

	// The key is lost: its certificate is held at once, and the desk makes another.
	async lost() {
		const { subscriber: s, officer: o } = await people(360);
		await at(s, `new/reissue/${SERIAL}`, "证书补办");
		await s.getByLabel(/补办（遗失）/).check();
		await s.getByLabel("收件人").fill("张三");
		await s.getByLabel("联系电话").fill("0571-88880000");
		await s.getByLabel("收件地址").fill("杭州市西湖区示例路1号");
		await s.getByLabel("没有", { exact: true }).check();
		await press(s, "保存并继续");
		await papers(s, ["机构电子签名认证证书业务登记表", "经办人身份证", "营业执照", "证书业务风险告知函"]);
		await reads(s, "密钥遗失：提交后原证书立即挂起");
		await press(s, "提交");
		await reads(s, /挂起/);
		await state(s, "待制作");
		writeFileSync(`${WORK}/number`, s.url().split("/").pop());

		await at(o, `request/${number()}`, `申请 ${number()}`);
		await inEnglish(o, `Request ${number()}`, ["Make the key", "Make the key on this USB key", "Kind of key"], "story-make");
		answers(OFFICE, "sign", "no"); // the key is there, and its tally not signed yet: the next try goes on with it
		await press(o, "在此 USB Key 上制作密钥");
		await o.getByRole("alert").getByText("您未在客户端确认").waitFor();
		answers(OFFICE, "sign", "yes");
		await press(o, "刷新");
		await state(o, "密钥已生成");
		await press(o, "在此 USB Key 上制作密钥");
		await state(o, "审核中");
		await leave(s, o);
	},

	async parcel() {
		const { subscriber: s, officer: o } = await people(360);
		await at(o, `request/${number()}`, `申请 ${number()}`);
		await press(o, "新密钥在此 USB Key 上: HUFU-1");
		await reads(o, "1/3");
		for (const name of ["bob", "carol"]) approves(name, "--key-seen", "token", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-uri", `pkcs11:serial=${TOKEN}`, "--pin-fd", "0");
		await press(o, "刷新");
		await state(o, "待寄出");
		await o.getByRole("link", { name: "装箱与寄送" }).click();
		const pack = o.locator("details", { has: o.getByRole("button", { name: "装箱", exact: true }) }), ship = o.locator("details", { has: o.getByRole("button", { name: "寄出", exact: true }) });
		const serial = pack.getByLabel("USB Key 序列号");
		await serial.fill("0123456789abcdef");
		await press(o, "装箱");
		await pack.locator(".wrong", { hasText: "UKey 序列号不符" }).waitFor();
		await serial.fill(TOKEN);
		await press(o, "装箱");
		await o.getByRole("row", { name: new RegExp(`${number()}.*已装箱`) }).waitFor();
		await ship.getByLabel("快递公司").fill("顺丰");
		await ship.getByLabel("快递单号").fill("SF-1");
		await inEnglish(o, "Parcels", ["Pack", "Ship", "Who carries it", "The carrier's number"], "story-ship");
		assert.equal(await ship.getByLabel("快递单号").inputValue(), "SF-1");
		await press(o, "寄出");
		await o.getByRole("row", { name: new RegExp(`${number()}.*顺丰 SF-1.*已寄出`) }).waitFor();
		await looks(o, "shipped");

		// By post, and the start PIN by SMS.
		const start = await message(MOBILE, "start_pin", /start PIN is ([^:]*):/);
		assert.equal(start, START);
		renameSync(`${WORK}/usb/office/${FOLDER}`, `${WORK}/usb/home/${FOLDER}`);
		await at(s, "parcels", "我的签收");
		const token = s.getByLabel("USB Key 序列号");
		await token.fill("0123456789abcdef");
		await press(s, "签收");
		await s.locator(".field", { has: token }).locator(".wrong", { hasText: "UKey 序列号不符" }).waitFor();
		await inEnglish(s, "My receipts", ["Serial number of the USB key", "shipped", "as it stands on the key"], "agent-parcel");
		await token.fill(TOKEN);
		await press(s, "签收");
		await state(s, "已签收");
		await s.getByRole("link", { name: number() }).click();
		answers(WORK, "install", "yes", start, "86421357");
		const now = await installs(s, "");
		await s.goto(`${base}/#/certificate/${now}`);
		await downloaded(s, "下载签发凭证", `${WORK}/received.receipt`);
		await leave(s, o);
	},

	// The holder's half, the officer's, and the holder's again.
	async unlock() {
		const { subscriber: s, officer: o } = await people(360);
		await at(s, `unlock/${SERIAL}`, "解锁 USB Key");
		await press(s, "申请解锁此 USB Key");
		const said = s.locator(".note", { hasText: /解锁申请 \d{8}-\w+ 已受理/ });
		await said.waitFor();
		writeFileSync(`${WORK}/number`, (await said.innerText()).match(/\d{8}-\w+/)[0]);
		await inEnglish(s, "Unlock the USB key", [`Unlock ${number()} is with the officers`, "Set a new PIN"], "story-unlock");
		const code = readFileSync(`${WORK}/asked.code`, "utf8").match(/code: (\S+)/)[1];

		await at(o, `request/${number()}`, `申请 ${number()}`);
		answers(OFFICE, "agree", "yes", "AAAA-AAAA");
		await press(o, "在客户端中键入核对码并同意解锁");
		await o.getByRole("alert").getByText("核对码不符，未解锁").waitFor();
		await inEnglish(o, `Request ${number()}`, ["Agree to the unlock", "Type the code in the agent and agree"], "story-agree");
		answers(OFFICE, "agree", "yes", code.toLowerCase());
		await press(o, "在客户端中键入核对码并同意解锁");
		await state(o, "待取用");

		await press(s, "设置新 PIN");
		await reads(s, "新 PIN 已设置，旧 PIN 失效");
		await leave(s, o);
	},
};

await play(parts);
