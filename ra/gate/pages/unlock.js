// 解锁: the PIN of the USB key is forgotten.
import { h } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { agentPanel } from "./agent-panel.js";
import { card, facts, mono, note } from "./ui.js";

const t = texts({
	text: ["解锁由持有 USB Key 的电脑上的客户端办理：客户端显示一个核对码，审核员打电话核对后，您设置新的 PIN。密钥和证书不变，已加密的文件不受影响。", "An unlock is done by the agent on the computer with the USB key: it shows a code, an officer compares it with you, and you set a new PIN. Key and certificate stay, and encrypted files open as before."],
	token: ["USB Key 序列号", "Serial number of the USB key"],
	certificate: ["证书", "Certificate"],
	command: ["也可以用命令办理", "Or by the command"],
});
export const title = ["解锁 USB Key", "Unlock the USB key"];

export async function render({ params }) {
	const c = await rpc("cert.show", { serial: params.serial });
	const offer = (c.offers || []).find((o) => o.action === "unlock") || {};
	return h("div.readable", {}, note("ok", t("text")), offer.possible === false ? note("warn", say(offer)) : null, card(null, facts([[t("certificate"), mono(c.serial)], [t("token"), offer.token ? mono(offer.token) : "–"]])),
		card(null, agentPanel("unlock", { token: offer.token })), card(t("command"), h("pre", {}, `hufu token unlock${offer.token ? ` --serial ${offer.token}` : ""}`)));
}
