/* SPDX-License-Identifier: Apache-2.0 */
/* An agent's parameters as settings, and back again as what it reads. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "agent.h"
#include "words.h"

#define ALL_POWER (FENCE_CAN_ON | FENCE_CAN_OFF | FENCE_CAN_STATUS)

/* Names that mean something else in the inventory. */
static const char *const taken[] = { "agent", "driver", "class", "credential", "address", "tags",
	"ready", "maintenance", "protected", "trust", "via", "parent", "power", "boot", "console",
	"display", "timeouts", NULL };

static char plain_char(unsigned char c)
{
	return isalnum(c) ? (char)tolower(c) : '_';
}

/* In lower case, and _ for all that is no letter or digit. */
static char *plain_name(const char *name)
{
	char *plain = pctl_xstrdup(name);

	for (char *c = plain; *c; c++)
		*c = plain_char((unsigned char)*c);
	return plain;
}

static bool has_setting(const struct fence_agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->n; i++)
		if (strcmp(agent->settings[i].name, name) == 0)
			return true;
	return false;
}

/* token_file is a way to give the secret token. */
static bool is_way_to(const struct fence_agent *agent, const char *name)
{
	static const char *const ends[] = { "_file", "_env", "_command" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (len <= end || strcmp(name + len - end, ends[i]) != 0)
			continue;
		PCTL_AUTO(free) char *stem = pctl_xstrndup(name, len - end);
		for (size_t k = 0; k < agent->metadata->n; k++) {
			PCTL_AUTO(free)
			char *other = plain_name(agent->metadata->parameters[k].name);
			if (strcmp(other, stem) == 0 && fence_words_secret(stem))
				return true;
		}
	}
	return false;
}

/* The setting's name; free() it. */
static char *setting_name(const struct fence_agent *agent, const struct fence_parameter *p)
{
	PCTL_AUTO(free) char *plain = plain_name(p->name);

	switch (fence_words_role(plain)) {
	case FENCE_USER:
		return pctl_xstrdup("username");
	case FENCE_WORD:
		return pctl_xstrdup("password");
	case FENCE_PLUG:
		return pctl_xstrdup("plug");
	default:
		break;
	}
	bool other = !islower((unsigned char)*plain) || pctl_parse_choice(plain, taken) >= 0 ||
		     has_setting(agent, plain) || is_way_to(agent, plain);
	return pctl_xasprintf("%s%s", other ? "agent_" : "", plain);
}

/* --- Types. ----------------------------------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

static enum pctl_type type_of(const struct fence_parameter *p, const char *name)
{
	switch (p->kind) {
	case FENCE_BOOLEAN:
		return PCTL_TYPE_BOOL;
	case FENCE_INTEGER:
		return PCTL_TYPE_UINT;
	case FENCE_SECOND:
		return PCTL_TYPE_DURATION;
	case FENCE_SELECT:
		return p->choices_n ? PCTL_TYPE_CHOICE : PCTL_TYPE_TEXT;
	default:
		return ends_in(name, "_file") ? PCTL_TYPE_FILE : PCTL_TYPE_TEXT;
	}
}

/* The agent's default in our words; NULL: it is none of that type. */
static const char *default_of(const struct fence_parameter *p, enum pctl_type type)
{
	uint64_t number = 0;
	bool yes = false;

	switch (type) {
	case PCTL_TYPE_BOOL:
		if (strcmp(p->fallback, "1") == 0 || strcmp(p->fallback, "0") == 0)
			return *p->fallback == '1' ? "true" : "false";
		return pctl_parse_bool(p->fallback, &yes) < 0 ? NULL : yes ? "true" : "false";
	case PCTL_TYPE_UINT:
		return pctl_parse_uint(p->fallback, UINT64_MAX, &number) < 0 ? NULL : p->fallback;
	case PCTL_TYPE_DURATION:
		return pctl_parse_duration(p->fallback, &number) < 0 ? NULL : p->fallback;
	case PCTL_TYPE_CHOICE:
		return pctl_parse_choice(p->fallback, (const char *const *)p->choices) < 0
			       ? NULL
			       : p->fallback;
	default:
		return p->fallback;
	}
}

/* What does not fit its own type is a text. */
static void set_type(struct pctl_property *row, const struct fence_parameter *p)
{
	row->type = type_of(p, row->name);
	row->default_text = p->fallback ? default_of(p, row->type) : NULL;
	if (p->fallback && !row->default_text) {
		row->type = PCTL_TYPE_TEXT;
		row->default_text = p->fallback;
	}
	if (row->type == PCTL_TYPE_CHOICE)
		row->choices = (const char *const *)p->choices;
}

