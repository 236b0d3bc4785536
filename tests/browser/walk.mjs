// One step of a person's way through the portal, in Chromium: node walk.mjs STEP. What a step leaves (cookies, a request's number) lies in $WORK for the next;
// screenshots in $SHOTS. The desk's other side (officers, the SMS gateway) is played by portal.bats.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { at, base, calls, downloaded, dropped, foreign, keep, looks, open, pairingCode, play, settled, shot, smsCode, sound, upload, WIDTHS, words } from "./browser.mjs";

const { WORK, HTTP } = process.env;

// The owner's own client, beside the page.
const hufu = (...words) => execFileSync(process.env.hufu, words, { encoding: "utf8", env: { ...process.env, XDG_STATE_HOME: `${WORK}/people/org` } });

const steps = {
	// The start page: small, and nobody else is asked.
	async start() {
		const page = await open({ fresh: true });
		const session = await page.context().newCDPSession(page);
		await session.send("Network.enable");
		let bytes = 0;
		session.on("Network.loadingFinished", (e) => { bytes += e.encodedDataLength; });
		const before = Date.now();
		await page.goto(base);
		await page.getByRole("heading", { level: 1 }).waitFor();
		const ms = Date.now() - before;
		await page.waitForLoadState("networkidle");
		assert.ok(bytes > 1000 && bytes < 100 * 1024, `${bytes} bytes`);
		console.log(`# first page: ${bytes} bytes, usable after ${ms} ms`);
		await page.getByLabel("项目名称").fill("金华市公共资源中心");
		await page.getByRole("button", { name: "搜索" }).click();
		await page.getByRole("link", { name: /金华市公共资源交易中心/ }).click();
		await page.getByRole("heading", { level: 1, name: "金华市公共资源交易中心" }).waitFor();
		for (const name of ["办理流程", "使用帮助", "软件下载", "账户信息"]) await page.getByRole("heading", { name }).waitFor();
		await page.getByRole("img", { name: /图形验证码/ }).waitFor();
		await looks(page, "project");
		await shot(page, "project-1440-zh");
		await page.getByRole("button", { name: "English" }).click();
		await page.getByRole("heading", { name: "Process" }).waitFor();
		assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
		assert.deepEqual([...page.hosts], [HTTP]);
		sound(page);
	},

	// Wrong in each language, then right: the initial password opens the back-fill alone.
	async login() {
		const page = await open({ fresh: true });
		await at(page, "login", "登录");
		await page.getByRole("button", { name: "登录" }).click();
		await page.getByText("此项必填").first().waitFor();
		await page.getByLabel("用户名").fill("35353550-9");
		await page.getByLabel("密码").fill("wrong");
		await page.getByRole("button", { name: "登录" }).click();
		await page.locator(".wrong:not(:empty), [role=alert]").first().waitFor();
		assert.equal(await page.getByLabel("用户名").inputValue(), "35353550-9");
		await looks(page, "login");
		await shot(page, "login-wrong-1440-zh");
		await page.getByRole("button", { name: "English" }).click();
		await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
		assert.equal(await page.getByLabel("User name").inputValue(), "35353550-9"); // nothing typed is lost
		await page.getByLabel("Password").fill("88888888");
		const logins = calls(page, "account.login");
		await page.getByRole("button", { name: "Log in" }).dblclick();
		await page.getByRole("heading", { level: 1, name: "Back-fill and reset" }).waitFor();
		assert.equal(logins(), 1);
		await page.getByRole("button", { name: "中文" }).click();
		await onRecord(page, ["杭州田谷", "35353550-9", "张*", "130***0000"]); // whoever knows the published password sees no more
		await page.goto(`${base}/#/certificates`); // nothing else is possible
		await page.getByRole("heading", { level: 1, name: "补录并重置" }).waitFor();
		const cookie = (await page.context().cookies()).find((c) => c.name === "hufu-session");
		assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict");
		assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)).then((all) => all.includes(cookie.value) || all.includes("88888888")), false);
		await looks(page, "reset");
		await shot(page, "reset-proof-1440-zh");
		await keep(page);
		sound(page);
	},

	// After three wrong passwords of a name a picture code is asked for, and what was typed stays.
	async picture() {
		const page = await open({ fresh: true });
		await at(page, "login", "登录");
		await page.getByLabel("用户名").fill("913301003535355023");
		await page.getByLabel("密码").fill("wrong");
		for (let i = 0; i < 4 && !(await page.getByLabel("图形验证码", { exact: true }).count()); i++) {
			await page.getByRole("button", { name: "登录" }).click();
			await settled(page);
		}
		await page.getByLabel("图形验证码", { exact: true }).fill("0000");
		assert.equal(await page.getByLabel("用户名").inputValue(), "913301003535355023");
		const before = await page.getByRole("img", { name: /图形验证码/ }).getAttribute("src");
		await page.getByRole("button", { name: "登录" }).click();
		await page.waitForFunction((old) => document.querySelector("img.picture").src !== old, before);
		await page.locator(".wrong:not(:empty), [role=alert]").first().waitFor();
		await looks(page, "picture");
		await shot(page, "login-picture-1440-zh");
		sound(page);
	},

	// A forgotten password: a code to the bound number, a new password, and in.
	async forgot() {
		const page = await open({ fresh: true, width: 360, language: "en" });
		await at(page, "forgot", "Forgot the password");
		await page.getByLabel("Account (mobile number)").fill(process.env.MOBILE);
		await page.getByRole("button", { name: "Send a code" }).click();
		await page.getByRole("button", { name: /again in \d+ s/ }).waitFor();
		await page.getByLabel("SMS code").fill("000000");
		await page.getByLabel("New password", { exact: true }).fill("another password of org");
		await page.getByLabel("The new password again").fill("another password of org");
		await page.getByRole("button", { name: "Set the new password" }).click();
		await page.locator(".wrong:not(:empty), [role=alert]").first().waitFor();
		await page.getByLabel("SMS code").fill(await smsCode(process.env.MOBILE));
		await page.getByRole("button", { name: "Set the new password" }).click();
		await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
		await page.getByLabel("User name").fill(process.env.MOBILE);
		await page.getByLabel("Password").fill("another password of org");
		await page.getByRole("button", { name: "Log in" }).click();
		await page.getByRole("heading", { level: 1, name: "My services" }).waitFor();
		await page.getByRole("button", { name: "Log out" }).click();
		await page.getByRole("heading", { level: 1, name: "Certificate services" }).waitFor();
		sound(page);
	},

	// Back-fill: the officer's code, then number, code with its count-down, and password, each with a green tick.
	async reset() {
		const page = await open({ width: 360 });
		await at(page, "reset", "补录并重置");
		await page.getByLabel("审核员提供的一次性代码").fill(process.env.CODE);
		await page.locator("form").filter({ has: page.getByLabel("审核员提供的一次性代码") }).getByRole("button", { name: "确认" }).click();
		const mobile = page.getByLabel("账号（手机号）");
		await mobile.waitFor();
		await onRecord(page, ["杭州田谷", "35353550-9", "张三", "1300000000", "格式不正确，仅存档，不会向其发送"]);
		await mobile.fill("1300000000");
		await page.locator(".field", { has: mobile }).locator(".wrong:not(:empty)").waitFor();
		await mobile.fill(process.env.MOBILE);
		await page.locator(".field", { has: mobile }).getByRole("img", { name: "格式正确" }).waitFor();
		await page.getByRole("button", { name: "获取验证码" }).click();
		await page.getByRole("button", { name: /\d+ 秒后可重新发送/ }).waitFor();
		await page.getByLabel("短信验证码").fill(await smsCode(process.env.MOBILE));
		await page.getByLabel("新密码", { exact: true }).fill("the password of org");
		await page.getByLabel("再次输入新密码").fill("another");
		await page.locator(".field", { has: page.getByLabel("再次输入新密码") }).locator(".wrong:not(:empty)").waitFor();
		await looks(page, "reset");
		await shot(page, "reset-360-zh");
		await page.getByLabel("再次输入新密码").fill("the password of org");
		await page.locator(".field", { has: page.getByLabel("再次输入新密码") }).getByRole("img", { name: "格式正确" }).waitFor();
		await page.getByRole("button", { name: "保存" }).click();
		await page.waitForURL(/#\/(services|login)/);
		if (/login/.test(page.url())) await enter(page);
		await page.getByRole("heading", { level: 1, name: "我的服务" }).waitFor();
		await keep(page);
		sound(page);
	},

	// An expired service stops the extension: renew, order, pay.
	async renew() {
		const page = await open();
		await at(page, "certificates", "我的证书");
		await rowHas(page, "74C2008800000AE9", ["擎洲测试投标人6", "ZJCA OCA2", /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "延期", "变更", "解锁", "补办"]);
		await page.getByRole("button", { name: "延期" }).click();
		await page.getByText("服务已到期，请先续费并付款").waitFor();
		await shot(page, "extend-stopped-1440-zh");
		await page.getByRole("dialog").getByRole("button", { name: "去续费" }).click();
		await page.getByRole("heading", { level: 1, name: "我的服务" }).waitFor();
		await rowHas(page, "20353", ["金华市公共资源交易中心", "擎洲测试投标人6", "74C2008800000AE9", /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "已到期"]);
		await searched(page);
		await paged(page);
		await page.getByRole("button", { name: "续费" }).click();
		await page.getByRole("dialog").getByText("¥ 300.00").waitFor();
		const orders = calls(page, "order.create");
		await page.getByRole("dialog").getByRole("button", { name: "生成订单" }).dblclick();
		await page.getByRole("heading", { level: 1, name: "订单" }).waitFor();
		await page.getByRole("button", { name: "银行转账" }).click();
		await page.getByText("付款参考号").last().waitFor();
		assert.equal(orders(), 1);
		await looks(page, "order");
		await shot(page, "order-pay-1440-zh");
		writeFileSync(`${WORK}/order`, page.url().split("/").pop());
		sound(page);
	},

	// Extending: the paid order, the same key; the request waits for its signature. Pressed twice it is one request; the way back finds what was typed.
	async extend() {
		const page = await open();
		await at(page, "services", "我的服务");
		await rowHas(page, "20353", ["服务中"]);
		await at(page, "certificates", "我的证书");
		await page.getByRole("link", { name: "延期" }).click();
		await page.getByRole("heading", { level: 1, name: "证书延期" }).waitFor();
		await page.getByLabel(/延期（密钥不变）/).check();
		await page.getByText("密钥不变，已加密的文件不受影响").last().waitFor();
		await looks(page, "extend");
		const prepared = calls(page, "request.prepare");
		await page.getByRole("button", { name: "保存并继续" }).dblclick();
		await page.getByRole("heading", { name: "签名", exact: true }).waitFor();
		await page.getByText("hufu/tally/v1").waitFor();
		assert.equal(prepared(), 1);
		await looks(page, "sign");
		await shot(page, "sign-1440-zh");
		writeFileSync(`${WORK}/number`, page.url().split("/").pop());
		await page.goBack();
		await page.getByRole("heading", { level: 1, name: "证书延期" }).waitFor();
		assert.equal(await page.getByLabel(/延期（密钥不变）/).isChecked(), true);
		await page.goForward();
		await page.getByText("hufu/tally/v1").waitFor();
		// A line that is none of this key's is refused, and stays where it was typed.
		await page.getByText("方法三").first().click();
		await page.getByRole("textbox", { name: /方法三/ }).fill("— nobody AAAA");
		await page.locator("details").getByRole("button", { name: "签名", exact: true }).click();
		await page.locator("details").locator(".wrong:not(:empty), [role=alert]").first().waitFor();
		assert.equal(await page.getByRole("textbox", { name: /方法三/ }).inputValue(), "— nobody AAAA");
		sound(page);
	},

	// Signed by the key in the agent, handed in, and installed beside it. Another tab, which still shows the draft, comes too late.
	async issued() {
		const page = await open();
		const number = readFileSync(`${WORK}/number`, "utf8"), again = await page.context().newPage();
		for (const tab of [again, page]) await at(tab, `request/${number}`, new RegExp(number));
		await page.getByRole("button", { name: "连接 USB Key 客户端" }).click();
		await page.getByRole("button", { name: "显示配对码" }).click();
		await page.getByLabel("客户端显示的配对码").fill(await pairingCode());
		await page.getByRole("button", { name: "配对", exact: true }).click();
		await page.getByRole("button", { name: "用此 USB Key 签名" }).click();
		const submitted = calls(page, "request.submit");
		await page.getByRole("button", { name: "提交", exact: true }).dblclick();
		await page.getByText("证书已签发，请安装到 USB Key。").waitFor();
		assert.equal(submitted(), 1);
		await again.getByRole("button", { name: "撤回申请" }).click();
		await again.getByRole("dialog").getByRole("button", { name: "撤回申请" }).click();
		await again.locator(".toast.bad").waitFor();
		await again.getByText("证书已签发，请安装到 USB Key。").waitFor(); // it shows what is so now
		await again.close();
		await page.getByRole("button", { name: "安装到此 USB Key" }).click();
		await page.getByText("密钥签名正常").waitFor();
		await downloaded(page, "下载证书", `${WORK}/extended.pem`);
		await looks(page, "issued");
		await shot(page, "issued-1440-zh");
		await keep(page);
		sound(page);
	},

	// A change: what is typed survives the end of the session; papers one by one, one of them no paper at all; the notice read, printed, accepted.
	async change() {
		const page = await open();
		await at(page, `new/change/${process.env.SERIAL}`, "证书变更");
		await page.getByText("推荐").waitFor();
		await shot(page, "change-ways-1440-zh");
		await page.getByLabel(/名称或代码变更/).check();
		await page.getByLabel(/单位名称/).fill("杭州虎符示例科技有限公司");
		await page.getByLabel("统一社会信用代码").fill("913301003535355024");
		await page.getByLabel("没有", { exact: true }).check();
		await page.goto(`${base}/#/certificates`);
		await page.getByRole("heading", { level: 1, name: "我的证书" }).waitFor();
		await page.goBack();
		await typedIsThere(page);
		await page.context().clearCookies();
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.getByRole("heading", { level: 1, name: "登录" }).waitFor();
		await enter(page);
		await typedIsThere(page);
		await page.getByLabel("统一社会信用代码").fill("913301003535355023");
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.getByRole("heading", { name: "材料" }).waitFor();
		const row = (name) => page.getByRole("row").filter({ hasText: name });
		await row("营业执照").locator("input[type=file]").setInputFiles({ name: "licence.pdf", mimeType: "application/pdf", buffer: Buffer.from("no paper at all") });
		await row("营业执照").locator(".wrong:not(:empty)").waitFor();
		await shot(page, "change-papers-1440-zh");
		await resumed(page, row("机构电子签名认证证书业务登记表"));
		for (const name of ["经办人身份证", "营业执照", "工商变更证明", "证书业务风险告知函"]) await upload(page, name);
		await printed(page);
		await page.getByRole("button", { name: "已阅读并接受" }).click();
		await page.getByText("已接受").waitFor();
		await page.getByRole("heading", { name: "签名", exact: true }).waitFor();
		await looks(page, "change");
		await shot(page, "change-1440-zh");
		writeFileSync(`${WORK}/number`, page.url().split("/").pop());
		await keep(page);
		sound(page);
	},

	// A correction: each reason stands at its paper and at its field; what is asked for is put right, signed again and handed in.
	async correct() {
		const page = await open();
		const number = readFileSync(`${WORK}/number`, "utf8");
		await at(page, `request/${number}`, new RegExp(number));
		const asked = page.locator("section", { has: page.getByRole("heading", { name: "需要补正" }) });
		await asked.getByText("营业执照: 印章看不清").waitFor();
		await asked.getByText("单位名称: 与公示的不一致").waitFor();
		await looks(page, "correct");
		await shot(page, "correct-1440-zh");
		await page.getByRole("button", { name: "开始补正" }).click();
		const licence = page.getByRole("row").filter({ hasText: "营业执照" });
		await licence.locator(".wrong", { hasText: "印章看不清" }).waitFor();
		await page.getByRole("link", { name: "修改申请" }).click();
		const name = page.getByLabel(/单位名称/);
		await page.locator(".field", { has: name }).locator(".wrong", { hasText: "与公示的不一致" }).waitFor();
		assert.equal(await name.inputValue(), "杭州虎符示例科技有限公司"); // as it was handed in
		await name.fill("杭州虎符示例科技股份有限公司");
		await page.getByRole("button", { name: "保存并继续" }).click();
		await upload(page, "营业执照", "营业执照，重新扫描"); // the same file again is no correction
		await licence.locator(".wrong").waitFor({ state: "detached" });
		await page.getByRole("button", { name: "已阅读并接受" }).click();
		await page.getByRole("heading", { name: "签名", exact: true }).waitFor();
		hufu("request", "prove", "--key", `${WORK}/old/org.key`, "--yes", number);
		await page.getByRole("button", { name: "刷新" }).click();
		await page.getByRole("button", { name: "提交", exact: true }).click();
		await page.getByText("审核中", { exact: true }).waitFor();
		assert.equal(await page.getByRole("heading", { name: "需要补正" }).count(), 0);
		sound(page);
	},

	// A new legal representative, for the desk's record alone: asked to correct, what was typed comes from the desk.
	async representative() {
		const page = await open();
		await at(page, `new/change/${process.env.SERIAL}`, "证书变更");
		await page.getByLabel(/法定代表人变更/).check();
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.locator(".field", { has: page.getByLabel("新的法定代表人") }).getByText("此项必填").waitFor();
		await page.getByLabel("新的法定代表人").fill("李四");
		await page.getByRole("button", { name: "保存并继续" }).click();
		await upload(page, "工商变更证明");
		await looks(page, "representative");
		await page.getByRole("button", { name: "提交", exact: true }).click();
		await page.getByText("审核中", { exact: true }).waitFor();
		const number = page.url().split("/").pop();
		hufu("officer", "correct", "--as", "alice", "--item", "legalRepresentative=姓名与证明不一致", number);
		await page.evaluate(() => sessionStorage.clear());
		await page.getByRole("button", { name: "刷新" }).click();
		await page.getByText("法定代表人: 姓名与证明不一致").waitFor();
		await page.getByRole("button", { name: "开始补正" }).click();
		await page.getByRole("link", { name: "修改申请" }).click();
		const name = page.getByLabel("新的法定代表人");
		await page.locator(".field", { has: name }).locator(".wrong", { hasText: "姓名与证明不一致" }).waitFor();
		assert.equal(await name.inputValue(), "李四");
		await name.fill("李四光");
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.getByRole("button", { name: "提交", exact: true }).click();
		await page.getByText("审核中", { exact: true }).waitFor();
		hufu("officer", "decide", "--as", "alice", number);
		await page.getByRole("button", { name: "刷新" }).click();
		await page.getByText("已完成", { exact: true }).waitFor();
		await page.getByRole("link", { name: "我的信息" }).click();
		await page.getByText("李四光").waitFor();
		sound(page);
	},

	// A lost key: the desk makes a new one and ships it. What is missing is said at its field; encrypted files hold it; withdrawn, it is over.
	async reissue() {
		const page = await open({ width: 360 });
		await at(page, `new/reissue/${process.env.SERIAL}`, "证书补办");
		await page.getByLabel(/补办（遗失）/).check();
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.locator(".wrong:not(:empty)").first().waitFor(); // nobody said whether files are still encrypted
		await page.getByLabel(/在自己的 USB Key 上/).check();
		assert.equal(await page.getByLabel("收件人").isVisible(), false);
		await page.getByLabel(/由服务台制作/).check();
		await page.getByLabel("收件人").fill("张三");
		await page.getByLabel("联系电话").fill("0571-88880000");
		await page.getByLabel("收件地址").fill("杭州市西湖区示例路1号");
		await page.getByLabel(/^有请先申请恢复证书/).check();
		await page.getByRole("button", { name: "保存并继续" }).click();
		await page.getByRole("heading", { name: "还缺什么" }).waitFor();
		await page.getByText("先办理恢复证书").waitFor();
		await looks(page, "reissue");
		await shot(page, "reissue-360-zh");
		await page.getByRole("button", { name: "撤回申请" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "撤回申请" }).click();
		await page.getByText("已撤回").first().waitFor();
		sound(page);
	},

	// Beside the guide's road: a recovery is asked for and withdrawn; who forgot the registered code drops the licence onto the page; a new organisation registers and applies for a service, once.
	async beside() {
		const page = await open({ language: "en" });
		const applies = async (who) => {
			await at(who, "apply", "Apply for a service");
			await who.getByLabel("Name of the project").fill("金华");
			await who.getByRole("button", { name: "Search" }).click();
			await who.getByRole("button", { name: "Apply" }).click();
		};
		await applies(page);
		await page.getByRole("alert").getByText(/renew/).waitFor(); // it has that service
		await at(page, `certificate/${process.env.SERIAL}`, "Certificate");
		await page.getByRole("button", { name: "Ask for the recovery" }).click();
		await page.getByRole("heading", { level: 1, name: /^recovery/ }).waitFor();
		await page.locator(".badge", { hasText: "opened" }).waitFor();
		await page.getByRole("button", { name: "Withdraw" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
		await page.locator(".badge", { hasText: "withdrawn" }).first().waitFor();
		sound(page);

		const guest = await open({ fresh: true, width: 360, language: "en" }), mobile = "13700000021", password = "the password of a new one";
		await at(guest, "identifier", "Forgot the registered code");
		await guest.getByLabel("Organisation").fill("杭州田谷");
		await guest.getByLabel("Who asks").fill("张三");
		await guest.getByLabel("Mobile").fill(mobile);
		await guest.getByRole("button", { name: "Next" }).click();
		await guest.locator(".drop").waitFor();
		await dropped(guest, "licence");
		await guest.getByText("It is here.").waitFor();
		await looks(guest, "identifier");
		await at(guest, "register", "Register an organisation");
		await guest.getByLabel("Unified social credit code").fill("91330100MAHUFU0179");
		await guest.getByLabel("Organisation, as on the licence").fill("杭州新来示例有限公司");
		await guest.getByLabel("Agent").fill("王五");
		await guest.getByLabel(/mobile number/).fill(mobile);
		await guest.getByRole("button", { name: "Send a code" }).click();
		await guest.getByLabel("SMS code").fill(await smsCode(mobile));
		await guest.getByLabel("New password", { exact: true }).fill(password);
		await guest.getByLabel("The new password again").fill(password);
		await guest.getByRole("button", { name: "Register" }).click();
		await guest.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
		await guest.getByLabel("User name").fill(mobile);
		await guest.getByLabel("Password").fill(password);
		await guest.getByRole("button", { name: "Log in" }).click();
		await guest.getByRole("heading", { level: 1, name: "My services" }).waitFor();
		await guest.getByText("Nothing here yet").waitFor();
		await looks(guest, "empty");
		await shot(guest, "services-empty-360-en");
		await applies(guest);
		await guest.getByRole("heading", { level: 1, name: "Order" }).waitFor();
		await guest.getByText("¥ 300.00").first().waitFor();
		sound(guest);
	},

	// Each page, in both languages, one at a telephone's width and one at a desk's; with HUFU_LONG each at both.
	async all() {
		const machine = [];
		const pages = ["", "project/jinhua", "login", "forgot", "identifier", "register", "freeze"];
		const inside = ["services", "certificates", `certificate/${process.env.SERIAL}`, `new/change/${process.env.SERIAL}`, `new/reissue/${process.env.SERIAL}`, "requests", `request/${readFileSync(`${WORK}/number`, "utf8")}`, "orders", `order/${readFileSync(`${WORK}/order`, "utf8")}`, "parcels", "apply", "me", "contact", "link", `unlock/${process.env.SERIAL}`];
		for (const language of ["zh", "en"]) {
			for (const width of process.env.HUFU_LONG === "1" ? WIDTHS : [language === "zh" ? 360 : 1440]) {
				for (const [fresh, list] of [[true, pages], [false, inside]]) {
					const page = await open({ width, language, fresh });
					await page.goto(base);
					await page.locator("main").waitFor({ state: "attached" });
					for (const hash of list) {
						await page.evaluate((to) => { document.querySelector("main").replaceChildren(); if (location.hash === to) dispatchEvent(new Event("hashchange")); else location.hash = to; }, `#/${hash}`);
						await page.locator("h1").waitFor();
						await settled(page);
						const name = `${hash.split("/").slice(0, 2).join("-").replace(/[0-9A-F]{12,}|\d{8}-\w+/, "one") || "home"}-${width}-${language}`;
						await looks(page, name);
						machine.push(...(await words(page, name, language)));
						await shot(page, name);
						assert.equal(await page.locator("main .note.bad").count(), 0, `${name}: ${await page.locator("main").innerText()}`);
						if (language === "en") assert.deepEqual(await foreign(page, /金华[\u4e00-\u9fff]*/), [], `${name}: Chinese on the English page`);
					}
					sound(page);
					await page.context().close();
				}
			}
		}
		assert.deepEqual(machine, []);
	},
};

// What is on record is shown to be read.
async function onRecord(page, texts) {
	const record = page.locator("section", { hasText: "登记信息（只读）" });
	for (const text of texts) await record.getByText(text).first().waitFor();
	assert.equal(await record.locator("input").count(), 0);
}

// The row with this number, and what stands in it.
async function rowHas(page, number, texts) {
	const row = page.getByRole("row").filter({ hasText: number });
	for (const text of texts) await row.getByText(text).first().waitFor();
}

// A list is found by its name: nothing, and then the row again.
async function searched(page) {
	const search = page.getByLabel("按证书名称查找");
	await search.fill("没有这个名字");
	await search.press("Enter");
	await page.getByText("没有记录").waitFor();
	await search.fill("投标人6");
	await search.press("Enter");
	await rowHas(page, "20353", ["擎洲测试投标人6"]);
}

// Seven services, played by the test: the page asks for five, and for the rest when it is told to.
async function paged(page) {
	const asked = [];
	await page.route("**/rpc", async (route) => {
		const call = route.request().postDataJSON();
		if (call.method !== "service.list") return route.continue();
		asked.push([call.params.page, call.params.per_page]);
		const answer = await route.fetch(), body = await answer.json(), [one] = body.result.services, from = 5 * (call.params.page - 1);
		body.result = { ...body.result, total: 7, services: Array.from({ length: Math.min(5, 7 - from) }, (_, i) => ({ ...one, id: `S${from + i + 1}` })) };
		return route.fulfill({ response: answer, json: body });
	});
	await page.reload();
	await page.getByText("第 1 页，共 2 页（7 条）").waitFor();
	assert.equal(await page.getByRole("row").count(), 6);
	await page.getByRole("button", { name: "下一页" }).click();
	await page.getByRole("row").filter({ hasText: "S7" }).waitFor();
	assert.equal(await page.getByRole("row").count(), 3);
	assert.deepEqual(asked, [[1, 5], [2, 5]]);
	await page.unroute("**/rpc");
	await page.reload();
}

// A change's form is as it was left: the way, and what was typed.
async function typedIsThere(page) {
	await page.getByRole("heading", { level: 1, name: "证书变更" }).waitFor();
	await page.getByLabel(/单位名称/).waitFor();
	assert.equal(await page.getByLabel(/名称或代码变更/).isChecked(), true);
	assert.equal(await page.getByLabel(/单位名称/).inputValue(), "杭州虎符示例科技有限公司");
	assert.equal(await page.getByLabel("统一社会信用代码").inputValue(), "913301003535355024");
	assert.equal(await page.getByLabel("没有", { exact: true }).isChecked(), true);
}

// A paper of several parts, cut off in the middle: it goes on with the parts that the desk lacks. The line is slow: how far it has come is shown.
async function resumed(page, row) {
	const text = `%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n${`% ${"x".repeat(997)}\n`.repeat(1300)}`;
	const buffer = Buffer.from(`${text}xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R>>\nstartxref\n${Buffer.byteLength(text)}\n%%EOF\n`);
	const sent = [];
	let cut = true, slow = () => {};
	const seen = new Promise((resolve) => { slow = resolve; });
	await page.route("**/rpc", async (route) => {
		const call = route.request().postDataJSON();
		if (call.method === "material.part") {
			if (cut && call.params.part === 2) return route.abort();
			sent.push(call.params.part);
			if (call.params.part === 3) await seen;
		}
		await route.continue();
	});
	await row.locator("input[type=file]").setInputFiles({ name: "form.pdf", mimeType: "application/pdf", buffer });
	await row.getByText("网络不通").waitFor();
	cut = false;
	page.wrong = page.wrong.filter((text) => !/ERR_FAILED/.test(text));
	await row.getByRole("button", { name: "继续上传" }).click();
	const bar = row.getByRole("progressbar", { name: "正在上传 form.pdf" });
	await bar.waitFor();
	await page.waitForFunction((n) => n.value > 0.6 && n.value < 0.7, await bar.elementHandle());
	slow();
	await row.getByText("✓").waitFor();
	assert.deepEqual(sent, [1, 2, 3]);
	await page.unroute("**/rpc");
}

// On paper stands the notice, whole, and nothing of the page around it.
async function printed(page) {
	await page.emulateMedia({ media: "print" });
	const seen = await page.evaluate(() => new Promise((resolve) => {
		const shown = (selector) => [...document.querySelectorAll(selector)].some((n) => n.getClientRects().length > 0);
		window.print = () => resolve({ notice: shown(".paper.printed"), all: document.querySelector(".printed").scrollHeight <= document.querySelector(".printed").clientHeight, rest: [".top", ".side", "button", "h1", "pre", "table", ".line"].filter(shown) });
		[...document.querySelectorAll("button")].filter((b) => b.textContent === "打印").pop().click();
	}));
	assert.deepEqual(seen, { notice: true, all: true, rest: [] });
	await page.emulateMedia({ media: "screen" });
}

async function enter(page) {
	await page.getByLabel("用户名").fill(process.env.MOBILE);
	await page.getByLabel("密码").fill("the password of org");
	await page.getByRole("button", { name: "登录" }).click();
}

await play(steps);
