/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of OpenStack's Ironic in JSON: what `baremetal node list --detail -f json` prints (keys
 * like "Driver Info"), `node show` (driver_info), or the API itself ({"nodes": [...]}). Which of
 * driver_info's keys belong together is told by the address: ipmi_address, redfish_address, ...
 */
#include <fnmatch.h>
#include <malloc.h>
#include <string.h>

#include <jansson.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "import/import.h"

#define REDFISH_SYSTEMS "/redfish/v1/Systems/"

struct kind {
	const char *prefix; /* of the keys; the address is at prefix_address */
	const char *driver; /* NULL: none of ours */
	const char *advice; /* then */
};

static const struct kind kinds[] = {
	{ "redfish", "redfish", NULL },
	{ "ipmi", "ipmi", NULL },
	{ "amt", "amt", NULL },
	{ "ilo", "redfish", NULL },
	{ "drac", "redfish", NULL },
	{ "irmc", "redfish", NULL },
	{ "snmp", NULL,
		"is an outlet of a power strip: use the driver fence, with agent fence_apc_snmp or "
		"fence_eaton_snmp" },
	{ "xclarity", NULL, "is managed by XClarity: use the driver redfish or ipmi at its BMC" },
	{ "intel_ipmi", NULL, "is an Intel server: use the driver ipmi at its BMC" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Values of driver_info that have another word here. */
static const struct {
	const char *key, *value, *setting, *to;
} values[] = {
	{ "ipmi_priv_level", "ADMINISTRATOR", "privilege", "admin" },
	{ "ipmi_priv_level", "OPERATOR", "privilege", "operator" },
	{ "ipmi_priv_level", "USER", "privilege", "user" },
	{ "ipmi_priv_level", "CALLBACK", "privilege", "callback" },
	{ "ipmi_protocol_version", "2.0", "protocol", "2.0" },
	{ "ipmi_protocol_version", "1.5", "protocol", "1.5" },
	{ "redfish_auth_type", "basic", "auth", "basic" },
	{ "redfish_auth_type", "session", "auth", "session" },
	{ "redfish_auth_type", "auto", "auth", "auto" },
	{ "amt_protocol", "http", "tls", "false" },
	{ "amt_protocol", "https", "tls", "true" },
};
#define VALUES (sizeof(values) / sizeof(values[0]))

/* Keys whose values are the same here, of a kind. */
static const struct {
	const char *prefix, *key, *setting;
} settings[] = {
	{ "ipmi", "ipmi_port", "port" },
	{ "ilo", "ilo_port", "port" },
	{ "ilo", "client_port", "port" },
	{ "ipmi", "ipmi_cipher_suite", "cipher_suite" },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* Of Ironic's work as an installer: they say nothing of how a machine is reached. */
static const char *const deploying[] = {
	"deploy_*",
	"*_deploy_*",
	"rescue_*",
	"*_rescue_*",
	"bootloader",
	"*_bootloader",
	"boot_iso",
	"kernel_append_params",
	"force_persistent_boot_device",
	"config_via_*",
	"external_http_url",
	"agent_*",
	"*_network",
};
#define DEPLOYING (sizeof(deploying) / sizeof(deploying[0]))

#define NUMBER_SIZE 32u /* of a number or a boolean as a text */

/* A key that nothing here is done with, of several nodes. */
struct stray {
	char *key;
	struct pctl_names *nodes;
	struct pctl_place place; /* of the first of them */
};

struct strays {
	struct stray *v;
	size_t n, cap;
	struct import_index index;
};

struct source {
	struct import *im;
	struct strays *strays;
	struct pctl_place place;
	const json_t *node, *info;
	const char *name;
	struct import_node *to;
};

/* "Driver Info" is driver_info. */
static bool same_key(const char *label, const char *key)
{
	while (*key && import_key_char(*label) == *key)
		label++, key++;
	return !*label && !*key;
}

static const json_t *member(const json_t *object, const char *key)
{
	const char *label;
	json_t *value;

	json_object_foreach(
		(json_t *)(uintptr_t)object, label, value) if (same_key(label, key)) return value;
	return NULL;
}

/* As a text in buf if it is a number; NULL: there is nothing. */
static const char *text_of(const json_t *value, char buf[NUMBER_SIZE])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		(void)snprintf(buf, NUMBER_SIZE, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		(void)snprintf(buf, NUMBER_SIZE, "%s", json_is_true(value) ? "true" : "false");
	return json_is_integer(value) || json_is_boolean(value) ? buf : NULL;
}

static const char *info_text(
	const struct source *s, const char *prefix, const char *key, char buf[NUMBER_SIZE])
{
	PCTL_AUTO(free) char *full = pctl_xasprintf("%s_%s", prefix, key);

	return text_of(json_object_get(s->info, full), buf);
}

static const struct kind *kind_of(const struct source *s)
{
	char buf[NUMBER_SIZE];

	for (size_t i = 0; i < KINDS; i++) {
		const char *address = info_text(s, kinds[i].prefix, "address", buf);

		if (address && *address)
			return &kinds[i];
	}
	return NULL;
}

/* Ironic hides passwords from those who may not see them. */
static bool is_hidden(const char *secret)
{
	return secret && *secret && strspn(secret, "*") == strlen(secret);
}

static void take_login(struct source *s, const struct kind *kind)
{
	PCTL_AUTO(free) char *hex = NULL;
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
	const char *user = info_text(s, kind->prefix, "username", a);
	const char *password = info_text(s, kind->prefix, "password", b);
	const char *kg =
		strcmp(kind->prefix, "ipmi") == 0 ? info_text(s, "ipmi", "hex_kg_key", c) : NULL;

	if (is_hidden(kg)) {
		import_left(s->im, s->place, "'%s': Ironic hides ipmi_hex_kg_key; set kg_file",
			s->name);
		kg = NULL;
	}
	if (kg)
		hex = pctl_xasprintf("0x%s", kg);
	s->to->login = import_login(s->im, user, is_hidden(password) ? NULL : password, hex);
	if (hex)
		explicit_bzero(hex, strlen(hex));
	explicit_bzero(b, sizeof(b));
	explicit_bzero(c, sizeof(c));
}

/* https://10.0.0.1:8443/redfish/v1 */
static bool take_url(struct source *s, const char *url)
{
	bool http = strncmp(url, "http://", 7) == 0, https = strncmp(url, "https://", 8) == 0;

	url += http ? 7 : https ? 8 : 0;
	PCTL_AUTO(free) char *host = pctl_xstrndup(url, strcspn(url, "/"));
	if (http)
		import_set(s->to, "tls", "false");
	bool right = import_set_address(s->to, host);
	if (http && right && !pctl_value_get(s->to->settings, "port"))
		import_set(s->to, "port", "80");
	return right;
}

static void take_system(struct source *s, const char *id)
{
	size_t len = strlen(REDFISH_SYSTEMS);

	if (strncmp(id, REDFISH_SYSTEMS, len) == 0)
		id += len;
	PCTL_AUTO(free) char *bare = pctl_xstrndup(id, strcspn(id, "/"));
	import_set(s->to, "system", bare);
}

/* --- What is not taken over, each key once for all nodes that have it. ------------------------ */

static void put_stray(struct source *s, const char *key)
{
	struct strays *all = s->strays;
	size_t i = import_index_put(&all->index, key, all->n);

	if (i == all->n) {
		all->v = pctl_xgrow(all->v, &all->cap, all->n + 1, sizeof(*all->v));
		all->v[all->n++] = (struct stray){ pctl_xstrdup(key), pctl_names_new(), s->place };
	}
	(void)pctl_names_add(all->v[i].nodes, s->name);
}

static void tell_strays(struct import *im, struct strays *all)
{
	for (size_t i = 0; i < all->n; i++) {
		PCTL_AUTO(free) char *nodes = pctl_names_fold(all->v[i].nodes);

		import_left(
			im, all->v[i].place, "%s: '%s' has no setting here", nodes, all->v[i].key);
		free(all->v[i].key);
		pctl_names_free(all->v[i].nodes);
	}
	free(all->v);
	import_index_done(&all->index);
}

static bool is_deploying(const char *key)
{
	for (size_t i = 0; i < DEPLOYING; i++)
		if (fnmatch(deploying[i], key, 0) == 0)
			return true;
	return false;
}

/* --- One node. -------------------------------------------------------------------------------- */

/* False: it is no such key. */
static bool take_word(struct source *s, const char *key, const char *value)
{
	bool known = false;

	for (size_t i = 0; i < VALUES; i++) {
		if (strcmp(values[i].key, key) != 0)
			continue;
		known = true;
		if (!import_same(values[i].value, value))
			continue;
		import_set(s->to, values[i].setting, values[i].to);
		return true;
	}
	if (known)
		import_left(
			s->im, s->place, "'%s': %s '%s' is not known here", s->name, key, value);
	return known;
}

/* Without a word Ironic checks certificates; here the first one that is seen is remembered. */
static void take_trust(struct source *s, const char *key, const char *value)
{
	static const char *const words[][2] = { { "false", "true" }, { "0", "1" }, { "no", "yes" },
		{ "off", "on" } };

	if (*value == '/') {
		import_set(s->to, "ca_file", value);
		import_set(s->to, "trust", "strict");
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (import_same(words[i][0], value))
			import_set(s->to, "trust", "first-use");
		else if (import_same(words[i][1], value))
			import_set(s->to, "trust", "strict");
	}
	if (!pctl_value_get(s->to->settings, "trust"))
		import_left(
			s->im, s->place, "'%s': %s '%s' is not known here", s->name, key, value);
}

static void leave_bridged(struct source *s)
{
	s->to->dropped = true;
	import_left(s->im, s->place,
		"'%s' is behind another BMC (ipmi_bridging), which no driver here does", s->name);
}

/* What stands behind the kind's prefix, or NULL. */
static const char *rest_of(const struct kind *kind, const char *key)
{
	size_t len = strlen(kind->prefix);

	return strncmp(key, kind->prefix, len) == 0 && key[len] == '_' ? key + len + 1 : NULL;
}

static bool take_setting(
	struct source *s, const struct kind *kind, const char *key, const char *value)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strcmp(settings[i].prefix, kind->prefix) != 0 ||
			strcmp(settings[i].key, key) != 0)
			continue;
		import_set(s->to, settings[i].setting, value);
		return true;
	}
	return false;
}

