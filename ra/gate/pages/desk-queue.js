// 待审核: what waits for officers, the first due first.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { badge, link, mono } from "./ui.js";
import { keepDraft, readDraft } from "./draft.js";
import { filters } from "./filters.js";
import { keyed } from "./keyed.js";
import { projectTitle, readProjects } from "./projects.js";
import { kindWord, minute } from "./format.js";

const t = texts({
	title: ["待审核", "Review queue"],
	project: ["项目", "Project"],
	all_projects: ["全部项目", "all projects"],
	kind: ["业务", "Kind"],
	all_kinds: ["全部业务", "all kinds"],
	show: ["范围", "Which"],
	overdue: ["已逾期", "overdue"],
	number: ["申请编号", "Request"],
	organisation: ["单位", "Organisation"],
	state: ["状态", "State"],
	officers: ["已审/需审", "Signed"],
	due: ["应于此前办结", "Due"],
	soon: ["今日到期", "due within a day"],
	claimed: ["认领人", "Claimed by"],
	claims: ["认领", "Claims"],
	taken: ["已认领", "claimed"],
	free: ["无人认领", "nobody's yet"],
	counts: ["待审核 {waiting}，已逾期 {overdue}，已认领 {claimed}", "{waiting} wait, {overdue} overdue, {claimed} claimed"],
});
export const title = ["待审核", "Review queue"];

const KINDS = ["extend", "change", "enrol", "reissue", "revoke", "hold", "release", "recover", "unlock"];

// In words and a colour: overdue, or due within a day.
export function dueMark(r) {
	if (!r.due) return "–";
	const soon = !r.overdue && new Date(r.due) - Date.now() < 86400000;
	return h("span", {}, minute(r.due), r.overdue ? h("span.badge.bad", {}, t("overdue")) : soon ? h("span.badge.warn", {}, t("soon")) : null);
}

// What the address chooses, as the desk takes it; and where the chosen list is, for who has left it for a request.
export const queueParams = (query) => ({ project: query.project, kind: query.kind, overdue: query.overdue === "1" || undefined, claimed: query.claimed ? query.claimed === "1" : undefined });
export const chosenQueue = () => readDraft("queue");

export async function render({ query, go }) {
	keepDraft("queue", query);
	const { facts } = await rpc("desk.law");
	const counts = h("p", { role: "status" });
	const rows = keyed({
		caption: t("title"),
		load: async ({ after }) => {
			const r = await rpc("review.queue", { ...queueParams(query), after });
			await readProjects(r.requests.map((one) => one.project));
			counts.textContent = t("counts", r.counts);
			return { ...r, rows: r.requests };
		},
		columns: [
			{ label: t("number"), cell: (r) => link(`request/${r.number}`, mono(r.number)) },
			{ label: t("kind"), cell: (r) => kindWord(r.kind) },
			{ label: t("organisation"), cell: (r) => r.organisation || "–" },
			{ label: t("project"), cell: (r) => projectTitle(r.project) },
			{ label: t("state"), cell: (r) => badge(r.state) },
			{ label: t("officers"), cell: (r) => r.officers },
			{ label: t("due"), cell: dueMark },
			{ label: t("claimed"), cell: (r) => r.claimed_by || "–" },
		],
	});
	const projects = [...new Set(facts.map((line) => line.match(/^project\.([a-z0-9-]+)\./)?.[1]).filter(Boolean))];
	await readProjects(projects);
	return h("div", {}, filters("queue", { query, go }, [
		["project", t("project"), projects.map((p) => [p, projectTitle(p)]), t("all_projects")],
		["kind", t("kind"), KINDS.map((k) => [k, kindWord(k)]), t("all_kinds")],
		["overdue", t("show"), [["1", t("overdue")]]],
		["claimed", t("claims"), [["0", t("free")], ["1", t("taken")]]],
	]), counts, rows);
}
