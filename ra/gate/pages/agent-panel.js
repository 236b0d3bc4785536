// Where the person's own agent has its place on a page. agent.js, where this portal has it, exports panel(work, options), which gives a node or null:
//   panel("prove", {text, certificates, onLine}): a first log-in's text, signed; onLine(line)
//   panel("sign", {text, serial, certificate, onLine}): a tally; the inserted key counts, a mismatch with serial is shown
//   panel("csr", {onCsr}): a new key on the token; onCsr(pem)
//   panel("install", {certificate, onDone}): the new certificate beside its key, and a test
//   panel("unlock", {token}): a whole unlock, with the desk's calls
//   panel("approve", {request, onDone}), panel("agree", …), panel("make", {…, token}): an officer's yes to a tally, to an unlock; the key that the desk makes
// The other way, a signature made elsewhere, is always on the page beside it.
import { h, replace } from "./dom.js";
import { errorNote } from "./ui.js";

export function agentPanel(work, options) {
	const place = h("div.agent", {});
	import("./agent.js").then(async (agent) => replace(place, await agent.panel(work, options))).catch((e) => {
		if (!(e instanceof TypeError)) replace(place, errorNote(e)); // a TypeError: this portal has no such module
	});
	return place;
}
