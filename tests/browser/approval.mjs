// An officer's yes, pressed on the page and said at the agent's own terminal: node approval.mjs. The page may lie; what counts is what the terminal shows.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { at, looks, open, play, shot, sound } from "./browser.mjs";
import { terminal } from "./terminal.mjs";

const { WORK, DIR, HUFU_CONFIG, SHOTS, ALICE, BOB } = process.env;
const number = readFileSync(`${WORK}/third`, "utf8").trim();
const TRUE_NAME = "杭州又一家示例有限公司", FALSE_NAME = "杭州冒名示例有限公司", PAPERS = ["registration-form", "agent-id-card", "business-licence", "change-proof", "risk-notice"];

async function paired(page, agent, words) {
	await page.getByRole("button", { name: words[0], exact: true }).click();
	await page.getByRole("button", { name: words[1], exact: true }).click();
	const code = (await agent.reads("tell it to nobody")).match(/pairing code: (\d{6})/)[1];
	await page.getByLabel(words[2]).fill(code);
	await page.getByRole("button", { name: words[3], exact: true }).click();
	await page.getByRole("button", { name: words[4], exact: true }).waitFor();
}

// A call to the agent as a page's script can make it; gives the reason of the refusal.
const called = (page, method, params) => page.evaluate(async ([m, p]) => {
	const { call } = await import(new URL("agent.js", document.querySelector("script[type=module]").src));
	return call(m, p).then(() => "done", (e) => e.reason);
}, [method, params]);

// A desk in a stranger's hands, which gives other papers out than the tally names: the agent does not even ask.
async function other_papers(page) {
	const socket = `${WORK}/captured.sock`, config = `${WORK}/captured.yaml`;
	const lie = (bytes) => Buffer.from(bytes.toString("latin1").replaceAll("JVBERi0xLjQK", "JVBERi0xLjUK"), "latin1"); // PDF 1.5, in base64
	const desk = createServer((agent) => {
		const real = connect(`${DIR}/run/hufu/ra/desk.sock`);
		agent.pipe(real);
		real.on("data", (bytes) => agent.write(lie(bytes)));
		agent.on("error", () => {}).on("close", () => real.destroy());
	}).listen(socket);
	writeFileSync(config, readFileSync(HUFU_CONFIG, "utf8").replace(/^desk_socket:.*$/m, `desk_socket: ${socket}`));
	const agent = await terminal("alice", ["--officer", ALICE], { HUFU_CONFIG: config });
	await paired(page, agent, ["连接 USB Key 客户端", "显示配对码", "客户端显示的配对码", "配对", "在客户端中核对并批准"]);
	await page.getByRole("button", { name: "在客户端中核对并批准", exact: true }).click();
	await page.getByRole("alert").getByText("材料与所签文本中的散列值不符，请勿批准").waitFor();
	assert.equal(agent.count("Type yes: "), 0);
	await agent.end();
	desk.close();
}

// A portal in a stranger's hands: it shows another name than the tally has. The agent shows the tally, and the officer says no.
async function lied_to(page, agent) {
	await page.route("**/rpc", async (route) => {
		if (route.request().postDataJSON().method !== "review.show") return route.continue();
		const answer = await route.fetch();
		return route.fulfill({ response: answer, body: (await answer.text()).replaceAll(TRUE_NAME, FALSE_NAME) });
	});
	await page.reload();
	await page.locator("ins", { hasText: FALSE_NAME }).first().waitFor();
	await page.getByRole("button", { name: "在客户端中核对并批准", exact: true }).click();
	const shown = await agent.reads("Type yes: ");
	assert.ok(shown.includes(`+ O ${TRUE_NAME}`) && !shown.includes(FALSE_NAME), shown);
	agent.types("no");
	await page.getByRole("alert").getByText("您未在客户端确认").waitFor();
	assert.equal(await called(page, "officer.approve", { request: number, text: "hufu/tally/v1\n" }), "param_unknown");
	assert.equal(await called(page, "token.sign", { text: `hufu/other/v1\nO: ${FALSE_NAME}\n` }), "text_kind");
	assert.equal(agent.count("Type yes: "), 1); // neither was asked about
	await page.unroute("**/rpc");
}

const steps = {
	async both() {
		let page = await open();
		await at(page, `request/${number}`, `申请 ${number}`);
		await other_papers(page);
		let agent = await terminal("alice", ["--officer", ALICE]);
		await lied_to(page, agent);
		await page.reload();
		await page.getByText("0/2").waitFor();
		await page.getByRole("button", { name: "在客户端中核对并批准", exact: true }).dblclick(); // one question
		const shown = await agent.reads("Type yes: ");
		writeFileSync(`${SHOTS}/desk-approve.txt`, shown);
		for (const name of PAPERS) assert.match(shown, new RegExp(`material ${name} .*SHA-256 as in the tally`));
		for (const text of ["hufu/tally/v1", "kind: change", `+ O ${TRUE_NAME}`, `number ${number}`, "Approve exactly this tally?"]) assert.ok(shown.includes(text), `${text}: ${shown}`);
		assert.equal(await called(page, "officer.approve", { request: number }), "agent_busy"); // a second tab
		await page.getByText("请到客户端窗口核对并回答").waitFor();
		await looks(page, "approve");
		await shot(page, "desk-approve-1440-zh");
		agent.types("yes");
		await page.getByText("1/2").waitFor();
		await page.getByRole("status").getByText("已批准").waitFor();
		assert.equal(agent.count("Type yes: "), 2);
		await agent.end();
		sound(page);

		agent = await terminal("bob", ["--officer", BOB]);
		page = await open({ language: "en", width: 360 });
		await at(page, `request/${number}`, `Request ${number}`);
		await paired(page, agent, ["Reach the agent of the USB key", "Show the code", "The code that the agent shows", "Pair", "Check and approve in the agent"]);
		await page.getByRole("button", { name: "Check and approve in the agent", exact: true }).click();
		assert.ok((await agent.reads("Type yes: ")).includes(`+ O ${TRUE_NAME}`));
		agent.types("yes");
		await page.getByRole("status").getByText("Approved").waitFor();
		await page.getByText("2/2").waitFor();
		await page.locator(".badge", { hasText: /^issued$/ }).waitFor(); // the page looks again by itself
		assert.equal(await page.getByRole("button", { name: "Check and approve in the agent", exact: true }).count(), 0);
		await looks(page, "approved");
		await shot(page, "desk-approved-360-en");
		await agent.end();
		sound(page);
	},
};

await play(steps);
