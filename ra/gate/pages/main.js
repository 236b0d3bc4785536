// The subscribers' pages, in the order of the guide.
import { start } from "./app.js";

start({
	title: ["数字证书服务", "Certificate services"],
	nav: [
		["services", ["我的服务", "My services"]],
		["certificates", ["我的证书", "My certificates"]],
		["requests", ["我的申请", "My requests"]],
		["orders", ["我的订单", "My orders"]],
		["parcels", ["我的签收", "My receipts"]],
		["apply", ["服务申请", "Apply for a service"]],
		["me", ["我的信息", "My data"]],
		["contact", ["联系我们", "Contact"]],
	],
	routes: [
		["", () => import("./home.js"), { open: true }],
		["project/:project", () => import("./project.js"), { open: true }],
		["login", () => import("./login.js"), { open: true }],
		["forgot", () => import("./forgot.js"), { open: true }],
		["register", () => import("./register.js"), { open: true }],
		["choose", () => import("./choose.js")],
		["reset", () => import("./reset.js")],
	],
});
