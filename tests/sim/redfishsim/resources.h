/* SPDX-License-Identifier: Apache-2.0 */
/* What the paths below /redfish/v1 answer; the table in route.c says which. */
#ifndef POWERCTL_REDFISHSIM_RESOURCES_H
#define POWERCTL_REDFISHSIM_RESOURCES_H

#include "call.h"

/* A member of a collection: its Id, or all of it. */
typedef void member_name(const struct call *c, uint32_t i, char *out, size_t size);
typedef json_t *member_document(const struct call *c, uint32_t i);

/* A collection of count members at path (below /redfish/v1/), in pages as query and knob say. */
void collection(struct call *c, const char *type, const char *name, uint32_t count, member_name *id,
	member_document *document);
/* Id, Name, @odata.id (of the request) and @odata.type. */
json_t *resource(const struct call *c, const char *type, const char *id, const char *name);
/* The index of a word in a list with blanks; -1. */
int word_index(const char *words, const char *word);
/* The index-th word; false: there are fewer. */
bool word_at(const char *words, uint32_t index, char *out, size_t size);

typedef void handler(struct call *c);

/* root.c */
handler get_versions, get_root, get_odata, get_metadata;
handler get_session_service, get_sessions, post_session, get_session, delete_session;
handler get_task_service, get_tasks, get_task, get_monitor;
handler get_update_service, get_firmwares, get_firmware, get_event_service;

/* accounts.c */
handler get_account_service, get_accounts, get_account, patch_account, post_password;

/* system.c */
handler get_systems, get_system, patch_system, get_settings, patch_settings, get_reset_info;
handler post_reset;

/* hardware.c */
handler get_processors, get_processor, get_memories, get_memory, get_nics, get_nic;

/* chassis.c */
handler get_all_chassis, get_chassis, patch_chassis, get_thermal, get_power, get_sensors;
handler get_sensor, get_thermal_subsystem, get_power_subsystem;

/* manager.c */
/* By the knobs `health`. */
extern const char *const healths[];
handler get_managers, get_manager, post_manager_reset, get_network_protocol;
handler get_media_list, get_media, patch_media, post_insert, post_eject;
handler get_logs, get_log, get_entries, get_entry, post_clear;

#endif
