// The frame around all pages: language, navigation, who is logged in, and which page an address means. Addresses are #/name/…?query.
import { h, replace } from "./dom.js";
import { apply, language, setLanguage, say, texts } from "./i18n.js";
import { rpc, change, RpcError } from "./rpc.js";
import { button, errorNote, link, toasts, whenLoggedOut, toast, failed } from "./ui.js";

const t = texts({
	brand: ["虎符", "Hufu"],
	skip: ["跳到正文", "Skip to the content"],
	nav: ["导航", "Navigation"],
	logout: ["退出登录", "Log out"],
	login: ["登录", "Log in"],
	other: ["English", "中文"],
	missing: ["没有这个页面", "There is no such page"],
	home: ["回到首页", "Back to the beginning"],
	over: ["登录已失效，请重新登录。已填写的内容都在。", "Your session is over: log in again. What you typed is kept."],
});

// Who is logged in: what account.show says, or null; and whom the number serves, when the log-in said several. Pages read it, and call refresh() after they changed it.
export const state = { account: null, organisations: [] };

export async function refresh() {
	try {
		state.account = await rpc("account.show");
	} catch (e) {
		if (!(e instanceof RpcError) || !e.loggedOut) throw e;
		state.account = null;
	}
}

export const go = (to) => { location.hash = `#/${to}`; };

function parse() {
	const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
	return { path, query: Object.fromEntries(new URLSearchParams(query || "")) };
}

function decode(text) {
	try { return decodeURIComponent(text); } catch { return text; }
}

// "request/:id" against "request/2026…": its parts, or null.
function match(pattern, path) {
	const a = pattern.split("/"), b = path.split("/").map(decode);
	if (a.length !== b.length) return null;
	const found = {};
	for (let i = 0; i < a.length; i++) {
		if (a[i].startsWith(":")) found[a[i].slice(1)] = b[i];
		else if (a[i] !== b[i]) return null;
	}
	return found;
}

let shown = 0, frame = null;

/*
 * start({title, routes, nav, home}): routes are [pattern, load, {open}]: load() imports a module with title and render({params, query, go}), open pages need nobody logged in.
 * nav: [[path, text], …] for those who are; under: {path: that of the entry which it belongs to}. sessions: false where people do not log in here (the officers' desk).
 */
export async function start(config) {
	apply();
	frame = build(config);
	document.body.append(frame.node, toasts());
	whenLoggedOut(() => {
		state.account = null;
		toast(t("over"), "warn");
		toLogin();
	});
	addEventListener("hashchange", () => show(config));
	try {
		if (config.sessions !== false) await refresh();
	} catch (e) {
		failed(e);
	}
	await show(config);
}

function toLogin() {
	const { path, query } = parse();
	if (path === "login") return;
	const here = path + (Object.keys(query).length ? `?${new URLSearchParams(query)}` : "");
	go(here ? `login?next=${encodeURIComponent(here)}` : "login");
}

function build(config) {
	const main = h("main", { id: "main", tabindex: "-1" });
	const side = h("nav.side", { "aria-label": t("nav") });
	const corner = h("div.corner");
	const brand = h("a.brand", { href: "#/" });
	const skip = h("a.skip", { href: "#main", onclick: (e) => { e.preventDefault(); main.focus(); } });
	const node = h("div.frame", {}, skip, h("header.top", {}, brand, corner), h("div.middle", {}, side, main));
	const frame = { node, main, side, corner, brand, skip, config };
	return frame;
}

function fillFrame(path) {
	const { side, corner, brand, skip, config } = frame;
	const account = state.account;
	replace(skip, t("skip"));
	replace(brand, h("span.seal", { "aria-hidden": "true" }, "虎符"), h("span", {}, say(config.title)));
	const other = language() === "zh" ? "en" : "zh";
	replace(corner,
		account ? h("span.who", {}, account.organisation || account.identifier) : null,
		account ? button(t("logout"), logOut, { tone: "quiet" }) : null,
		h("button.quiet", { type: "button", lang: other === "zh" ? "zh-CN" : "en", onclick: () => changeLanguage(other, config) }, t("other")));
	const inside = config.sessions === false || (account && !account.must_reset && !account.must_choose);
	side.hidden = !inside;
	const here = path.split("/")[0];
	replace(side, inside ? h("ul", {}, config.nav.map(([to, text]) => h("li", {}, h("a", { href: `#/${to}`, "aria-current": here === to ? "page" : config.under[here] === to ? "true" : null }, say(text))))) : null);
	const marked = side.querySelector("[aria-current]");
	if (marked) marked.closest("ul").scrollLeft = marked.offsetLeft - (side.clientWidth - marked.clientWidth) / 2; // on a narrow window the list is a strip
}

// Forms keep what is typed in them; what stands in a search is taken along here.
async function changeLanguage(to, config) {
	const searches = () => [...frame.main.querySelectorAll("input[type=search]")], typed = searches().map((n) => n.value);
	setLanguage(to);
	await show(config);
	searches().forEach((n, i) => { n.value = typed[i] ?? n.value; });
}

async function logOut() {
	await change("account.logout");
	state.account = null;
	go("");
}

// What must be done before anything else: choose the organisation, or set a password of one's own.
function forced(path) {
	const a = state.account;
	if (a && a.must_choose && path !== "choose") return "choose";
	if (a && a.must_reset && path !== "reset") return "reset";
	return null;
}

async function show(config) {
	const now = ++shown;
	const { path, query } = parse();
	const must = forced(path);
	if (must) return go(must);
	let route = null, params = null;
	for (const r of config.routes) {
		params = match(r[0], path);
		if (params) { route = r; break; }
	}
	fillFrame(path);
	if (!route) return finish(now, t("missing"), h("p", {}, link("", t("home"))));
	if (config.sessions !== false && !(route[2] && route[2].open) && !state.account) return toLogin();
	frame.main.setAttribute("aria-busy", "true");
	try {
		const page = await route[1]();
		const node = await page.render({ params, query, go, path });
		finish(now, say(typeof page.title === "function" ? page.title(params) : page.title), node, page.wide);
	} catch (e) {
		if (e instanceof TypeError && /import|module/i.test(e.message)) return location.reload(); // the portal is a newer one now
		if (e instanceof RpcError && e.loggedOut) return failed(e);
		finish(now, config.title ? say(config.title) : "", [errorNote(e), h("p", {}, link("", t("home")))]);
	}
}

function finish(now, title, node) {
	if (now !== shown) return;
	frame.main.removeAttribute("aria-busy");
	const heading = h("h1", { tabindex: "-1" }, title);
	replace(frame.main, heading, node);
	document.title = `${title} · ${t("brand")}`;
	if (now > 1) heading.focus();
	scrollTo(0, 0);
}
