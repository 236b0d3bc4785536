/*
 * Policy files: the tree keeps what its header promises (bounds, places, keys once), and each text is loaded as a
 * profile and as a project; what loads can be linted, explained and searched.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/base/yaml.h"
#include "common/policy/policy.h"

static size_t walk(const struct yaml_node *n, unsigned depth)
{
	size_t nodes = 1;
	must(depth <= YAML_MAX_DEPTH && n->line > 0 && n->column > 0);
	if (n->type == YAML_SCALAR)
		must(n->text && n->n_items == 0 && utf8_valid(n->text, strlen(n->text)));
	for (size_t i = 0; i < n->n_items; i++) {
		const struct yaml_node *item = n->items[i];
		must(!!item->key == (n->type == YAML_MAP));
		must(!item->key || yaml_get(n, item->key) == item);
		nodes += walk(item, depth + 1);
	}
	return nodes;
}

static void try_tree(struct slice text)
{
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct fault f = {0};
	enum err e = yaml_parse("file.yaml", text, &doc, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		must(walk(yaml_root(doc), 1) <= YAML_MAX_NODES);
}

static void try_as(const char *path, struct slice text)
{
	struct policy_source file = {0};
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf words = {0};
	const struct project *found[4];
	struct fault f = {0};
	snprintf(file.path, sizeof(file.path), "%s", path);
	buf_add_slice(&file.bytes, text);
	enum err e = policy_load((struct slice){0}, &file, 1, &p, &f);
	if (e != OK) {
		must_refuse(e, &f);
	} else {
		(void)policy_lint(p, &words);
		for (size_t i = 0; i < p->n_profiles; i++) {
			policy_explain(p, p->profiles[i].name, "en", &words);
			policy_explain(p, p->profiles[i].name, "zh", &words);
		}
		must(policy_search(p, "jinhua", found, 4) <= 4);
		must(utf8_valid(words.data, words.len));
	}
	buf_done(&file.bytes);
}

MUTATES(mutate_lines)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	try_tree(text);
	try_as("profiles/organisation.yaml", text);
	try_as("projects/jinhua.yaml", text);
	return 0;
}