/* value NULL: it is no text. */
static void take_info(struct source *s, const struct kind *kind, const char *key, const char *value)
{
	static const char *const logins[] = { "address", "username", "password", "hex_kg_key",
		NULL };
	const char *rest = rest_of(kind, key);

	if (is_deploying(key) || (rest && pctl_parse_choice(rest, logins) >= 0))
		return;
	if (!value || !rest) {
		if (!value || !take_setting(s, kind, key, value))
			put_stray(s, key);
	} else if (strcmp(key, "redfish_system_id") == 0) {
		take_system(s, value);
	} else if (strcmp(rest, "verify_ca") == 0) {
		take_trust(s, key, value);
	} else if (strcmp(key, "ipmi_bridging") == 0) {
		if (!import_same(value, "no"))
			leave_bridged(s);
	} else if (!take_setting(s, kind, key, value) && !take_word(s, key, value)) {
		put_stray(s, key);
	}
}

/* Maintenance and protection hold here as well. */
static void take_flags(struct source *s)
{
	static const char *const flags[][2] = { { "maintenance", "maintenance_reason" },
		{ "protected", "protected_reason" } };

	for (size_t i = 0; i < 2; i++) {
		const json_t *flag = member(s->node, flags[i][0]);
		const char *reason = json_string_value(member(s->node, flags[i][1]));
		bool set = json_is_true(flag) ||
			   (json_is_string(flag) && import_same(json_string_value(flag), "true"));

		if (set)
			import_set(s->to, flags[i][0], reason && *reason ? reason : "in Ironic");
	}
}

