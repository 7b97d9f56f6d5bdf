/* SPDX-License-Identifier: Apache-2.0 */
#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define LEFT_MAX 2048u
#define PORT_MAX 65535u

const struct import_format import_formats[] = {
	{ "powerman", import_powerman, "powerman.conf",
		"what is behind ipmipower and redfishpower; aliases become groups" },
	{ "xcat", import_xcat, "what lsdef -z or tabdump prints",
		"tabdump of nodelist, nodehm, ipmi, openbmc and passwd" },
	{ "conman", import_conman, "conman.conf", "consoles with dev=\"ipmi:HOST\"" },
	{ "amtctrl", import_amtctrl, "amtctrl's hosts.cfg", "~/.config/amtctrl/hosts.cfg" },
	{ "ironic", import_ironic, "what baremetal node list --detail -f json prints", NULL },
	{ "csv", import_csv_file, "a table whose first line names its columns",
		"name,driver,address,username,password,\n"
		"tags,groups; others are settings of the driver; names and addresses may be "
		"ranges" },
	{ NULL, NULL, NULL, NULL },
};

void import_init(struct import *im, const char *file)
{
	*im = (struct import){
		.file = file,
		.problems = pctl_problems_new(),
		.files = pctl_names_new(),
	};
}

void import_done(struct import *im)
{
	for (size_t i = 0; i < im->node_count; i++) {
		free(im->nodes[i].name);
		pctl_value_free(im->nodes[i].settings);
	}
	for (size_t i = 0; i < im->group_count; i++) {
		free(im->groups[i].name);
		pctl_names_free(im->groups[i].members);
	}
	for (size_t i = 0; i < im->login_count; i++) {
		free(im->logins[i].user);
		free(im->logins[i].name);
		pctl_secret_free(im->logins[i].password);
		pctl_secret_free(im->logins[i].kg);
	}
	for (size_t i = 0; i < im->remark_count; i++)
		free(im->remarks[i].text);
	free(im->remarks);
	free(im->nodes);
	free(im->groups);
	free(im->logins);
	import_index_done(&im->node_index);
	import_index_done(&im->group_index);
	import_index_done(&im->login_index);
	pctl_problems_free(im->problems);
	pctl_names_free(im->files);
}

struct pctl_place import_at(const struct import *im, uint32_t line)
{
	return (struct pctl_place){ im->file, line, 1 };
}

/* --- What is left out. ------------------------------------------------------------------------ */

static size_t number_of_file(const struct import *im, const char *file)
{
	for (size_t i = 0; strcmp(file, im->file) != 0 && i < pctl_names_count(im->files); i++)
		if (strcmp(pctl_names_at(im->files, i), file) == 0)
			return 1 + i;
	return 0;
}

void import_left(struct import *im, struct pctl_place place, const char *fmt, ...)
{
	char text[LEFT_MAX];
	va_list ap;

	if (im->remark_count == IMPORT_REMARKS_MAX) {
		im->remarks_lost++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	im->remarks = pctl_xgrow(
		im->remarks, &im->remark_cap, im->remark_count + 1, sizeof(*im->remarks));
	im->remarks[im->remark_count] = (struct import_remark){
		.file = number_of_file(im, place.file),
		.line = place.line,
		.number = im->remark_count,
		.text = pctl_xasprintf("%s:%u: %s", place.file, place.line, text),
	};
	im->remark_count++;
}

static int compare_remarks(const void *a, const void *b)
{
	const struct import_remark *one = a, *two = b;

	if (one->file != two->file)
		return one->file < two->file ? -1 : 1;
	if (one->line != two->line)
		return one->line < two->line ? -1 : 1;
	return one->number < two->number ? -1 : 1;
}

void import_report(struct import *im)
{
	const struct pctl_place nowhere = { 0 };

	if (im->remark_count)
		qsort(im->remarks, im->remark_count, sizeof(*im->remarks), compare_remarks);
	for (size_t i = 0; i < im->remark_count; i++)
		pctl_problems_add(im->problems, nowhere, "%s", im->remarks[i].text);
	if (im->remarks_lost)
		pctl_problems_add(im->problems, nowhere, "%s: %zu more are not told", im->file,
			im->remarks_lost);
}

/* --- Nodes. ----------------------------------------------------------------------------------- */

struct import_node *import_find(struct import *im, const char *name)
{
	size_t i = import_index_find(&im->node_index, name);

	return i == IMPORT_NOWHERE ? NULL : &im->nodes[i];
}

struct import_node *import_add(struct import *im, struct pctl_place place, const char *name)
{
	const struct import_node *there = import_find(im, name);
	const char *wrong = pctl_inventory_wrong_name(name);

	if (there)
		import_left(im, place, "'%s' is at %s:%u already; this one is left out", name,
			there->place.file, there->place.line);
	else if (wrong)
		import_left(im, place, "'%s': %s", name, wrong);
	else if (im->node_count == IMPORT_NODES_MAX)
		import_left(im, place, "these are more than %u machines; split the file",
			IMPORT_NODES_MAX);
	if (there || wrong || im->node_count == IMPORT_NODES_MAX)
		return NULL;
	im->nodes = pctl_xgrow(im->nodes, &im->node_cap, im->node_count + 1, sizeof(*im->nodes));
	(void)import_index_put(&im->node_index, name, im->node_count);
	im->nodes[im->node_count] = (struct import_node){
		.name = pctl_xstrdup(name),
		.place = place,
		.settings = pctl_value_new_map(),
	};
	return &im->nodes[im->node_count++];
}

struct pairs {
	const char *right;
	uint64_t rights;
	import_pair_fn *each;
	void *data;
};

static int call_pair(void *data, size_t i, const char *left)
{
	const struct pairs *p = data;
	PCTL_AUTO(free)
	char *right = p->rights == 1 ? pctl_xstrdup(p->right) : pctl_range_at(p->right, i);

	p->each(p->data, left, right);
	return 0;
}

int import_pairs(const char *left, const char *right, import_pair_fn *each, void *data,
	struct pctl_error *err)
{
	struct pairs p = { right, 1, each, data };
	uint64_t lefts = 0;
	int r = pctl_range_count(left, &lefts, NULL, err);

	if (r == 0 && strchr(right, '[') && *right != '[')
		r = pctl_range_count(right, &p.rights, NULL, err);
	if (r < 0)
		return r;
	if (p.rights != 1 && p.rights != lefts)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' names %llu, '%s' %llu; they have to be equally many", left,
			(unsigned long long)lefts, right, (unsigned long long)p.rights);
	if (lefts > IMPORT_NODES_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' names more than %u machines", left,
			IMPORT_NODES_MAX);
	return pctl_range_each(left, call_pair, &p, NULL, err);
}

