// 概览: what waits now, the figures of the last days, and who is at the keyboard.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { card, facts, link } from "./ui.js";
import { actingForm, staff } from "./acting.js";
import { chart } from "./chart.js";

const t = texts({
	now: ["现在", "Now"],
	waiting: ["待审核", "waiting"],
	overdue: ["已逾期", "overdue"],
	claimed: ["已认领", "claimed"],
	open: ["打开待审核列表", "Open the queue"],
	today: ["今日", "Today"],
	who: ["经办审核员", "Who is at the keyboard"],
	figures: ["近 14 日", "The last 14 days"],
	day: ["日期", "Day"],
	received: ["收到", "received"],
	approved: ["通过", "approved"],
	rejected: ["拒绝", "rejected"],
	corrected: ["补正", "to be corrected"],
	late: ["逾期办结", "decided late"],
	decisions: ["每日收到与办结", "Received and decided, by day"],
	hours: ["办结时长中位数（小时）", "Median hours from hand-in to decision"],
	median: ["中位时长（小时）", "median hours"],
});
export const title = ["概览", "Overview"];

const monthDay = (day) => day.slice(5);
const COUNTS = ["received", "approved", "rejected", "corrected", "late"];

const waiting = async () => (staff.officer ? (await rpc("review.queue", { per_page: 1 })).counts : null);

export async function render() {
	const [counts, { days }] = await Promise.all([waiting(), rpc("desk.figures")]);
	const today = days.at(-1);
	return h("div", {}, h("div.sides", {},
		counts && card(t("now"), facts([[t("waiting"), counts.waiting], [t("overdue"), counts.overdue], [t("claimed"), counts.claimed]]), h("p", {}, link("queue", t("open")))),
		card(t("today"), facts([...COUNTS.map((name) => [t(name), today[name]]), [t("median"), today.median_hours ?? "–"]]))),
	h("div.sides", {},
		card(t("figures"), chart({ caption: t("decisions"), head: t("day"), series: COUNTS.map((name) => t(name)), rows: days.map((d) => ({ label: d.day, values: COUNTS.map((name) => d[name]) })), short: monthDay }),
			chart({ caption: t("hours"), head: t("day"), series: [t("median")], rows: days.map((d) => ({ label: d.day, values: [d.median_hours] })), short: monthDay })),
		staff.officer && card(t("who"), actingForm())));
}
