// The officers' desk: the portal whose audience is officers. Who an officer is, the proxy before it says, or the Unix user of this gate.
import { start } from "./app.js";
import { rpc, RpcError } from "./rpc.js";
import { staff } from "./acting.js";

try {
	await rpc("review.queue", { per_page: 1 });
} catch (e) {
	staff.officer = !(e instanceof RpcError && e.reason === "method_denied");
}
const ADMINISTRATORS = ["", "audit", "system"];

start({
	title: ["审核台", "Officers' desk"],
	sessions: false,
	nav: [
		["", ["概览", "Overview"]],
		["queue", ["待审核", "Review queue"]],
		["accounts", ["查找账户", "Accounts"]],
		["cases", ["服务事项", "Cases"]],
		["parcels", ["包裹", "Parcels"]],
		["payments", ["收款与退款", "Payments"]],
		["tokens", ["USB Key 库存", "USB keys"]],
		["audit", ["审计记录", "Audit"]],
		["system", ["系统状况", "System"]],
	].filter(([to]) => staff.officer || ADMINISTRATORS.includes(to)),
	under: { request: "queue", case: "cases", token: "tokens" },
	routes: [
		["", () => import("./desk-home.js"), { open: true }],
		["queue", () => import("./desk-queue.js"), { open: true }],
		["request/:id", () => import("./desk-request.js"), { open: true }],
		["accounts", () => import("./desk-accounts.js"), { open: true }],
		["cases", () => import("./desk-cases.js"), { open: true }],
		["case/:id", () => import("./desk-case.js"), { open: true }],
		["parcels", () => import("./desk-parcels.js"), { open: true }],
		["payments", () => import("./desk-payments.js"), { open: true }],
		["tokens", () => import("./desk-tokens.js"), { open: true }],
		["audit", () => import("./desk-audit.js"), { open: true }],
		["system", () => import("./desk-system.js"), { open: true }],
		["token/:token", () => import("./desk-tokens.js"), { open: true }],
	],
});
