// My requests, the newest first.
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { badge, link, list, mono } from "./ui.js";
import { kindWord, minute } from "./format.js";

const t = texts({
	caption: ["我的申请", "My requests"],
	number: ["申请编号", "Number"],
	kind: ["业务", "Kind"],
	serial: ["证书", "Certificate"],
	made: ["申请时间", "Made"],
	due: ["预计办结", "Due"],
	state: ["状态", "State"],
});
export const title = ["我的申请", "My requests"];

export async function render() {
	return list({
		caption: t("caption"), perPage: 10,
		load: async ({ page, per_page }) => { const r = await rpc("request.list", { page, per_page }); return { rows: r.requests, total: r.total }; },
		columns: [
			{ label: t("number"), cell: (r) => link(`request/${r.number || r.request}`, mono(r.number || r.request)) },
			{ label: t("kind"), cell: (r) => kindWord(r.kind) },
			{ label: t("serial"), cell: (r) => (r.serial ? mono(r.serial) : "–") },
			{ label: t("made"), cell: (r) => minute(r.made) },
			{ label: t("due"), cell: (r) => (r.due ? minute(r.due) : "–") },
			{ label: t("state"), cell: (r) => badge(r.state) },
		],
	});
}
