// A file to the desk in parts, which goes on where it was cut off; and the place to drop one.
import { h, newId, replace } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change, callId, RpcError } from "./rpc.js";
import { button, toast } from "./ui.js";
import { size } from "./format.js";

const t = texts({
	drop: ["把文件拖到这里，或", "drop a file here, or "],
	choose: ["选择文件", "choose one"],
	kinds: ["PDF、JPEG 或 PNG，最大 20 MiB", "PDF, JPEG or PNG, 20 MiB at most"],
	too_large: ["文件超过 20 MiB：{n}", "the file is over 20 MiB: {n}"],
	kind: ["不是 PDF、JPEG 或 PNG 文件", "this is no PDF, JPEG or PNG file"],
	several: ["一次只能上传一份文件，请逐份拖放", "one file at a time: drop them one by one"],
	empty: ["文件是空的", "the file is empty"],
	sending: ["正在上传 {name}", "sending {name}"],
	done: ["已上传 {name}", "{name} is there"],
	stopped: ["上传中断：{why}", "stopped: {why}"],
	resume: ["继续上传", "Go on"],
});
const MAX = 20 * 1024 * 1024, TRIES = 3;

const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

export function base64(bytes) {
	let s = "";
	for (let i = 0; i < bytes.length; i += 0x8000) s += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
	return btoa(s);
}

// One part; when the network fails the same call is made again.
async function sendPart(owner, upload, part, content) {
	const id = callId();
	for (let i = 1; ; i++) {
		try {
			return await change("material.part", { upload, part, content }, id);
		} catch (e) {
			if (!(e instanceof RpcError) || e.reason !== "network" || i === TRIES) throw e;
		}
	}
}

// owner: {request} or {case}. Goes on with what the desk has of the same file. onProgress(0…1); signal.aborted stops between parts.
export async function send(owner, name, file, onProgress, signal) {
	const bytes = new Uint8Array(await file.arrayBuffer());
	const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
	const begun = await change("material.begin", { ...owner, name, bytes: bytes.length, sha256 });
	if (begun.done) return;
	const have = new Set(begun.have || []);
	for (let part = 1; part <= begun.parts; part++) {
		if (signal && signal.aborted) throw new Error("aborted");
		if (!have.has(part)) await sendPart(owner, begun.upload, part, base64(bytes.subarray((part - 1) * begun.part_bytes, part * begun.part_bytes)));
		onProgress(part / begun.parts);
	}
	await change("material.finish", { upload: begun.upload });
}

// What a file begins with, whatever its name says; the desk looks at all of it.
async function known(file) {
	const b = new Uint8Array(await file.slice(0, 1024).arrayBuffer()), starts = (...v) => v.every((x, i) => b[i] === x);
	return starts(0x89, 0x50, 0x4e, 0x47) || starts(0xff, 0xd8, 0xff) || String.fromCharCode(...b).includes("%PDF-");
}

// dropBox({label, owner, name, onDone}): owner() gives {request} or {case}, and may make one first.
export function dropBox({ label, owner, name, onDone }) {
	const id = newId("upload");
	const input = h("input", { type: "file", accept: ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png", "aria-label": label, "aria-describedby": id });
	const choose = h("label", {}, t("choose"), input);
	const status = h("div", { id, "aria-live": "polite" });
	const box = h("div.drop", {}, t("drop"), choose, h("div.hint", {}, t("kinds")), status);
	const wrong = (text, ...more) => {
		replace(status, h("p.wrong", {}, text), more);
		input.setAttribute("aria-invalid", "true");
		input.focus();
	};
	const take = async (files) => {
		const [file] = files;
		if (!file) return;
		input.removeAttribute("aria-invalid");
		if (files.length > 1) return wrong(t("several"));
		if (file.size > MAX) return wrong(t("too_large", { n: size(file.size) }));
		if (file.size === 0) return wrong(t("empty"));
		if (!(await known(file))) return wrong(t("kind"));
		const bar = h("progress", { max: 1, value: 0, "aria-label": t("sending", { name: file.name }) });
		replace(status, h("p.hint", {}, t("sending", { name: file.name })), bar);
		try {
			await send(await owner(), name, file, (x) => (bar.value = x));
			replace(status);
			toast(t("done", { name: label }));
			if (onDone) await onDone();
		} catch (e) {
			wrong(e instanceof RpcError ? e.say() : t("stopped", { why: e.message }), e instanceof RpcError && e.reason !== "network" ? null : button(t("resume"), () => take([file]), { tone: "plain" }));
		}
	};
	input.addEventListener("change", () => { take([...input.files]).finally(() => { input.value = ""; }); });
	box.addEventListener("dragover", (e) => { e.preventDefault(); box.classList.add("over"); });
	box.addEventListener("dragleave", () => box.classList.remove("over"));
	box.addEventListener("drop", (e) => { e.preventDefault(); box.classList.remove("over"); take([...e.dataTransfer.files]); });
	return box;
}