static void add(struct fence_agent *agent, const struct fence_parameter *p)
{
	PCTL_AUTO(free) char *name = setting_name(agent, p);
	bool secret = fence_words_secret(name);

	if (has_setting(agent, name))
		return;
	struct pctl_property *row = &agent->properties[agent->n];
	struct fence_setting *s = &agent->settings[agent->n++];
	s->name = name;
	s->parameter = p;
	*row = (struct pctl_property)PCTL_PROPERTY(.name = name, .help = p->help);
	if (secret)
		row->flags |= PCTL_PROPERTY_SECRET;
	else
		set_type(row, p);
	if (p->required && !p->fallback)
		row->flags |= PCTL_PROPERTY_REQUIRED;
	if (strcmp(name, "plug") == 0) {
		row->flags |= PCTL_PROPERTY_UNIT;
		row->type = PCTL_TYPE_TEXT;
		row->choices = NULL;
	}
	if (strcmp(name, "power_timeout") == 0)
		agent->power_timeout = p;
	if (strcmp(name, "ipport") == 0)
		agent->ipport = p;
	name = NULL;
}

static void take(struct fence_agent *agent, const struct fence_parameter *p)
{
	PCTL_AUTO(free) char *plain = plain_name(p->name);
	enum fence_role role = fence_words_role(plain);

	if (strcmp(plain, "verbose_level") == 0)
		agent->verbose = p;
	if (fence_words_verbose(plain))
		agent->verbose_level = fence_words_verbose(plain);
	if (p->deprecated || role == FENCE_OURS)
		return;
	if (role == FENCE_ADDRESS)
		agent->address = p;
	else
		add(agent, p);
}

/* --- The agent. ------------------------------------------------------------------------------- */

static char *find_useless(const struct fence_agent *agent)
{
	const char *why = fence_words_no_power(agent->name);
	const struct fence_metadata *m = agent->metadata;

	if (why)
		return pctl_xasprintf("%s switches no power: %s", agent->name, why);
	if ((m->can & ALL_POWER) != ALL_POWER)
		return pctl_xasprintf("%s cannot do all of on, off and status, so that nothing it "
				      "does could be confirmed",
			agent->name);
	/* FenceAgentAPI.md: who cuts a machine off from network or disks has no "reboot". */
	if (!(m->can & FENCE_CAN_REBOOT) || m->on_target)
		return pctl_xasprintf("%s switches no power: it cuts a machine off from its "
				      "network or disks, and its 'off' says nothing about power",
			agent->name);
	return NULL;
}

struct fence_agent *fence_agent_new(const char *path, struct fence_metadata *take_metadata)
{
	struct fence_agent *agent = pctl_xcalloc(1, sizeof(*agent));
	const char *slash = strrchr(path, '/');

	agent->path = pctl_xstrdup(path);
	agent->name = agent->path + (slash ? slash - path + 1 : 0);
	agent->metadata = take_metadata;
	agent->properties = pctl_xcalloc(take_metadata->n + 1, sizeof(*agent->properties));
	agent->settings = pctl_xcalloc(take_metadata->n + 1, sizeof(*agent->settings));
	for (size_t i = 0; i < take_metadata->n; i++)
		take(agent, &take_metadata->parameters[i]);
	agent->useless = find_useless(agent);
	agent->description = (struct pctl_description){ .size = sizeof(agent->description),
		.summary = take_metadata->summary,
		.properties = agent->properties };
	if (!agent->useless)
		agent->description.actions =
			PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF);
	return agent;
}

void fence_agent_free(struct fence_agent *agent)
{
	if (!agent)
		return;
	for (size_t i = 0; i < agent->n; i++)
		free(agent->settings[i].name);
	free(agent->settings);
	free(agent->properties);
	fence_metadata_free(agent->metadata);
	free(agent->useless);
	free(agent->path);
	free(agent);
}

/* --- What it reads. --------------------------------------------------------------------------- */

static bool is_one_line(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' && value[i] != '\t')
			return false;
	return true;
}

/* fencing.py strips a line, and quotes around a value: what would be lost gets quotes around it. */
static bool needs_quotes(const char *value, size_t len)
{
	static const char blanks[] = " \t";

	return len && (strchr(blanks, value[0]) || strchr(blanks, value[len - 1]) ||
			      (value[0] == '"' && value[len - 1] == '"'));
}

