// The parts that pages are made of.
import { h, add, replace, newId } from "./dom.js";
import { language, say, texts } from "./i18n.js";
import { callId, RpcError } from "./rpc.js";
import { readDraft, keepDraft, dropDraft } from "./draft.js";
import { stateTone, stateWord, time } from "./format.js";

const t = texts({
	required: ["此项必填", "this is required"],
	long: ["内容过长：最多 {han} 个汉字，或 {max} 个字母和数字", "too long: at most {max} letters, or {han} Chinese characters"],
	hidden: ["内容中含有控制字符或不可见字符", "there are control or invisible characters in it"],
	desk: ["服务台", "Service desk"],
	telephone: ["电话", "telephone"],
	emergency: ["紧急电话", "emergency"],
	close: ["关闭", "Close"],
	cancel: ["取消", "Cancel"],
	none: ["没有记录", "Nothing here yet"],
	previous: ["上一页", "Previous"],
	next: ["下一页", "Next"],
	pages: ["第 {page} 页，共 {pages} 页（{total} 条）", "page {page} of {pages} ({total})"],
	search: ["搜索", "Search"],
	again: ["重试", "Try again"],
	good: ["格式正确", "well formed"],
	again_at: ["{n} 秒后可重新发送", "again in {n} s"],
	until: ["至 {to}", "to {to}"],
});

export const badge = (state) => h(`span.badge.${stateTone(state)}`, {}, stateWord(state));
export const note = (tone, ...children) => h(`div.note.${tone}`, { role: tone === "bad" ? "alert" : null }, ...children);
export const link = (to, ...children) => h("a", { href: `#/${to}` }, ...children);
// From when until when, each on a line of its own.
export const span = (from, to) => h("span", {}, h("span.when", {}, time(from)), " ", h("span.when", {}, t("until", { to: time(to) })));
export const mono = (text) => h("span.mono", {}, text);
// What is said in the words of another program, or of the manuals: an operator looks for exactly these.
export const code = (text) => h("code", {}, text);
export const card = (title, ...children) => h("section.card", {}, title ? h("h2", {}, title) : null, ...children);

// The label beside the value, for [label, value] pairs; pairs without a value are left out.
export const facts = (pairs) => h("dl.facts", {}, pairs.filter(([, v]) => v !== null && v !== undefined && v !== "").map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));

// Whom to ask, as the desk says it with an error or a project.
export function contact(c) {
	if (!c) return null;
	const name = c.name ? say(c.name) : t("desk");
	return h("p.contact", {}, `${name}${language() === "zh" ? "：" : ": "}${reach(c)}`);
}
const reach = (c) => [c.telephone && `${t("telephone")} ${c.telephone}`, c.emergency && `${t("emergency")} ${c.emergency}`, c.hours && say(c.hours)].filter(Boolean).join(language() === "zh" ? "，" : ", ");

// What is said of one field: whom to ask stands behind it where its words send there.
const fieldText = (e) => e.say() + (/服务台|致电/.test(e.words.zh) && e.contact ? ` (${reach(e.contact)})` : ""); // as the desk's own messages name it

// An error as a person reads it; what was found and wanted stands below.
export const errorNote = (e) =>
	e instanceof RpcError ? note("bad", h("p", {}, e.say()), contact(e.contact)) : note("bad", h("p", {}, String(e && e.message ? e.message : e)));

// --- buttons

// One click is one call, however often it is clicked; action may be async. An error goes to a toast unless onError takes it.
export function button(text, action, { tone = "", onError, type = "button", disabled = false } = {}) {
	const node = h(`button${tone ? `.${tone}` : ""}`, { type, disabled }, text);
	if (action)
		node.addEventListener("click", async () => {
			if (node.getAttribute("aria-busy")) return;
			busy(node, true);
			try {
				await action(node);
			} catch (e) {
				if (onError) onError(e);
				else failed(e);
			} finally {
				busy(node, false);
			}
		});
	return node;
}

function busy(node, on) {
	if (on) node.setAttribute("aria-busy", "true");
	else node.removeAttribute("aria-busy");
}

// --- toasts and dialogs

