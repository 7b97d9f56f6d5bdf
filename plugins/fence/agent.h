/* SPDX-License-Identifier: Apache-2.0 */
/* A fence agent: the program, and its parameters as settings. */
#ifndef POWERCTL_FENCE_AGENT_H
#define POWERCTL_FENCE_AGENT_H

#include <powerctl/buf.h>
#include <powerctl/driver.h>
#include <powerctl/program.h>

#include "metadata.h"

/* One of its settings; the same index as in properties. */
struct fence_setting {
	char *name;
	const struct fence_parameter *parameter;
};

struct fence_agent {
	struct pctl_description description;
	char *path;
	const char *name; /* the last part of path */
	struct fence_metadata *metadata;
	struct pctl_property *properties;
	struct fence_setting *settings;
	size_t n;
	const struct fence_parameter *address;       /* NULL: it has none */
	const struct fence_parameter *power_timeout; /* NULL: it has none */
	const struct fence_parameter *ipport;        /* NULL: it has none */
	const struct fence_parameter *verbose;       /* its verbose_level; NULL: it has none */
	unsigned verbose_level; /* that it needs to say why it failed; 0: it does without */
	char *useless; /* why it cannot be used, though it may be looked at; NULL: it can */
};

/* description is an agent's; it is its first member. */
static inline const struct fence_agent *fence_agent_of(const struct pctl_description *description)
{
	return (const void *)description;
}

/* Makes settings of what an agent says of itself. */
struct fence_agent *fence_agent_new(const char *path, struct fence_metadata *take_metadata);
void fence_agent_free(struct fence_agent *agent);

/* The port of an endpoint's key; 0: it is the one that the agent takes itself. */
uint16_t fence_key_port(const struct pctl_device *device);

/* pctl_driver's. */
int fence_describe(const struct pctl_selector *selector, struct pctl_description **ret,
	struct pctl_error *err);
void fence_undescribe(struct pctl_description *description);
/* The driver's values(): the names of the agents that are in the usual folder. */
void fence_values(void (*add)(void *data, const char *value), void *data);

/*
 * What the agent reads from its standard input for an action ("status"), secrets included: buf was
 * begun with pctl_buf_init_secret(). wait_s: how long it may wait for the power to change, where
 * that is not set; 0: as it likes. PCTL_E_CONFIG: a value cannot be written in a line.
 */
int fence_agent_input(const struct fence_agent *agent, const struct pctl_device *device,
	const char *action, unsigned wait_s, struct pctl_buf *buf, struct pctl_error *err);

#endif
