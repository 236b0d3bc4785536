// What people call a project. The desk's rows name it by its word; its title is asked for once.
import { say } from "./i18n.js";
import { rpc } from "./rpc.js";

const titles = new Map(), asked = new Map();

const read = async (word) => {
	try { titles.set(word, (await rpc("project.show", { project: word })).title); } catch { /* one that the policy does not have any more: its word stands */ }
};

// Reads the titles of these projects, so that projectTitle knows them, whoever has asked for them already.
export const readProjects = (words) => Promise.all([...new Set(words)].filter((word) => word).map((word) => {
	if (!asked.has(word)) asked.set(word, read(word));
	return asked.get(word);
}));

export const projectTitle = (word) => say(titles.get(word)) || word;
