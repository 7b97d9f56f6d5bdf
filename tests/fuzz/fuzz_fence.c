/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata and words of a hostile fence agent: nothing crashes, an error is always told, settings
 * have names that the core takes, and no line of output is both on and off.
 */
#include "fuzz.h"

#include <ctype.h>

#include "agent.h"
#include "words.h"

static bool is_setting_name(const char *name)
{
	if (!islower((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) &&
			*name != '_')
			return false;
	return true;
}

static bool is_one_line(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

static void check_agent(const struct fence_agent *agent)
{
	size_t n = 0;

	require(is_one_line(agent->description.summary));
	for (const struct pctl_property *p = agent->properties; p->name; p++, n++) {
		require(is_setting_name(p->name));
		require(is_one_line(p->help) && is_one_line(p->default_text));
		require(p->type != PCTL_TYPE_CHOICE || (p->choices && p->choices[0]));
		for (size_t i = 0; i < n; i++)
			require(strcmp(agent->properties[i].name, p->name) != 0);
	}
	require(n == agent->n);
}

static void read_metadata(const char *text, size_t size)
{
	struct fence_metadata *metadata = NULL;
	struct pctl_error err = { 0 };

	if (fence_metadata_parse(text, size, &metadata, &err) < 0) {
		require(err.code == PCTL_E_PROTOCOL && err.text[0] && !metadata);
		return;
	}
	struct fence_agent *agent = fence_agent_new("/usr/sbin/fence_fuzz", metadata);
	check_agent(agent);
	fence_agent_free(agent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct fence_verdict v;

	read_metadata(text, size);
	fence_words_judge(text, size, &v);
	require(is_one_line(v.text) && v.code < 0);
	if (fence_words_state(text, size) == FENCE_OFF)
		require(memmem(text, size, "f", 1) || memmem(text, size, "F", 1));
	return 0;
}
