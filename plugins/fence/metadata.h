/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fence agent says of itself: the XML that `AGENT -o metadata` prints. Bytes in, structs
 * out. Source: FenceAgentAPI.md of ClusterLabs/fence-agents and its lib/metadata.rng.
 */
#ifndef POWERCTL_FENCE_METADATA_H
#define POWERCTL_FENCE_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <powerctl/error.h>

#define FENCE_METADATA_BYTES 524288u /* of a document */
#define FENCE_PARAMETERS_MAX 200u
#define FENCE_CHOICES_MAX    64u
#define FENCE_TEXT_MAX       8192u /* of one text */
#define FENCE_DEPTH_MAX      16u

/* parameter/content/@type */
enum fence_kind {
	FENCE_STRING,
	FENCE_BOOLEAN,
	FENCE_INTEGER,
	FENCE_SECOND,
	FENCE_SELECT,
};

/* Texts are never NULL where that is not said, and have no control characters. */
struct fence_parameter {
	char *name;     /* as the agent reads it from its standard input */
	char *help;     /* parameter/shortdesc */
	char *fallback; /* content/@default; NULL: none, or none that can be written in one line */
	enum fence_kind kind;
	bool required;
	bool deprecated;
	char **choices; /* FENCE_SELECT: content/option/@value; NULL-terminated */
	size_t choices_n;
};

/* actions/action/@name, as bits. */
#define FENCE_CAN_ON     1u
#define FENCE_CAN_OFF    2u
#define FENCE_CAN_REBOOT 4u
#define FENCE_CAN_STATUS 8u

struct fence_metadata {
	char *name;
	char *summary; /* @shortdesc */
	struct fence_parameter *parameters;
	size_t n;
	unsigned can;
	bool on_target; /* its "on" runs on the machine itself: it switches access, not power */
};

/* PCTL_E_PROTOCOL: it is no such document; err says what is wrong, with line and column. */
int fence_metadata_parse(
	const char *text, size_t len, struct fence_metadata **ret, struct pctl_error *err);
void fence_metadata_free(struct fence_metadata *metadata);

#endif
