// 我的证书: the certificates and what can be done with each, or why not, in plain words.
import { h } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { badge, button, dialog, list, note, span } from "./ui.js";

const t = texts({
	caption: ["我的证书", "My certificates"],
	intro: ["延期、变更、补办都可能影响已加密的文件。办理前请确认没有尚未解密的加密文件；每一步都会说明影响。", "Extending, changing and reissuing can affect encrypted files. Make sure that nothing encrypted is still to be decrypted; each step says what it does."],
	search: ["按证书名称查找", "Find by the certificate's name"],
	serial: ["序列号", "Serial number"],
	name: ["证书名称", "Certificate name"],
	issuer: ["签发机构", "Issuer"],
	validity: ["有效期", "Validity"],
	state: ["状态", "State"],
	actions: ["操作", "Actions"],
	extend: ["延期", "Extend"],
	change: ["变更", "Change"],
	unlock: ["解锁", "Unlock"],
	reissue: ["补办", "Reissue"],
	why: ["为什么现在不能办理", "Why this is not possible now"],
	renew: ["去续费", "Renew the service"],
	instead: ["改办恢复证书或补办", "Ask for the recovery, or a reissue, instead"],
	new: ["办理新证书", "New certificate"],
});
export const title = ["我的证书", "My certificates"];

// A button for each of the four; one that is not possible says why instead of doing nothing.
function offerButton(cert, offer, go) {
	const where = offer.action === "unlock" ? `unlock/${cert.serial}` : `new/${offer.action}/${cert.serial}`;
	if (offer.possible) return h(`a.button.small${offer.action === "extend" ? ".primary" : ""}`, { href: `#/${where}` }, t(offer.action));
	return button(t(offer.action), async () => {
		const expired = offer.reason === "service_expired" || offer.reason === "service_unpaid";
		const to = await dialog(t("why"), h("p", {}, say(offer)), expired ? [[t("renew"), "services", "primary"]] : offer.instead ? [[t("instead"), `certificate/${cert.serial}`, "primary"]] : []);
		if (to) go(to);
	}, { tone: "plain.small" });
}

export async function render({ go }) {
	return h("div", {}, note("warn", t("intro")), list({
		caption: t("caption"), search: t("search"),
		load: async (p) => { const r = await rpc("cert.list", p); return { rows: r.certificates, total: r.total }; },
		columns: [
			{ label: t("serial"), cell: (c) => h("a.mono", { href: `#/certificate/${c.serial}` }, c.serial) },
			{ label: t("name"), cell: (c) => c.name },
			{ label: t("issuer"), cell: (c) => c.issuer },
			{ label: t("validity"), cell: (c) => span(c.not_before, c.not_after) },
			{ label: t("state"), cell: (c) => badge(c.state) },
			{ label: t("actions"), cell: (c) => h("div.actions", {}, (c.offers || []).map((o) => offerButton(c, o, go))) },
		],
	}));
}
