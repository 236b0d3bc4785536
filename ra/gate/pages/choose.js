// One number, several organisations: which one is meant.
import { h } from "./dom.js";
import { texts } from "./i18n.js";
import { rpc, change } from "./rpc.js";
import { refresh, state } from "./app.js";
import { button, card, form, note } from "./ui.js";

const t = texts({
	text: ["您的手机号代表多家单位，请选择本次办理的单位。", "Your number acts for several organisations: choose the one that is meant."],
	identifier: ["机构代码", "Identifier"],
	choose: ["进入", "Enter"],
});
export const title = ["选择单位", "Choose the organisation"];

export async function render({ go }) {
	const choose = async (identifier) => {
		await change("account.choose", { identifier });
		await refresh();
		go(state.account.must_reset ? "reset" : "services");
	};
	const organisations = state.organisations || [];
	return h("div.narrow", {}, card(null, note("plain", t("text")),
		organisations.length
			? organisations.map((o) => h("p", {}, button(`${o.organisation} ${o.identifier}`, () => choose(o.identifier))))
			: form({ name: "choose", submit: t("choose"), fields: [{ name: "identifier", label: t("identifier"), required: true, max: 40 }], call: (v) => choose(v.identifier) })));
}
