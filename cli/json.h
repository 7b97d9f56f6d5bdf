/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON, one object a line: docs/json.md, docs/powerctl-result.schema.json. */
#ifndef POWERCTL_CLI_JSON_H
#define POWERCTL_CLI_JSON_H

#include <powerctl/powerctl.h>

/* verb: the word that was typed. A line without its break: free() it. */
char *json_result(const struct pctl_result *result, const char *verb);

/* {"v":1,"node":NAME} and the keys of a map, for what is no result: free() it. name may be NULL. */
char *json_node(const char *name, const struct pctl_value *map);

/* A tree as it is, on several lines: free() it. */
char *json_pretty(const struct pctl_value *v);

#endif
