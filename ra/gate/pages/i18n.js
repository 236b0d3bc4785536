// Two languages, Chinese first. Each page has one table of texts: {key: ["中文", "English"]}; {name} in a text stands for a value.
const KEY = "hufu-language";
let current = read();

function read() {
	try {
		const kept = localStorage.getItem(KEY);
		if (kept === "zh" || kept === "en") return kept;
	} catch { /* a browser that keeps nothing */ }
	return "zh";
}

export const language = () => current;

export function setLanguage(word) {
	current = word;
	try { localStorage.setItem(KEY, word); } catch { /* the same */ }
	apply();
}

export function apply() {
	document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

// ["中文", "English"], {zh, en} as the desk says it, or plain text.
export function say(text, values) {
	if (text === null || text === undefined) return "";
	let s = Array.isArray(text) ? text[current === "zh" ? 0 : 1] : typeof text === "object" ? text[current] || text.zh || text.en || "" : String(text);
	for (const [name, value] of Object.entries(values || {})) s = s.replaceAll(`{${name}}`, value);
	return s;
}

// const t = texts({…}); t("key", {values})
export const texts = (table) => (key, values) => {
	if (!(key in table)) throw new Error(`no text ${key}`);
	return say(table[key], values);
};