static void take_known(struct source *s, const struct kind *kind)
{
	const char *key, *address;
	char buf[NUMBER_SIZE];
	json_t *value;

	import_set(s->to, "driver", kind->driver);
	address = info_text(s, kind->prefix, "address", buf);
	if (!take_url(s, address)) {
		import_left(s->im, s->place, "'%s': '%s' is no address", s->name, address);
		s->to->dropped = true;
	}
	json_object_foreach((json_t *)(uintptr_t)s->info, key, value)
	{
		const char *text = text_of(value, buf);

		if (json_is_null(value) || (text && !*text) || s->to->dropped)
			continue;
		take_info(s, kind, key, text);
	}
	take_login(s, kind);
	take_flags(s);
	PCTL_AUTO(free)
	char *class = pctl_xstrdup(json_is_string(member(s->node, "resource_class"))
					   ? json_string_value(member(s->node, "resource_class"))
					   : "");
	import_set_list(s->to, "tags", class, " ,");
}

static void take_node(struct import *im, struct strays *strays, const json_t *node, uint32_t line)
{
	struct source s = {
		.im = im,
		.strays = strays,
		.node = node,
		.place = import_at(im, line),
	};
	const char *uuid = json_string_value(member(node, "uuid"));
	const char *driver = json_string_value(member(node, "driver"));

	s.name = json_string_value(member(node, "name"));
	s.name = s.name && *s.name ? s.name : uuid;
	s.info = member(node, "driver_info");
	if (!json_is_object(node) || !s.name || !json_is_object(s.info)) {
		import_left(im, s.place,
			"%s%s: there is no driver_info; export with `baremetal node list --detail "
			"-f json`",
			s.name ? "node " : "this is no node", s.name ? s.name : "");
		return;
	}
	const struct kind *kind = kind_of(&s);
	if (!kind || !kind->driver) {
		import_left(im, s.place, "'%s' (driver %s) %s", s.name, driver ? driver : "none",
			kind ? kind->advice : "has no address that is known here");
		return;
	}
	s.to = import_add(im, s.place, s.name);
	if (s.to)
		take_known(&s, kind);
}

