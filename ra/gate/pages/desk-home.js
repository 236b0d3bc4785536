// What waits for officers now, and who is at the keyboard.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { card, facts, link } from "./ui.js";
import { actingForm } from "./acting.js";

const t = texts({
	now: ["现在", "Now"],
	waiting: ["待审核", "waiting"],
	overdue: ["已逾期", "overdue"],
	claimed: ["已认领", "claimed"],
	open: ["打开待审核列表", "Open the queue"],
	who: ["经办审核员", "Who is at the keyboard"],
});
export const title = ["概览", "Overview"];

export async function render() {
	const { counts } = await rpc("review.queue", { per_page: 1 });
	return h("div.two", {},
		card(t("now"), facts([[t("waiting"), counts.waiting], [t("overdue"), counts.overdue], [t("claimed"), counts.claimed]]), h("p", {}, link("queue", t("open")))),
		card(t("who"), actingForm()));
}
