// What waits for officers now.
import { texts } from "./i18n.js";
import { rpc } from "./rpc.js";
import { card, facts } from "./ui.js";

const t = texts({ state: ["服务台状态", "The desk"], queue: ["待审核", "waiting"], overdue: ["已逾期", "overdue"], version: ["版本", "version"] });
export const title = ["概览", "Overview"];

export async function render() {
	const health = await rpc("desk.health");
	return card(t("state"), facts([[t("queue"), health.queue], [t("overdue"), health.overdue], [t("version"), health.version]]));
}