static int add_line(struct pctl_buf *buf, const char *name, const char *setting, const char *value,
	size_t len, struct pctl_error *err)
{
	const char *quote = needs_quotes(value, len) ? "\"" : "";

	if (!is_one_line(value, len))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s has a line break or a control character, which no agent takes",
			setting);
	pctl_buf_adds(buf, name);
	pctl_buf_adds(buf, "=");
	pctl_buf_adds(buf, quote);
	pctl_buf_add(buf, value, len);
	pctl_buf_adds(buf, quote);
	pctl_buf_adds(buf, "\n");
	return 0;
}

static int add_secret(struct pctl_buf *buf, const struct fence_setting *s,
	const struct pctl_device *device, struct pctl_error *err)
{
	const struct pctl_secret *secret = pctl_setting_secret(device, s->name);

	if (!secret)
		return 0;
	return add_line(buf, s->parameter->name, s->name, pctl_secret_data(secret),
		pctl_secret_len(secret), err);
}

/* Agents run in another folder than ours, which an inventory may be named from. */
static int add_file(struct pctl_buf *buf, const struct fence_setting *s, const char *path,
	struct pctl_error *err)
{
	PCTL_AUTO(free) char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	PCTL_AUTO(free)
	char *full = here ? pctl_xasprintf("%s/%s", here, path) : pctl_xstrdup(path);

	return add_line(buf, s->parameter->name, s->name, full, strlen(full), err);
}

static int add_setting(struct pctl_buf *buf, const struct fence_agent *agent, size_t i,
	const struct pctl_device *device, struct pctl_error *err)
{
	const struct fence_setting *s = &agent->settings[i];
	const struct pctl_property *row = &agent->properties[i];
	const char *text = NULL;
	char number[32];

	if (row->flags & PCTL_PROPERTY_SECRET)
		return add_secret(buf, s, device, err);
	if (!pctl_setting_given(device, s->name))
		return 0;
	if (row->type == PCTL_TYPE_FILE)
		return add_file(buf, s, pctl_setting_text(device, s->name), err);
	if (row->type == PCTL_TYPE_BOOL) {
		bool yes = pctl_setting_bool(device, s->name);

		/* Agents take "no" for a yes where that is what they do anyway. */
		if (!yes && !(row->default_text && strcmp(row->default_text, "true") == 0))
			return 0;
		text = yes ? "1" : "0";
	} else if (row->type == PCTL_TYPE_DURATION) {
		uint64_t ms = pctl_setting_duration(device, s->name);

		ms += 999;
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)ms / 1000);
		text = number;
	} else {
		text = pctl_setting_text(device, s->name);
	}
	return add_line(buf, s->parameter->name, s->name, text, strlen(text), err);
}

/* Of all that such an agent is given only hexadecimal_kg stands in what it would log. */
static bool may_be_verbose(const struct fence_agent *agent, const struct pctl_device *device)
{
	static const char key[] = "hexadecimal_kg";

	return agent->verbose && agent->verbose_level &&
	       !(has_setting(agent, key) && pctl_setting_secret(device, key));
}

uint16_t fence_key_port(const struct pctl_device *device)
{
	const struct fence_agent *agent = fence_agent_of(pctl_device_description(device));
	uint64_t port = 0, usual = 0;

	if (!agent || !agent->ipport || !pctl_setting_given(device, "ipport") ||
		pctl_parse_uint(pctl_setting_text(device, "ipport"), UINT16_MAX, &port) < 0)
		return 0;
	if (agent->ipport->fallback)
		(void)pctl_parse_uint(agent->ipport->fallback, UINT16_MAX, &usual);
	return (uint16_t)(port == usual ? 0 : port);
}

int fence_agent_input(const struct fence_agent *agent, const struct pctl_device *device,
	const char *action, unsigned wait_s, struct pctl_buf *buf, struct pctl_error *err)
{
	const char *host = pctl_device_host(device);
	int r = 0;

	pctl_buf_cut(buf, 0);
	pctl_buf_addf(buf, "action=%s\n", action);
	if (agent->address && *host)
		r = add_line(buf, agent->address->name, "address", host, strlen(host), err);
	for (size_t i = 0; r == 0 && i < agent->n; i++)
		r = add_setting(buf, agent, i, device, err);
	if (r == 0 && wait_s && agent->power_timeout &&
		!pctl_setting_given(device, "power_timeout"))
		pctl_buf_addf(buf, "%s=%u\n", agent->power_timeout->name, wait_s);
	if (r == 0 && may_be_verbose(agent, device))
		pctl_buf_addf(buf, "%s=%u\n", agent->verbose->name, agent->verbose_level);
	if (r == 0 && buf->full)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"its settings are more than %zu bytes, which no agent is given", buf->max);
	return r;
}
