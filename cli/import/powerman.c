/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerman.conf(5) and the powerman.dev(5) files that it includes: a stream of words, quoted texts
 * and braces. What counts are `device`, `node` and `alias`; of a specification its list of plugs
 * and what redfishpower is told at its login.
 */
#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>

#include "import/command_line.h"
#include "import/import.h"
#include "import/lexer.h"

#define DEPTH_MAX 9u /* powermand's own */
#define ANGLE     "|&"

struct spec {
	struct pctl_names *plugs; /* in order; NULL: any */
	const char *login;        /* USER:PASSWORD */
	const char *system_path;
	bool chassis; /* its plugs are not host names */
};

struct device {
	const char *name, *type;
	struct pctl_place place;
	struct import_command command;
	struct spec spec;
	size_t used; /* plugs that nodes without any have taken */
	bool helper; /* it is a command */
	const char *wrong;
};

struct powerman {
	struct import *im;
	struct spec *specs;
	size_t spec_count, spec_cap;
	struct device *devices;
	size_t device_count, device_cap;
	struct import_index spec_index, device_index;
	struct pctl_buf *files[IMPORT_FILES_MAX]; /* texts point into them */
	size_t file_count;
	unsigned depth;
};

/* What there is for devices that no driver here speaks to, by the first letters of their type. */
static const struct {
	const char *type, *agent; /* NULL: no agent is known */
	const char *advice;       /* instead of an agent */
} others[] = {
	{ "apc-snmp", "fence_apc_snmp", NULL },
	{ "apcpdu", "fence_apc_snmp", NULL },
	{ "apc", "fence_apc", NULL },
	{ "baytech", NULL, NULL },
	{ "eaton", "fence_eaton_snmp", NULL },
	{ "raritan-px", "fence_raritan_px3", NULL },
	{ "sentry_cdu", "fence_cdu", NULL },
	{ "wti", "fence_wti", NULL },
	{ "hpmpblade", "fence_hpblade", NULL },
	{ "hpmp", "fence_ilo_mp", NULL },
	{ "hpilo", NULL, "HP's iLO: use the driver redfish, or ipmi, at its address" },
	{ "ilom", NULL, "an ILOM: use the driver ipmi at its address" },
	{ "ipmi", NULL, "IPMI: use the driver ipmi at its address" },
	{ "ibmbladecenter", "fence_bladecenter", NULL },
	{ "kvm", "fence_virsh", NULL },
	{ "lom", "fence_alom", NULL },
	{ "openbmc", NULL, "OpenBMC: use the driver redfish at its address" },
	{ "redfishpower", NULL, "Redfish: use the driver redfish at its address" },
	{ "powerman", "fence_powerman", NULL },
};
#define OTHERS (sizeof(others) / sizeof(others[0]))

/* Says what was expected; a text that does not end is said where that ends all. */
static void miss(struct import *im, const struct import_lexer *lex, struct pctl_place place,
	const char *expected)
{
	if (lex->token != IMPORT_BROKEN)
		import_left(im, place, "%s", expected);
}

static void tell_broken(struct import *im, const struct import_lexer *lex)
{
	if (lex->token == IMPORT_BROKEN)
		import_left(im, lex->place,
			"a quoted text does not end on its line; what it belongs to is left out");
}

/* --- Specifications. -------------------------------------------------------------------------- */

/* "auth USER:PASSWORD\n" and "setstatpath PATH\n", in place. */
static void hear(struct spec *spec, char *said)
{
	char *word = import_word(&said, " \r\n"), *value = import_word(&said, " \r\n");

	if (!word)
		return;
	if (strcmp(word, "setplugs") == 0 || strcmp(word, "setpath") == 0)
		spec->chassis = true;
	else if (strcmp(word, "auth") == 0)
		spec->login = value;
	else if (strcmp(word, "setstatpath") == 0)
		spec->system_path = value;
}

static void take_plugs(struct import_lexer *lex, struct spec *spec)
{
	bool named = import_lex(lex) == IMPORT_WORD;

	if (!named || import_lex(lex) != IMPORT_OPEN)
		return;
	spec->plugs = spec->plugs ? spec->plugs : pctl_names_new();
	while (import_lex(lex) == IMPORT_TEXT)
		(void)pctl_names_add(spec->plugs, lex->text);
}

/* Up to the brace that closes it; false: there is none. */
static bool read_spec(struct import *im, struct import_lexer *lex, struct spec *ret)
{
	unsigned open = 0;

	for (; import_lex(lex) != IMPORT_END; tell_broken(im, lex)) {
		if (import_lex_is(lex, "plug"))
			take_plugs(lex, ret);
		else if (import_lex_is(lex, "send") && import_lex(lex) == IMPORT_TEXT)
			hear(ret, lex->text);
		else if (lex->token == IMPORT_OPEN)
			open++;
		else if (lex->token == IMPORT_CLOSE && open <= 1)
			return open == 1;
		else if (lex->token == IMPORT_CLOSE)
			open--;
	}
	return false;
}

