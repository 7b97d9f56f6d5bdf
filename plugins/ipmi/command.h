/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands that the driver sends, as the specification has them (IPMI 2.0, appendix G), and
 * what a BMC may answer to each beyond success: pure, no I/O.
 */
#ifndef POWERCTL_IPMI_COMMAND_H
#define POWERCTL_IPMI_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <powerctl/error.h>

/* Table 6-1: the numbers on the wire. */
enum privilege {
	PRIVILEGE_NONE,
	PRIVILEGE_CALLBACK,
	PRIVILEGE_USER,
	PRIVILEGE_OPERATOR,
	PRIVILEGE_ADMIN,
};

/* It changes something: the op is committed before it leaves. */
#define COMMAND_CHANGES 1u
/* A second one would act again: it is sent once and waited for. */
#define COMMAND_ONCE 2u
/* Its bytes may be a secret (a user's password): they are not traced. */
#define COMMAND_PRIVATE 4u

/* What a completion code means for one command (or for all), if not success. */
struct completion {
	uint8_t code;
	int class; /* PCTL_E_ */
	const char *text;
};

struct command {
	const char *name; /* the specification's */
	uint8_t netfn, cmd;
	uint8_t privilege; /* the least that it takes (appendix G) */
	uint8_t flags;     /* COMMAND_ */
	uint8_t least;     /* so many bytes follow the completion code at least */
	const struct completion *completions; /* of its own; ends with a row without a text */
};

#define COMMAND_DATA_MAX 64u /* bytes of a request after the command byte */

extern const struct command
	/* Before a session, and around it. */
	command_get_channel_auth_capabilities,
	command_get_session_challenge, command_activate_session, command_set_session_privilege,
	command_close_session,
	/* Chassis. */
	command_get_chassis_status, command_chassis_control, command_chassis_control_on,
	command_chassis_identify, command_set_power_restore_policy, command_get_restart_cause,
	command_set_boot_options, command_get_boot_options,
	/* The BMC itself. */
	command_get_device_id, command_cold_reset, command_warm_reset, command_get_device_guid,
	command_get_system_guid,
	/* Users. */
	command_get_user_access, command_get_user_name, command_set_user_password,
	command_test_user_password,
	/* Storage. */
	command_get_fru_area_info, command_read_fru, command_get_sdr_info, command_reserve_sdr,
	command_get_sdr, command_get_sel_info, command_reserve_sel, command_get_sel_entry,
	command_clear_sel, command_get_sel_time, command_get_sel_utc_offset,
	/* LAN. */
	command_get_lan_settings,
	/* Sensors. */
	command_get_sensor_reading, command_get_sensor_thresholds, command_get_sensor_hysteresis,
	command_get_sensor_reading_factors;

/*
 * A completion code other than 00h, in our classes and in words; err has "completion code XXh" as
 * the device's own code. Returns the class.
 */
int completion_error(const struct command *command, uint8_t code, struct pctl_error *err);

#endif
