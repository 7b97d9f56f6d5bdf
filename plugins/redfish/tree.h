/* SPDX-License-Identifier: Apache-2.0 */
/* From a service's documents to the trees of docs/names.md: pure, tables of places. */
#ifndef POWERCTL_REDFISH_TREE_H
#define POWERCTL_REDFISH_TREE_H

#include "doc.h"

/* Each adds what doc has; what it lacks is left out. */
void tree_info(const json_t *root, const json_t *host, bool tls, struct pctl_value *ret);
void tree_manager(const json_t *manager, struct pctl_value *ret);
void tree_product(const json_t *host, struct pctl_value *ret);
void tree_chassis(const json_t *chassis, struct pctl_value *ret);

/* A part, or NULL for a socket that is empty. type is docs/names.md's word. */
struct pctl_value *tree_part(const json_t *doc, const char *type);
/* NULL: it has no version. */
struct pctl_value *tree_firmware(const json_t *doc);

/* A document of Sensor's schema; NULL: it is none. */
struct pctl_value *tree_sensor(const json_t *doc);
/* Thermal's and Power's lists, before there was Sensor. */
void tree_thermal(const json_t *doc, struct pctl_value *sensors);
void tree_power(const json_t *doc, struct pctl_value *sensors);

struct pctl_value *tree_event(const json_t *entry);
/* Oldest first, whichever way they came. */
struct pctl_value *tree_in_order(struct pctl_value *take_events);
/* What is behind the event that cursor stands for, and the cursor of the last. */
#define TREE_CURSOR_SIZE 201u
void tree_new_events(struct pctl_value *take_events, const char *after, struct pctl_value *ret);
/* How good a log of hardware events this LogService is; 0: none. */
unsigned tree_log_rank(const json_t *service);

/* "always-on" for AlwaysOn, and back; NULL: no such word. */
const char *tree_policy(const char *redfish_word);
const char *tree_policy_word(const char *name);

#endif
