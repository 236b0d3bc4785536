// `hufu agent` in a terminal of its own, and the person at its keyboard: for the stories in which what is asked is read and answered as people do it.
import { spawn } from "node:child_process";

// terminal(who, [OPTION…], environment): resolves when the agent listens.
export async function terminal(who, options, more = {}) {
	const { hufu, WORK } = process.env;
	const line = [hufu, "agent", "--origin", `http://${process.env.HTTP}`, "--port", process.env.AGENT_PORT, ...options];
	const child = spawn("script", ["-qec", line.join(" "), "/dev/null"], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, XDG_STATE_HOME: `${WORK}/people/${who}`, ...more } });
	let all = "", from = 0, woken = () => {};
	child.stdout.setEncoding("utf8");
	child.stdout.on("data", (text) => { all += text.replace(/\r/g, ""); woken(); });
	process.once("exit", () => child.kill());
	process.once("SIGTERM", () => process.exit(1));
	const ended = new Promise((resolve) => child.once("exit", () => { resolve(); woken(); }));
	const t = {
		// What has come since the last reads(), up to this text: half a minute at most.
		async reads(text) {
			const until = Date.now() + 30000;
			while (!all.slice(from).includes(text)) {
				if (child.exitCode !== null || Date.now() > until) throw new Error(`the terminal does not show ${text}: ${all}`);
				await Promise.race([new Promise((resolve) => { woken = resolve; }), new Promise((resolve) => setTimeout(resolve, 1000))]);
			}
			const end = all.indexOf(text, from) + text.length, seen = all.slice(from, end);
			from = end;
			return seen;
		},
		types: (answer) => child.stdin.write(`${answer}\n`),
		count: (text) => all.split(text).length - 1,
		// Ctrl-C, as a person ends it.
		async end() {
			child.stdin.write("\x03");
			await ended;
		},
	};
	await t.reads("Ctrl-C ends it");
	return t;
}