let live = null;
export const toasts = () => (live = h("div.toasts", { role: "status", "aria-live": "polite" }));

export function toast(text, tone = "ok") {
	const node = h(`div.toast.${tone}`, {}, text);
	while (live.children.length > 1) live.firstChild.remove(); // on a narrow window more would lie over the page
	live.append(node);
	setTimeout(() => node.remove(), 6000);
}

let onLoggedOut = () => {};
export const whenLoggedOut = (f) => (onLoggedOut = f);

// What to do with an error that no field takes.
export function failed(e) {
	if (e instanceof RpcError && e.loggedOut) onLoggedOut();
	else toast(e instanceof RpcError ? e.say() : String(e.message || e), "bad");
}

// dialog(title, content, [[text, value, tone], …]): resolves to the value of what was pressed, null when it was closed.
export function dialog(title, content, buttons) {
	const id = newId("dialog");
	const node = h("dialog", { "aria-labelledby": id });
	return new Promise((resolve) => {
		let value = null;
		const end = (v) => { value = v; node.close(); };
		add(node, [h("h2", { id }, title), content, h("div.row", {}, buttons.map(([text, v, tone]) => button(text, () => end(v), { tone })), button(t("cancel"), () => end(null), { tone: "plain" }))]);
		node.addEventListener("close", () => { node.remove(); resolve(value); });
		document.body.append(node);
		node.showModal();
	});
}

// --- forms

/*
 * form({name, fields, submit, call, place}): fields are {name, label, type, hint, value, options, required, secret, autocomplete, inputmode, max, check, tick, after, lines}; max in bytes, as the desk counts.
 *  - call(values, id) does the work; id stays the same until it has succeeded, so that a repeated call is the same wish.
 *  - An error with a field is shown there, others above the button; place(error) names the field where the desk's word for it is another. A hidden field is not judged. check(value, values) gives a text when it is wrong; tick asks the desk as it is typed and gives an error or null.
 *  - What is typed is kept under name, secrets never.
 * The node has .values(), .set(name, value), .fail(error), .fieldAt(name).
 */
export function form({ name, fields, submit, call, place, tone = "primary", keep = true }) {
	const draft = name ? readDraft(name) : {};
	const top = h("div", { "aria-live": "assertive" });
	const parts = new Map();
	let id = callId();
	const values = () => Object.fromEntries([...parts].map(([key, p]) => [key, p.read()]));
	const save = () => {
		if (!name || !keep) return;
		keepDraft(name, Object.fromEntries([...parts].filter(([, p]) => !p.field.secret && p.field.type !== "file").map(([key, p]) => [key, p.read()])));
	};
	for (const f of fields) parts.set(f.name, field(f, f.secret ? undefined : draft[f.name], () => { save(); id = callId(); }, values));

	const fail = (e) => {
		const part = e instanceof RpcError && (parts.get(e.field) || (place && parts.get(place(e))));
		if (part && !part.node.hidden) {
			part.wrong(fieldText(e));
			part.focus();
		} else {
			replace(top, errorNote(e));
		}
		if (e instanceof RpcError && e.loggedOut) onLoggedOut();
	};
	const ok = button(submit, null, { tone, type: "submit" });
	const node = h("form", { novalidate: true, "aria-busy": null }, [...parts.values()].map((p) => p.node), top, h("div.row", {}, ok));
	node.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (ok.getAttribute("aria-busy")) return;
		replace(top);
		let first = null;
		for (const p of parts.values()) if (!p.node.hidden && !p.judge(values()) && !first) first = p;
		if (first) return first.focus();
		busy(ok, true);
		try {
			const result = await call(values(), id);
			if (name && result !== false) dropDraft(name);
		} catch (e) {
			fail(e);
		} finally {
			busy(ok, false);
		}
	});
	node.values = values;
	node.fail = fail;
	node.set = (key, value) => parts.get(key).set(value);
	node.fieldAt = (key) => parts.get(key);
	return node;
}

const MAX = 500, bytesOf = (text) => new TextEncoder().encode(text).length;
const tooLong = (v, max) => (typeof v === "string" && bytesOf(v) > max ? t("long", { max, han: Math.floor(max / 3) }) : "");

