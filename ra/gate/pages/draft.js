// What was typed and not sent, kept for this tab: a session that ends, a reload or the back button lose nothing. Never a secret.
const PREFIX = "hufu-draft:";

export function readDraft(name) {
	try {
		return JSON.parse(sessionStorage.getItem(PREFIX + name)) || {};
	} catch {
		return {};
	}
}

export function keepDraft(name, values) {
	try { sessionStorage.setItem(PREFIX + name, JSON.stringify(values)); } catch { /* a browser that keeps nothing */ }
}

export function dropDraft(name) {
	try { sessionStorage.removeItem(PREFIX + name); } catch { /* the same */ }
}