static void take_spec(struct powerman *p, struct import_lexer *lex)
{
	struct pctl_place place = lex->place;
	const char *name = import_lex_text(lex);
	struct spec spec = { NULL, NULL, NULL, false };

	if (!name) {
		miss(p->im, lex, place, "a specification is \"name\" { ... }");
		return;
	}
	if (!read_spec(p->im, lex, &spec))
		import_left(p->im, place,
			"the specification '%s' has no brace that closes it; what is behind it may "
			"be taken for a part of it",
			name);
	size_t i = import_index_put(&p->spec_index, name, p->spec_count);
	if (i < p->spec_count) {
		pctl_names_free(spec.plugs);
		return;
	}
	p->specs = pctl_xgrow(p->specs, &p->spec_cap, p->spec_count + 1, sizeof(*p->specs));
	p->specs[p->spec_count++] = spec;
}

/* --- Devices. --------------------------------------------------------------------------------- */

/* "cmd ... |&" without its end. */
static bool cut_angle(char *text)
{
	size_t len = strlen(import_trim(text));

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	if (len < 2 || strcmp(text + len - 2, ANGLE) != 0)
		return false;
	text[len - 2] = '\0';
	return true;
}

static void take_device(struct powerman *p, struct import_lexer *lex)
{
	struct device d = { .place = lex->place };
	struct pctl_error err;
	char *target;

	d.name = import_lex_text(lex);
	d.type = d.name ? import_lex_text(lex) : NULL;
	target = d.type ? import_lex_text(lex) : NULL;
	if (!target) {
		miss(p->im, lex, d.place, "a device is \"name\" \"type\" \"where\"");
		return;
	}
	if (import_lex_has_text(lex))
		(void)import_lex(lex);
	size_t spec = import_index_find(&p->spec_index, d.type);
	if (spec != IMPORT_NOWHERE)
		d.spec = p->specs[spec];
	d.helper = cut_angle(target);
	if (d.helper && import_command_read(&d.command, target, &err) < 0)
		d.wrong = "a quote in its command is never closed";
	size_t i = import_index_put(&p->device_index, d.name, p->device_count);
	if (i < p->device_count) {
		import_left(p->im, d.place, "the device '%s' is at %s:%u already", d.name,
			p->devices[i].place.file, p->devices[i].place.line);
		return;
	}
	p->devices =
		pctl_xgrow(p->devices, &p->device_cap, p->device_count + 1, sizeof(*p->devices));
	p->devices[p->device_count++] = d;
}

/* Says why the nodes of a device are not taken over. */
static void leave(
	struct powerman *p, const struct device *d, struct pctl_place place, const char *nodes)
{
	for (size_t i = 0; i < OTHERS; i++) {
		if (strncmp(others[i].type, d->type, strlen(others[i].type)) != 0)
			continue;
		if (others[i].agent)
			import_left(p->im, place,
				"'%s' is at '%s', of type '%s': use the driver fence with agent: "
				"%s and plug: (`powerctl drivers fence %s` lists its settings)",
				nodes, d->name, d->type, others[i].agent, others[i].agent);
		else
			import_left(p->im, place, "'%s' is at '%s', of type '%s'%s%s", nodes,
				d->name, d->type, others[i].advice ? ", " : "",
				others[i].advice ? others[i].advice
						 : ", which no driver or fence agent known "
						   "here speaks to");
		return;
	}
	import_left(p->im, place,
		"'%s' is at '%s', of type '%s', which no driver here speaks to; the driver exec "
		"can run a program of yours",
		nodes, d->name, d->type);
}

/* Why a device that has a driver here cannot be taken over all the same, or NULL. */
static const char *obstacle(const struct device *d)
{
	if (d->wrong)
		return d->wrong;
	if (d->command.refused)
		return "its option --oem-power-type is for a chassis that no driver here knows";
	if (d->spec.chassis && strcmp(d->command.driver, "redfish") == 0)
		return "its plugs are places in a chassis: write each blade with driver redfish, "
		       "address and system";
	return NULL;
}

/* --- Nodes. ----------------------------------------------------------------------------------- */

