// The officers' desk: the portal whose audience is officers. Who an officer is, the proxy before it says, or the Unix user of this gate.
import { start } from "./app.js";

start({
	title: ["审核台", "Officers' desk"],
	sessions: false,
	nav: [
		["", ["概览", "Overview"]],
		["queue", ["待审核", "Review queue"]],
	],
	routes: [
		["", () => import("./desk-home.js"), { open: true }],
		["queue", () => import("./desk-queue.js"), { open: true }],
		["request/:id", () => import("./desk-request.js"), { open: true }],
	],
});
