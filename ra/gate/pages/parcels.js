// 我的签收: USB keys on their way, and the word that one has arrived.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { badge, form, link, list, mono, note, toast } from "./ui.js";
import { minute } from "./format.js";

const t = texts({
	caption: ["我的签收", "My receipts"],
	intro: ["收到 USB Key 后，请核对外壳上的序列号再签收。序列号不符时不要签收，请联系服务台。", "When a USB key has arrived, compare the serial number on it before you confirm. If it is another, do not confirm and ask the desk."],
	number: ["申请编号", "Request"],
	carrier: ["承运", "Carrier"],
	shipped: ["寄出", "Shipped"],
	due: ["请在此前签收", "Confirm by"],
	state: ["状态", "State"],
	confirm: ["签收", "Confirm"],
	token: ["USB Key 序列号", "Serial number of the USB key"],
	token_hint: ["见 USB Key 外壳", "as it stands on the key"],
	done: ["已签收", "Confirmed"],
});
export const title = ["我的签收", "My receipts"];

export async function render() {
	const confirm = (p, again) => form({
		name: `receive-${p.number}`, submit: t("confirm"),
		fields: [{ name: "token", label: t("token"), hint: t("token_hint"), required: true, max: 64 }],
		call: async (v, id) => {
			await change("parcel.receive", { request: p.request, token: v.token }, id);
			toast(t("done"));
			await again();
		},
	});
	const node = list({
		caption: t("caption"),
		load: async ({ page, per_page }) => { const r = await rpc("parcel.list", { page, per_page }); return { rows: r.parcels, total: r.total }; },
		columns: [
			{ label: t("number"), cell: (p) => link(`request/${p.number}`, mono(p.number)) },
			{ label: t("carrier"), cell: (p) => (p.carrier ? `${p.carrier} ${p.tracking || ""}` : "–") },
			{ label: t("shipped"), cell: (p) => (p.shipped ? minute(p.shipped) : "–") },
			{ label: t("due"), cell: (p) => (p.due ? minute(p.due) : "–") },
			{ label: t("state"), cell: (p) => badge(p.state) },
			{ label: t("confirm"), cell: (p) => (p.state === "shipped" ? confirm(p, () => node.reload()) : "–") },
		],
	});
	return h("div", {}, note("plain", t("intro")), node);
}