static void set_words(struct powerman *p, struct import_node *node, const struct device *d)
{
	const struct import_command *c = &d->command;
	const struct {
		const char *setting, *word;
	} words[] = { { "protocol", c->protocol }, { "privilege", c->privilege },
		{ "auth_type", c->auth_type } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *value = words[i].word
					    ? import_command_value(words[i].setting, words[i].word)
					    : NULL;

		if (words[i].word && !value)
			import_left(p->im, d->place, "the device '%s': %s '%s' is not known here",
				d->name, words[i].setting, words[i].word);
		import_set(node, words[i].setting, value);
	}
	import_set(node, "cipher_suite", c->cipher_suite);
	if (c->workarounds) {
		PCTL_AUTO(free) char *flags = pctl_xstrdup(c->workarounds);

		import_set_list(node, "workarounds", flags, ", ");
	}
	if (c->unknown)
		import_left(p->im, d->place, "the device '%s': its option '%s' is not known here",
			d->name, c->unknown);
}

/* redfish/v1/Systems/1 */
static void set_system(struct import_node *node, const char *path)
{
	static const char systems[] = "redfish/v1/Systems/";
	const char *id = path ? strstr(path, systems) : NULL;

	if (!id)
		return;
	id += sizeof(systems) - 1;
	PCTL_AUTO(free) char *bare = pctl_xstrndup(id, strcspn(id, "/"));
	import_set(node, "system", bare);
}

static size_t login_of(struct powerman *p, const struct device *d)
{
	const struct import_command *c = &d->command;
	const char *both = c->login ? c->login : d->spec.login;
	const char *colon = both ? strchr(both, ':') : NULL;

	/* What powerman's own files say, for the administrator to fill in. */
	if (c->user || c->password || c->kg || !colon || strcmp(both, "USER:PASS") == 0)
		return import_login(p->im, c->user, c->password, c->kg);
	PCTL_AUTO(free) char *user = pctl_xstrndup(both, (size_t)(colon - both));
	return import_login(p->im, user, colon + 1, NULL);
}

static void add_node(struct powerman *p, const struct device *d, struct pctl_place place,
	const char *name, const char *plug)
{
	struct import_node *node = import_add(p->im, place, name);

	if (!node)
		return;
	import_set(node, "driver", d->command.driver);
	if (!import_set_address(node, plug)) {
		import_left(p->im, place, "'%s': '%s' is no address", name, plug);
		node->dropped = true;
	}
	set_words(p, node, d);
	if (strcmp(d->command.driver, "redfish") == 0)
		set_system(node,
			d->command.system_path ? d->command.system_path : d->spec.system_path);
	node->login = login_of(p, d);
}

/* The plug of the i-th node: the one that is given, the device's next one, or the node's name. */
static const char *plug_of(
	struct device *d, const struct pctl_names *plugs, size_t i, const char *name)
{
	if (plugs)
		return pctl_names_at(plugs, i);
	if (!d->spec.plugs)
		return name;
	return d->used < pctl_names_count(d->spec.plugs) ? pctl_names_at(d->spec.plugs, d->used++)
							 : NULL;
}

static void add_nodes(struct powerman *p, struct device *d, struct pctl_place place,
	const struct pctl_names *names, const struct pctl_names *plugs)
{
	if (plugs && pctl_names_count(names) != pctl_names_count(plugs)) {
		import_left(p->im, place, "%zu nodes and %zu plugs: they have to be equally many",
			pctl_names_count(names), pctl_names_count(plugs));
		return;
	}
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		const char *plug = plug_of(d, plugs, i, name);

		if (plug)
			add_node(p, d, place, name, plug);
		else
			import_left(p->im, place, "'%s': the device '%s' has no plug left", name,
				d->name);
	}
}

/* What a list of hosts stands for; NULL: said. */
static struct pctl_names *expand(struct powerman *p, struct pctl_place place, const char *list)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };

	if (pctl_names_expand(names, list, NULL, NULL, &err) == 0)
		return names;
	import_left(p->im, place, "'%s': %s", list, err.text);
	pctl_names_free(names);
	return NULL;
}

static void use_device(struct powerman *p, struct device *d, struct pctl_place place,
	const char *nodes, const char *plugs)
{
	struct pctl_names *names, *others_of = NULL;
	const char *why = d->command.driver ? obstacle(d) : NULL;

	if (why) {
		import_left(p->im, place, "'%s' is at '%s': %s", nodes, d->name, why);
		return;
	}
	if (!d->command.driver) {
		leave(p, d, place, nodes);
		return;
	}
	names = expand(p, place, nodes);
	if (names && plugs)
		others_of = expand(p, place, plugs);
	if (names && (others_of || !plugs))
		add_nodes(p, d, place, names, others_of);
	pctl_names_free(names);
	pctl_names_free(others_of);
}

