// One step with a USB key in Chromium: node agent.mjs STEP. What a step leaves (cookies, the pairing) lies in $WORK for the next. The person at the agent, and the keys that are
// plugged in, are agent.bats's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import { base, focused, forgetPairingCode, keep, looks, open, pairingCode, play, shot as picture, smsCode, sound, tabTo, upload } from "./browser.mjs";

const { WORK, KEPT, MOBILE, PASSWORD, SERIAL, STEP_LANGUAGE: language } = process.env;
const zh = language === "zh";
const word = (a, b) => (zh ? a : b);
const page = await open({ width: zh ? 1440 : 360, language });
page.setDefaultTimeout(30000);

const shot = (name) => picture(page, `agent-${name}-${language}`);
const press = (a, b) => page.getByRole("button", { name: word(a, b), exact: true }).click();
const reads = (a, b) => page.getByText(word(a, b)).first().waitFor();
async function logIn() {
	if (existsSync(`${WORK}/${KEPT}.json`)) return;
	await page.goto(`${base}/#/login`);
	await page.getByLabel(word("用户名", "User name")).fill(MOBILE);
	await page.getByLabel(word("密码", "Password")).fill(PASSWORD);
	await page.getByRole("button", { name: word("登录", "Log in"), exact: true }).click();
	await page.waitForURL((u) => !u.hash.includes("login"));
}

// The request that is to be signed: the one that waits, or a new one.
async function request() {
	await logIn();
	const file = `${WORK}/request.${KEPT}`;
	if (!existsSync(file)) {
		await page.goto(`${base}/#/certificates`);
		await page.getByRole("link", { name: word("延期", "Extend"), exact: true }).click();
		await page.getByRole("radio").first().check();
		await press("保存并继续", "Save and go on");
		await page.getByText("hufu/tally/v1").waitFor();
		writeFileSync(file, page.url().split("/").pop());
	}
	await page.goto(`${base}/#/request/${readFileSync(file, "utf8")}`);
	await page.reload();
	await page.getByText("hufu/tally/v1").waitFor();
}

// Reaches the agent; pairs where this page is not paired yet.
async function reach() {
	if (await page.evaluate(() => localStorage.getItem("hufu-agent"))) return;
	await press("连接 USB Key 客户端", "Reach the agent of the USB key");
	forgetPairingCode();
	await press("显示配对码", "Show the code");
	const code = await pairingCode();
	await page.getByLabel(word("客户端显示的配对码", "The code that the agent shows")).fill(code === "000000" ? "000001" : "000000");
	await press("配对", "Pair");
	await page.getByRole("alert").or(page.locator(".wrong:not(:empty)")).first().waitFor();
	await shot("pairing");
	await page.getByLabel(word("客户端显示的配对码", "The code that the agent shows")).fill(code);
	await press("配对", "Pair");
	await page.getByText(word("重新读取", "Look again")).first().waitFor();
}

const signIt = () => press("用此 USB Key 签名", "Sign with this USB key");