function control(f, id, value) {
	const common = { id, name: f.name, required: f.required, autocomplete: f.autocomplete || "off", inputmode: f.inputmode, "aria-describedby": `${id}-hint ${id}-error`, maxlength: f.max || MAX };
	if (f.type === "select") return h("select", { ...common, maxlength: null }, (f.options || []).map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
	if (f.type === "lines") return h("textarea", { ...common, rows: f.lines || 3, value: value ?? "" });
	if (f.type === "check") return h("input", { ...common, maxlength: null, type: "checkbox", checked: value === true });
	return h("input", { ...common, type: f.type || "text", value: value ?? "" });
}

function field(f, kept, changed, all) {
	const id = newId(f.name);
	const value = kept !== undefined ? kept : f.value;
	const input = f.type === "radio" ? h("div.choices", { role: "radiogroup", "aria-labelledby": `${id}-label` }, f.options.map(([v, text, more]) => h("label.choice", {}, h("input", { type: "radio", name: id, value: v, checked: v === value }), h("span", {}, text, more ? h("small", {}, more) : null)))) : control(f, id, value);
	const wrongNode = h("p.wrong", { id: `${id}-error`, "aria-live": "polite" });
	const tick = h("span.tick", { hidden: true, role: "img", "aria-label": t("good") }, "✓");
	const read = () => (f.type === "check" ? input.checked : f.type === "radio" ? input.querySelector("input:checked")?.value || "" : f.secret ? input.value : input.value.trim());
	const mark = (text) => {
		replace(wrongNode, text);
		if (text) input.setAttribute("aria-invalid", "true");
		else input.removeAttribute("aria-invalid");
	};
	let timer = 0, asked = 0;
	// As it is typed: the desk's word on the form of it, a green tick or what is wrong.
	const ask = () => {
		clearTimeout(timer);
		tick.hidden = true;
		const now = ++asked;
		if (!f.tick || read() === "") return;
		timer = setTimeout(async () => {
			const wrong = await f.tick(read(), all()).catch(() => null);
			if (now !== asked || wrong === null) return;
			mark(wrong || "");
			tick.hidden = wrong !== "";
		}, 350);
	};
	input.addEventListener("input", () => { mark(""); changed(); ask(); });
	if (value && f.tick) ask();
	const label = f.type === "radio" ? h("p.label", { id: `${id}-label` }, f.label) : h("label", { for: id }, f.label);
	const hint = h("p.hint", { id: `${id}-hint` }, f.hint || "");
	const node = f.type === "check" ? h("div.field.check", { "data-name": f.name }, h("div", {}, input, label), hint, wrongNode) : h("div.field", { "data-name": f.name }, label, h("div.control", {}, input, tick, f.after || null), hint, wrongNode);
	return {
		field: f, node, read,
		set: (v) => { if (f.type === "check") input.checked = v; else if (f.type !== "radio") input.value = v; changed(); ask(); },
		wrong: (text) => { // what the desk said of the whole form stands over what it says of this field's form, which may come later
			clearTimeout(timer);
			asked++;
			tick.hidden = true;
			mark(text);
		},
		focus: () => (f.type === "radio" ? input.querySelector("input") : input).focus(),
		judge: (values) => {
			const v = values[f.name];
			const text = f.required && (v === "" || v === false) ? t("required") : tooLong(v, f.max || MAX) || (f.check && f.check(v, values)) || "";
			mark(text);
			return text === "";
		},
	};
}

// A button that sends a code and counts down until the next may be asked for. send() gives {wait_seconds}.
export function codeButton(text, send, onError) {
	let left = 0;
	const label = h("span", {}, text);
	const node = h("button.plain", { type: "button" }, label);
	const tickDown = () => {
		node.disabled = left > 0;
		replace(label, left > 0 ? t("again_at", { n: left }) : text);
		if (left-- > 0 && node.isConnected) setTimeout(tickDown, 1000);
	};
	node.addEventListener("click", async () => {
		if (node.getAttribute("aria-busy")) return;
		busy(node, true);
		try {
			const result = await send();
			left = result ? result.wait_seconds || 60 : 0;
			tickDown();
		} catch (e) {
			onError(e);
		} finally {
			busy(node, false);
		}
	});
	return node;
}

// --- tables

// What is wider than its place can be moved by the keyboard too.
function scrollable(name, content) {
	const box = h("div.table", {}, content);
	new ResizeObserver(() => {
		const wide = box.scrollWidth > box.clientWidth;
		for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", name]]) if (wide) box.setAttribute(key, value); else box.removeAttribute(key);
	}).observe(box);
	return box;
}

// columns: [{label, cell(row), tone}]; on a narrow window each row becomes a card.
export function table(caption, columns, rows) {
	if (rows.length === 0) return h("p.empty", {}, t("none"));
	return scrollable(caption, h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, columns.map((c) => h(`th${c.tone ? `.${c.tone}` : ""}`, { scope: "col" }, c.label)))), h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((c) => h(`td${c.tone ? `.${c.tone}` : ""}`, { "data-label": c.label }, h("div", {}, c.cell(row)))))))));
}

