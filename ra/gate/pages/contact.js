// 联系我们: the desk of each project that the account has, and its hours.
import { h } from "./dom.js";
import { say, texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { state } from "./app.js";
import { card, facts, link, note } from "./ui.js";

const t = texts({
	telephone: ["电话", "Telephone"],
	emergency: ["紧急电话", "Emergency"],
	hours: ["服务时间", "Hours"],
	address: ["地址", "Address"],
	works: ["今天是工作日", "The desk works today"],
	off: ["今天休息，紧急情况请拨打紧急电话", "The desk is closed today; in an emergency call the emergency number"],
	start: ["回到首页", "To the start page"],
	none: ["请在首页查找您的项目，项目页上有服务台的联系方式。", "Find your project on the start page; its page has the desk's contact."],
});
export const title = ["联系我们", "Contact"];

export async function render() {
	const calendar = await rpc("calendar.show");
	const { services } = state.account && !state.account.must_reset ? await rpc("service.list", { per_page: 50 }) : { services: [] };
	const names = [...new Set(services.map((s) => s.project))];
	const projects = await Promise.all(names.map((project) => rpc("project.show", { project })));
	return h("div.readable", {}, note(calendar.today_works ? "ok" : "warn", calendar.today_works ? t("works") : t("off")),
		projects.map((p) => card(say(p.title), facts([[say(p.contact.name) || "", ""], [t("telephone"), p.contact.telephone], [t("emergency"), p.contact.emergency], [t("hours"), say(p.contact.hours)], [t("address"), say(p.contact.address)]]))),
		projects.length === 0 ? note("plain", t("none"), " ", link("", t("start"))) : null);
}