const steps = {
	async missing() {
		await request();
		await press("连接 USB Key 客户端", "Reach the agent of the USB key");
		await reads("没有找到 USB Key 客户端", "No agent was found");
		await page.getByText(`hufu agent --origin ${base}`).waitFor();
		await shot("missing");
	},
	async mismatch() {
		await request();
		await reach();
		await reads("插入的 USB Key 中没有这张证书", "does not hold this certificate");
		await shot("mismatch");
		await signIt();
		await page.getByRole("alert").first().waitFor();
		await page.getByRole("alert").getByText(word("USB Key 中没有所需的密钥", "holds no key that this request needs")).waitFor();
	},
	async wrong_pin() {
		await request();
		await reach();
		await signIt();
		await page.getByRole("alert").getByText(word("PIN 错误", "the PIN is wrong")).waitFor();
	},
	async pulled() {
		await request();
		await reach();
		await signIt();
		await page.getByRole("alert").getByText(word("USB Key 已被拔出", "the token was pulled out")).waitFor();
		await shot("pulled");
		await press("重新读取", "Look again");
		await reads("未插入 USB Key", "No USB key is plugged in");
	},
	async extend() {
		await request();
		await reach();
		await page.getByText("74C2008800000B5").first().waitFor();
		await looks(page, "sign");
		await shot("sign");
		await signIt();
		await page.getByRole("button", { name: word("提交", "Hand in"), exact: true }).click();
		await reads("证书已签发", "The certificate is issued");
		await press("安装到此 USB Key", "Install on this USB key");
		await reads("密钥签名、解密正常", "signs and deciphers");
		await shot("installed");
	},

	// The guide from the first log-in to the extended certificate on the key, without a mouse: at a telephone's width, in English.
	async keyboard() {
		const go = async (name, typed = "") => {
			await tabTo(page, name);
			if (typed) await page.keyboard.type(typed);
		};
		const enter = async (name, typed) => {
			await go(name, typed);
			await page.keyboard.press("Enter");
		};
		const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
		// A redraw leaves the keyboard where it was, or at what is new.
		const stays = async (at) => assert.equal(await focused(page), at);
		const own = process.env.OWN, password = "the password of three";
		await page.goto(`${base}/#/login`);
		await heading("Log in");
		await go("User name", MOBILE);
		await enter("Password", PASSWORD);
		await heading("Back-fill and reset");
		await page.getByText("hufu/account/v1").first().waitFor();
		await enter("Reach the agent of the USB key");
		await page.getByRole("button", { name: "Show the code" }).waitFor();
		forgetPairingCode();
		await enter("Show the code");
		await page.getByLabel("The code that the agent shows").waitFor();
		await stays("The code that the agent shows");
		await page.keyboard.type(await pairingCode());
		await page.keyboard.press("Enter");
		await page.getByRole("button", { name: "Look again" }).waitFor();
		assert.notEqual(await focused(page), "");
		await enter("Look again");
		await page.waitForFunction(() => document.activeElement.textContent === "Look again" && !document.activeElement.getAttribute("aria-busy"));
		await looks(page, "first");
		await shot("first");
		await enter("Sign with this USB key");
		await page.getByLabel("Account (mobile number)").waitFor();
		await go("Account (mobile number)", own);
		await enter("Send a code");
		await page.getByRole("button", { name: /again in \d+ s/ }).waitFor();
		await go("SMS code", await smsCode(own));
		await go("New password", password);
		await enter("The new password again", password);
		await heading("My services");
		await page.getByRole("button", { name: "Renew" }).waitFor();
		await enter("Renew");
		await page.getByRole("dialog").waitFor();
		await enter("Make the order");
		await heading("Order");
		await page.getByRole("button", { name: "Bank transfer" }).waitFor();
		await enter("Bank transfer");
		await page.getByText("Reference").last().waitFor();
		execFileSync(process.env.hufu, ["order", "confirm", "--bank-reference", "BANK-3", page.url().split("/").pop()], { env: { ...process.env, XDG_STATE_HOME: `${WORK}/people/officer` } });
		await enter("My certificates");
		await heading("My certificates");
		await page.getByRole("link", { name: "Extend", exact: true }).waitFor();
		await enter("Extend");
		await heading("Extend the certificate");
		await page.getByRole("radio").first().waitFor();
		await go(/same key/);
		await page.keyboard.press("Space");
		await page.getByRole("button", { name: "Save and go on" }).waitFor();
		await enter("Save and go on");
		await page.getByRole("button", { name: "Sign with this USB key" }).waitFor();
		await enter("Sign with this USB key");
		await page.getByRole("button", { name: "Hand in" }).waitFor();
		await stays("Hand the request in");
		await enter("Hand in");
		await page.getByRole("button", { name: "Install on this USB key" }).waitFor();
		await stays("The new certificate");
		await enter("Install on this USB key");
		await reads("", "signs and deciphers");
		await stays("Install on this USB key");
		await looks(page, "keyboard");
		await shot("keyboard");
	},

	// A damaged key: the new one is made by the agent on another USB key of the organisation's own, which then signs for itself.
	async reissue() {
		await logIn();
		await page.goto(`${base}/#/new/reissue/${SERIAL}`);
		await page.getByLabel(/补办（损坏）/).check();
		await page.getByLabel(/在自己的 USB Key 上/).check();
		await reach();
		await press("在此 USB Key 上生成新密钥");
		await reads("新密钥已生成；十位字符显示在客户端窗口");
		await page.getByLabel("审核员如何确认新密钥").selectOption("call");
		await page.getByLabel("没有", { exact: true }).check();
		await looks(page, "reissue-own");
		await shot("reissue-own");
		await press("保存并继续");
		for (const name of ["机构电子签名认证证书业务登记表", "经办人身份证", "营业执照", "证书业务风险告知函"]) await upload(page, name);
		await press("已阅读并接受");
		await signIt();
		await press("提交");
		await page.getByText("审核中", { exact: true }).waitFor();
		writeFileSync(`${WORK}/number`, page.url().split("/").pop());
	},
	// Its certificate beside it, and both uses of the key tried.
	async reissued() {
		await page.goto(`${base}/#/request/${readFileSync(`${WORK}/number`, "utf8")}`);
		await press("安装到此 USB Key");
		await reads("密钥签名、解密正常");
		await press("测试签名与解密");
		await reads(/密钥工作正常：.*签名、解密/);
		await page.getByRole("row", { name: /营业执照/ }).waitFor();
		await shot("reissued");
		await page.goto(`${base}/#/certificate/${SERIAL}`);
		await page.getByText("由新证书取代").waitFor();
	},
};

await play({ [process.argv[2]]: async () => {
	await steps[process.argv[2]]();
	sound(page);
	await keep(page);
} });