// A list that is read page by page: load({page, per_page, search}) gives {rows, total}.
export function list({ caption, columns, load, search, perPage = 5 }) {
	const box = h("div", { "aria-live": "polite" });
	let page = 1, text = "", asked = 0;
	const show = async () => {
		const now = ++asked;
		box.setAttribute("aria-busy", "true");
		try {
			const { rows, total } = await load({ page, per_page: perPage, search: text });
			if (now !== asked) return;
			const pages = Math.max(1, Math.ceil(total / perPage));
			replace(box, table(caption, columns, rows), total > perPage ? pager(page, pages, total) : null);
		} catch (e) {
			if (e instanceof RpcError && e.loggedOut) return onLoggedOut();
			replace(box, errorNote(e), button(t("again"), show, { tone: "plain" }));
		} finally {
			box.removeAttribute("aria-busy");
		}
	};
	const turn = (to) => async () => { page = to; await show(); };
	const pager = (at, pages, total) => h("nav.pager", { "aria-label": caption }, button(t("previous"), turn(at - 1), { tone: "plain", disabled: at <= 1 }), h("span", {}, t("pages", { page: at, pages, total })), button(t("next"), turn(at + 1), { tone: "plain", disabled: at >= pages }));
	const box2 = h("div.list", {}, search ? searchBox(search, (v) => { text = v; page = 1; return show(); }) : null, box);
	box2.ready = show();
	box2.reload = show;
	return box2;
}

// One field and its button. onSearch(text) may be async; what is wrong with the text, here or by the desk's word, stands at the field. max in bytes.
export function searchBox(label, onSearch, value = "", max = 200) {
	const id = newId("search");
	const input = h("input", { id, type: "search", value, autocomplete: "off", maxlength: max, "aria-describedby": `${id}-error` });
	const wrongNode = h("p.wrong", { id: `${id}-error`, "aria-live": "polite" });
	const ok = button(t("search"), null, { type: "submit", tone: "plain" });
	const mark = (text) => {
		replace(wrongNode, text);
		if (text) input.setAttribute("aria-invalid", "true");
		else input.removeAttribute("aria-invalid");
		if (text) input.focus();
	};
	input.addEventListener("input", () => mark(""));
	const node = h("form.search", { role: "search", novalidate: true }, h("div.field", { "data-name": "search" }, h("label", { for: id }, label), h("div.control", {}, input, ok), wrongNode));
	node.addEventListener("submit", async (event) => {
		event.preventDefault();
		const text = input.value.trim();
		if (ok.getAttribute("aria-busy")) return;
		mark(tooLong(text, max) || visible(text));
		if (input.hasAttribute("aria-invalid")) return;
		busy(ok, true);
		try {
			await onSearch(text);
		} catch (e) {
			if (e instanceof RpcError && !e.loggedOut) mark(fieldText(e));
			else failed(e);
		} finally {
			busy(ok, false);
		}
	});
	return node;
}
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/u; // as the desk refuses them in names
// A check for fields that the desk only looks for, where such a character would find nothing and nobody would see why.
export const visible = (text) => (HIDDEN.test(text) ? t("hidden") : "");
