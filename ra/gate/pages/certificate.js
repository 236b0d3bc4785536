// One certificate: data, state, its file and receipt, and the rarer things: recovery, hold.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { badge, button, card, dialog, facts, link, mono, toast } from "./ui.js";
import { agentPanel } from "./agent-panel.js";
import { reasonWord, time } from "./format.js";

const t = texts({
	serial: ["序列号", "Serial number"],
	name: ["证书名称", "Certificate name"],
	issuer: ["签发机构密钥标识", "Key id of the issuer"],
	from: ["生效", "From"],
	until: ["到期", "Until"],
	state: ["状态", "State"],
	reason: ["原因", "Reason"],
	since: ["自", "Since"],
	successor: ["后继证书", "Successor"],
	file: ["下载证书", "Download the certificate"],
	receipt: ["下载签发凭证", "Download the receipt"],
	receipt_hint: ["签发凭证证明证书如何签发，可用 hufu verify 离线核对。", "The receipt proves how it was issued; hufu verify checks it offline."],
	files: ["文件", "Files"],
	other: ["其他业务", "Other matters"],
	recover: ["申请恢复证书", "Ask for the recovery"],
	recover_text: ["USB Key 丢失或损坏，而有加密文件尚未开启时，请先申请恢复证书，再补办。恢复由密钥中心办理，密钥不经过本系统。", "With encrypted files not yet opened and the USB key lost or damaged, ask for the recovery first and only then for a reissue. The key centre does it; no key passes through here."],
	hold: ["挂起证书", "Put on hold"],
	hold_text: ["挂起立即生效，证书在解除前不可使用；解除须两名审核员签名。", "A hold is immediate: the certificate is not to be used until it is released, which wants two officers."],
	sure: ["确认挂起该证书？", "Put this certificate on hold?"],
	yes: ["挂起", "Hold it"],
	install: ["安装到 USB Key", "Install on the USB key"],
	held: ["已挂起", "It is on hold"],
});
export const title = ["证书", "Certificate"];

const blob = (text, name, type) => {
	const a = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 10000);
};

export async function render({ params, go }) {
	const c = await rpc("cert.show", { serial: params.serial });
	const hold = async () => {
		if (!(await dialog(t("sure"), h("p", {}, t("hold_text")), [[t("yes"), true, "danger"]]))) return;
		await change("request.hold", { serial: c.serial });
		toast(t("held"));
		go("requests");
	};
	const recover = async () => {
		const r = await change("recover.open", { serial: c.serial });
		go(`request/${r.number}`);
	};
	return h("div.readable", {},
		card(null, facts([[t("name"), c.name], [t("serial"), mono(c.serial)], [t("issuer"), mono(c.issuer)], [t("from"), time(c.not_before)], [t("until"), time(c.not_after)], [t("state"), badge(c.state)], [t("reason"), c.reason ? reasonWord(c.reason) : null], [t("since"), c.when ? time(c.when) : null], [t("successor"), c.successor ? link(`certificate/${c.successor}`, mono(c.successor)) : null]])),
		card(t("files"), h("div.row", {}, button(t("file"), () => blob(c.pem, `${c.serial}.pem`, "application/x-pem-file")), button(t("receipt"), async () => { const r = await rpc("receipt.get", { serial: c.serial }); blob(r.receipt, `${c.serial}.receipt`, "text/plain"); })), h("p.hint", {}, t("receipt_hint"))),
		c.state === "good" ? card(t("install"), agentPanel("install", { certificate: c.pem }), h("pre", {}, `hufu token install --cert ${c.serial}.pem`)) : null,
		card(t("other"), h("p", {}, t("recover_text")), h("p", {}, button(t("recover"), recover)), (c.actions || []).includes("hold") ? [h("p", {}, t("hold_text")), h("p", {}, button(t("hold"), hold, { tone: "danger" }))] : null));
}