const char *import_setting(const struct import_node *node, const char *key)
{
	return pctl_value_text(pctl_value_get(node->settings, key));
}

void import_set(struct import_node *node, const char *key, const char *text)
{
	if (text && *text)
		pctl_value_set_text(node->settings, key, text);
}

static bool set_port(struct import_node *node, const char *text)
{
	uint64_t port = 0;

	if (pctl_parse_uint(text, PORT_MAX, &port) < 0 || port == 0)
		return false;
	import_set(node, "port", text);
	return true;
}

bool import_set_address(struct import_node *node, const char *text)
{
	const char *colon = strchr(text, ':');
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	size_t len = close ? (size_t)(close - text) - 1 : strlen(text);

	if (close && close[1] && (close[1] != ':' || !set_port(node, close + 2)))
		return false;
	if (!close && colon && !strchr(colon + 1, ':')) {
		len = (size_t)(colon - text);
		if (!set_port(node, colon + 1))
			return false;
	}
	PCTL_AUTO(free) char *host = pctl_xstrndup(text + (close != NULL), len);
	import_set(node, "address", host);
	return len > 0 && !strpbrk(host, " \t[]{}/,");
}

void import_set_list(struct import_node *node, const char *key, char *text, const char *separators)
{
	struct pctl_value *list = pctl_value_new_list();

	for (char *word; (word = import_word(&text, separators));)
		pctl_value_add(list, pctl_value_new_text(word));
	if (pctl_value_count(list))
		pctl_value_set(node->settings, key, list);
	else
		pctl_value_free(list);
}

/* --- Logins and groups. ----------------------------------------------------------------------- */

static void add_part(struct pctl_buf *key, const char *part)
{
	pctl_buf_addf(key, "%zu:", part ? strlen(part) + 1 : 0);
	pctl_buf_adds(key, part ? part : "");
}

static struct pctl_secret *secret_of(const char *text)
{
	return text && *text ? pctl_secret_new(text, strlen(text)) : NULL;
}

size_t import_login(struct import *im, const char *user, const char *password, const char *kg)
{
	struct pctl_buf key;
	bool some = (user && *user) || (password && *password) || (kg && *kg);

	if (!some)
		return 0;
	pctl_buf_init_secret(&key, IMPORT_FILE_MAX);
	add_part(&key, user);
	add_part(&key, password);
	add_part(&key, kg);
	size_t number = import_index_put(&im->login_index, key.data, im->login_count);
	pctl_buf_done(&key);
	if (number < im->login_count)
		return 1 + number;
	im->logins =
		pctl_xgrow(im->logins, &im->login_cap, im->login_count + 1, sizeof(*im->logins));
	im->logins[im->login_count++] = (struct import_login){
		.user = user && *user ? pctl_xstrdup(user) : NULL,
		.password = secret_of(password),
		.kg = secret_of(kg),
	};
	return 1 + number;
}

static bool can_name_group(const char *name)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_.:=-";

	return *name && strspn(name, characters) == strlen(name);
}

bool import_join(struct import *im, struct pctl_place place, const char *group, const char *member)
{
	if (!can_name_group(group)) {
		import_left(im, place, "'%s' cannot be the name of a group here; rename it", group);
		return false;
	}
	size_t i = import_index_put(&im->group_index, group, im->group_count);
	if (i == im->group_count) {
		im->groups = pctl_xgrow(
			im->groups, &im->group_cap, im->group_count + 1, sizeof(*im->groups));
		im->groups[im->group_count++] = (struct import_group){
			.name = pctl_xstrdup(group),
			.place = place,
			.members = pctl_names_new(),
		};
	}
	(void)pctl_names_add(im->groups[i].members, member);
	return true;
}