static void take_node(struct powerman *p, struct import_lexer *lex)
{
	struct pctl_place place = lex->place;
	const char *nodes = import_lex_text(lex), *device = nodes ? import_lex_text(lex) : NULL;
	const char *plugs = device && import_lex_has_text(lex) ? import_lex_text(lex) : NULL;
	size_t i = device ? import_index_find(&p->device_index, device) : IMPORT_NOWHERE;

	if (lex->token == IMPORT_BROKEN)
		return;
	if (!device)
		miss(p->im, lex, place, "a node is \"names\" \"device\" \"plugs\"");
	else if (i == IMPORT_NOWHERE)
		import_left(p->im, place, "'%s': there is no device '%s' above", nodes, device);
	else
		use_device(p, &p->devices[i], place, nodes, plugs);
}

static void take_alias(struct powerman *p, struct import_lexer *lex)
{
	struct pctl_place place = lex->place;
	const char *name = import_lex_text(lex), *nodes = name ? import_lex_text(lex) : NULL;
	struct pctl_names *names = nodes ? expand(p, place, nodes) : NULL;

	if (!nodes)
		miss(p->im, lex, place, "an alias is \"name\" \"nodes\"");
	for (size_t i = 0; names && i < pctl_names_count(names); i++)
		if (!import_join(p->im, place, name, pctl_names_at(names, i)))
			break;
	pctl_names_free(names);
}

/* --- Files. ----------------------------------------------------------------------------------- */

static void read_text(struct powerman *p, const char *file, char *text);

static bool is_dev(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".dev") == 0;
}

static void take_include(struct powerman *p, struct import_lexer *lex)
{
	struct pctl_place place = lex->place;
	struct pctl_error err = { 0 };
	const char *path = import_lex_text(lex);
	struct pctl_buf *text;
	int r = PCTL_E_CONFIG;

	if (!path || p->depth == DEPTH_MAX || p->file_count == IMPORT_FILES_MAX) {
		import_left(p->im, place,
			path ? "files include each other too deeply, or are too many"
			     : "after 'include' comes \"FILE\"");
		return;
	}
	text = p->files[p->file_count++] = pctl_xcalloc(1, sizeof(*text));
	pctl_buf_init_secret(text, IMPORT_FILE_MAX);
	if (p->im->read)
		r = p->im->read(p->im->read_data, path, text, &err);
	/* What is wanted of a specification is missed where it is needed. */
	if (r < 0 && !is_dev(path))
		import_left(p->im, place, "%s is not read: %s", path,
			*err.text ? err.text : "no other files are read here");
	if (r < 0)
		return;
	(void)pctl_names_add(p->im->files, path);
	for (size_t i = 0; i < pctl_names_count(p->im->files); i++)
		if (strcmp(pctl_names_at(p->im->files, i), path) == 0)
			path = pctl_names_at(p->im->files, i);
	p->depth++;
	read_text(p, path, text->data);
	p->depth--;
}

static const struct {
	const char *word;
	void (*take)(
		struct powerman *p, struct import_lexer *lex); /* NULL: what follows says nothing */
} statements[] = {
	{ "include", take_include },
	{ "specification", take_spec },
	{ "device", take_device },
	{ "node", take_node },
	{ "alias", take_alias },
	{ "listen", NULL },
	{ "port", NULL },
	{ "tcpwrappers", NULL },
	{ "plug_log_level", NULL },
	{ "yes", NULL },
	{ "no", NULL },
};
#define STATEMENTS (sizeof(statements) / sizeof(statements[0]))

/* False: there is no such statement. */
static bool take_statement(struct powerman *p, struct import_lexer *lex)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		if (!import_lex_is(lex, statements[i].word))
			continue;
		if (statements[i].take)
			statements[i].take(p, lex);
		return true;
	}
	return lex->token == IMPORT_TEXT || lex->token == IMPORT_BROKEN ||
	       (lex->token == IMPORT_WORD && isdigit((unsigned char)*lex->text));
}

static void pass(struct powerman *p, struct import_lexer *lex)
{
	struct pctl_place place = lex->place;

	if (import_lex_pass(lex))
		import_left(p->im, place, "this is no statement of powerman.conf");
	else
		import_left(p->im, place,
			"this is no statement of powerman.conf, and no brace closes it: nothing "
			"below is read");
}

static void read_text(struct powerman *p, const char *file, char *text)
{
	struct import_lexer lex;

	import_lex_begin(&lex, file, text);
	while (import_lex(&lex) != IMPORT_END) {
		if (!take_statement(p, &lex))
			pass(p, &lex);
		tell_broken(p->im, &lex);
	}
}

void import_powerman(struct import *im, char *text)
{
	struct powerman p = { .im = im };

	read_text(&p, im->file, text);
	for (size_t i = 0; i < p.spec_count; i++)
		pctl_names_free(p.specs[i].plugs);
	for (size_t i = 0; i < p.file_count; i++) {
		pctl_buf_done(p.files[i]);
		free(p.files[i]);
	}
	free(p.specs);
	free(p.devices);
	import_index_done(&p.spec_index);
	import_index_done(&p.device_index);
}