/* --- The text. Each node is read by itself, so that its line is known. ------------------------ */

static void skip_blanks(struct import_text *text)
{
	for (; *text->next && strchr(" \t\r\n,", *text->next); text->next++)
		text->line += *text->next == '\n';
}

/* One value at text->next, which moves behind it; end is that of the text. NULL: said. */
static json_t *take_json(struct import *im, struct import_text *text, const char *end)
{
	json_error_t error = { 0 };
	json_t *value = json_loadb(text->next, (size_t)(end - text->next),
		JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);

	if (!value) {
		import_left(im,
			import_at(im, text->line + (error.line > 0 ? (uint32_t)error.line - 1 : 0)),
			"this is no JSON: %s", error.text);
		return NULL;
	}
	for (int i = 0; i < error.position; i++, text->next++)
		text->line += *text->next == '\n';
	return value;
}

static void take_list(
	struct import *im, struct strays *strays, struct import_text *text, const char *end)
{
	for (skip_blanks(text); *text->next && *text->next != ']'; skip_blanks(text)) {
		uint32_t line = text->line;
		json_t *node = take_json(im, text, end);

		if (!node)
			return;
		take_node(im, strays, node, line);
		json_decref(node);
	}
	if (!*text->next)
		import_left(im, import_at(im, text->line), "the list does not end; was it cut?");
}

/* {"nodes": [ of the API: the list within. */
static bool enter_nodes(struct import_text *text)
{
	static const char key[] = "\"nodes\"";
	struct import_text in = *text;

	in.next++;
	skip_blanks(&in);
	if (strncmp(in.next, key, sizeof(key) - 1) != 0)
		return false;
	in.next += sizeof(key) - 1;
	skip_blanks(&in);
	if (*in.next != ':')
		return false;
	in.next++;
	skip_blanks(&in);
	*text = in;
	return *in.next == '[';
}

static void wiping_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void import_ironic(struct import *im, char *text)
{
	const char *end = text + strlen(text);
	struct strays strays = { 0 };
	struct import_text rest;
	json_malloc_t get;
	json_free_t give;

	import_text_begin(&rest, text);
	rest.line = 1;
	json_get_alloc_funcs(&get, &give);
	json_set_alloc_funcs(malloc, wiping_free);
	skip_blanks(&rest);
	if (*rest.next == '[' || (*rest.next == '{' && enter_nodes(&rest))) {
		rest.next++;
		take_list(im, &strays, &rest, end);
	} else if (*rest.next) {
		uint32_t line = rest.line;
		json_t *node = take_json(im, &rest, end);

		if (node)
			take_node(im, &strays, node, line);
		json_decref(node);
	}
	json_set_alloc_funcs(get, give);
	tell_strays(im, &strays);
}
