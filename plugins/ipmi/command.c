/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#define NETFN_CHASSIS   0x00
#define NETFN_SENSOR    0x04
#define NETFN_APP       0x06
#define NETFN_STORAGE   0x0a
#define NETFN_TRANSPORT 0x0c

#define COMMAND(                                                                            \
	the_name, the_netfn, the_cmd, the_privilege, the_least, the_flags, the_completions) \
	{                                                                                   \
		.name = (the_name), .netfn = (the_netfn), .cmd = (the_cmd),                 \
		.privilege = PRIVILEGE_##the_privilege, .least = (the_least),               \
		.flags = (the_flags), .completions = (the_completions),                     \
	}

/* --- Sessions (sections 22.13 to 22.19). ------------------------------------------------------ */

const struct command command_get_channel_auth_capabilities =
	COMMAND("Get Channel Authentication Capabilities", NETFN_APP, 0x38, NONE, 7, 0, NULL);

static const struct completion of_challenge[] = {
	{ 0x81, PCTL_E_AUTH, "user name refused" },
	{ 0x82, PCTL_E_AUTH, "the BMC takes no login without a user name" },
	{ 0 },
};
const struct command command_get_session_challenge =
	COMMAND("Get Session Challenge", NETFN_APP, 0x39, NONE, 20, 0, of_challenge);

static const struct completion of_activate[] = {
	{ 0x81, PCTL_E_BUSY, "the BMC has no room for another session" },
	{ 0x82, PCTL_E_BUSY, "no room for another session of this user" },
	{ 0x83, PCTL_E_BUSY, "no room for another session of that privilege" },
	{ 0x84, PCTL_E_PROTOCOL, "the BMC does not take the sequence number" },
	{ 0x85, PCTL_E_PROTOCOL, "the BMC does not know the session it just opened" },
	{ 0x86, PCTL_E_FORBIDDEN, "the user may not have that privilege" },
	{ 0 },
};
const struct command command_activate_session =
	COMMAND("Activate Session", NETFN_APP, 0x3a, NONE, 10, 0, of_activate);

static const struct completion of_privilege[] = {
	{ 0x80, PCTL_E_FORBIDDEN, "the user may not have that privilege" },
	{ 0x81, PCTL_E_FORBIDDEN, "the channel does not allow that privilege" },
	{ 0x82, PCTL_E_FORBIDDEN, "the privilege cannot be changed in this session" },
	{ 0 },
};
const struct command command_set_session_privilege =
	COMMAND("Set Session Privilege Level", NETFN_APP, 0x3b, USER, 1, 0, of_privilege);

const struct command command_close_session =
	COMMAND("Close Session", NETFN_APP, 0x3c, CALLBACK, 0, 0, NULL);

/* --- Chassis (section 28). -------------------------------------------------------------------- */

const struct command command_get_chassis_status =
	COMMAND("Get Chassis Status", NETFN_CHASSIS, 0x01, USER, 3, 0, NULL);

const struct command command_chassis_control = COMMAND(
	"Chassis Control", NETFN_CHASSIS, 0x02, OPERATOR, 0, COMMAND_CHANGES | COMMAND_ONCE, NULL);

/* On is on, however often it is said. */
const struct command command_chassis_control_on =
	COMMAND("Chassis Control", NETFN_CHASSIS, 0x02, OPERATOR, 0, COMMAND_CHANGES, NULL);

const struct command command_chassis_identify =
	COMMAND("Chassis Identify", NETFN_CHASSIS, 0x04, OPERATOR, 0, COMMAND_CHANGES, NULL);

const struct command command_set_power_restore_policy = COMMAND(
	"Set Power Restore Policy", NETFN_CHASSIS, 0x06, OPERATOR, 1, COMMAND_CHANGES, NULL);

const struct command command_get_restart_cause =
	COMMAND("Get System Restart Cause", NETFN_CHASSIS, 0x07, USER, 2, 0, NULL);

static const struct completion of_boot_options[] = {
	{ 0x80, PCTL_E_UNSUPPORTED, "the BMC does not have this boot parameter" },
	{ 0x81, PCTL_E_BUSY, "somebody else is changing the boot parameters" },
	{ 0x82, PCTL_E_UNSUPPORTED, "this boot parameter cannot be changed" },
	{ 0 },
};
const struct command command_set_boot_options = COMMAND("Set System Boot Options", NETFN_CHASSIS,
	0x08, OPERATOR, 0, COMMAND_CHANGES, of_boot_options);

const struct command command_get_boot_options =
	COMMAND("Get System Boot Options", NETFN_CHASSIS, 0x09, OPERATOR, 2, 0, of_boot_options);

/* --- The BMC (sections 20, 22.14). ------------------------------------------------------------ */

const struct command command_get_device_id =
	COMMAND("Get Device ID", NETFN_APP, 0x01, USER, 11, 0, NULL);

const struct command command_cold_reset =
	COMMAND("Cold Reset", NETFN_APP, 0x02, ADMIN, 0, COMMAND_CHANGES | COMMAND_ONCE, NULL);

const struct command command_warm_reset =
	COMMAND("Warm Reset", NETFN_APP, 0x03, ADMIN, 0, COMMAND_CHANGES | COMMAND_ONCE, NULL);

const struct command command_get_device_guid =
	COMMAND("Get Device GUID", NETFN_APP, 0x08, USER, 16, 0, NULL);

const struct command command_get_system_guid =
	COMMAND("Get System GUID", NETFN_APP, 0x37, USER, 16, 0, NULL);

/* --- Users (sections 22.27 to 22.30). --------------------------------------------------------- */

const struct command command_get_user_access =
	COMMAND("Get User Access", NETFN_APP, 0x44, OPERATOR, 4, 0, NULL);
const struct command command_get_user_name =
	COMMAND("Get User Name", NETFN_APP, 0x46, OPERATOR, 16, 0, NULL);
const struct command command_set_user_password = COMMAND(
	"Set User Password", NETFN_APP, 0x47, ADMIN, 0, COMMAND_CHANGES | COMMAND_PRIVATE, NULL);

static const struct completion of_test[] = {
	{ 0x80, PCTL_E_REFUSED, "the BMC has another password than it was just given" },
	{ 0x81, PCTL_E_REFUSED, "the BMC has a password of another length" },
	{ 0 },
};
/* The same with another operation: it only compares. */
const struct command command_test_user_password =
	COMMAND("Set User Password (test)", NETFN_APP, 0x47, ADMIN, 0, COMMAND_PRIVATE, of_test);

/* --- Storage (sections 31, 33, 34). ----------------------------------------------------------- */

static const struct completion of_storage[] = {
	{ 0x80, PCTL_E_UNSUPPORTED, "the record or operation is not supported" },
	{ 0x81, PCTL_E_BUSY, "the device is busy" },
	{ 0xc5, PCTL_E_BUSY, "the reservation was lost to somebody else" },
	{ 0 },
};

const struct command command_get_fru_area_info =
	COMMAND("Get FRU Inventory Area Info", NETFN_STORAGE, 0x10, USER, 3, 0, NULL);
const struct command command_read_fru =
	COMMAND("Read FRU Data", NETFN_STORAGE, 0x11, USER, 1, 0, of_storage);
const struct command command_get_sdr_info =
	COMMAND("Get SDR Repository Info", NETFN_STORAGE, 0x20, USER, 14, 0, NULL);
const struct command command_reserve_sdr =
	COMMAND("Reserve SDR Repository", NETFN_STORAGE, 0x22, USER, 2, 0, NULL);
const struct command command_get_sdr =
	COMMAND("Get SDR", NETFN_STORAGE, 0x23, USER, 2, 0, of_storage);
const struct command command_get_sel_info =
	COMMAND("Get SEL Info", NETFN_STORAGE, 0x40, USER, 14, 0, NULL);
const struct command command_reserve_sel =
	COMMAND("Reserve SEL", NETFN_STORAGE, 0x42, USER, 2, 0, NULL);

const struct command command_get_sel_time =
	COMMAND("Get SEL Time", NETFN_STORAGE, 0x48, USER, 4, 0, NULL);
const struct command command_get_sel_utc_offset =
	COMMAND("Get SEL Time UTC Offset", NETFN_STORAGE, 0x5c, USER, 2, 0, NULL);

static const struct completion of_sel[] = {
	{ 0x80, PCTL_E_UNSUPPORTED, "not supported by this event log" },
	{ 0x81, PCTL_E_BUSY, "the event log is being erased" },
	{ 0xc5, PCTL_E_BUSY, "the reservation was lost to somebody else" },
	{ 0 },
};
const struct command command_get_sel_entry =
	COMMAND("Get SEL Entry", NETFN_STORAGE, 0x43, USER, 2, 0, of_sel);
const struct command command_clear_sel =
	COMMAND("Clear SEL", NETFN_STORAGE, 0x47, OPERATOR, 1, COMMAND_CHANGES, of_sel);

/* --- LAN (section 23). ------------------------------------------------------------------------ */

static const struct completion of_lan[] = {
	{ 0x80, PCTL_E_UNSUPPORTED, "the BMC does not have this LAN parameter" },
	{ 0 },
};
const struct command command_get_lan_settings =
	COMMAND("Get LAN Configuration Parameters", NETFN_TRANSPORT, 0x02, OPERATOR, 2, 0, of_lan);

/* --- Sensors (section 35). -------------------------------------------------------------------- */

const struct command command_get_sensor_reading_factors =
	COMMAND("Get Sensor Reading Factors", NETFN_SENSOR, 0x23, USER, 7, 0, NULL);
const struct command command_get_sensor_hysteresis =
	COMMAND("Get Sensor Hysteresis", NETFN_SENSOR, 0x25, USER, 2, 0, NULL);
const struct command command_get_sensor_thresholds =
	COMMAND("Get Sensor Thresholds", NETFN_SENSOR, 0x27, USER, 7, 0, NULL);
const struct command command_get_sensor_reading =
	COMMAND("Get Sensor Reading", NETFN_SENSOR, 0x2d, USER, 2, 0, NULL);

/* --- Completion codes (section 5.2). ---------------------------------------------------------- */

static const struct completion generic[] = {
	{ 0xc0, PCTL_E_BUSY, "the BMC is busy" },
	{ 0xc1, PCTL_E_UNSUPPORTED, "the BMC does not know this command" },
	{ 0xc2, PCTL_E_UNSUPPORTED, "the BMC does not know this command here" },
	{ 0xc3, PCTL_E_TIMEOUT, "the BMC ran out of time itself" },
	{ 0xc4, PCTL_E_BUSY, "the BMC is out of room" },
	{ 0xc5, PCTL_E_BUSY, "the reservation was lost to somebody else" },
	{ 0xc6, PCTL_E_REFUSED, "the request was cut" },
	{ 0xc7, PCTL_E_REFUSED, "the request has a wrong length for this BMC" },
	{ 0xc8, PCTL_E_REFUSED, "the request is too long for this BMC" },
	{ 0xc9, PCTL_E_REFUSED, "a parameter is out of range for this BMC" },
	{ 0xca, PCTL_E_REFUSED, "the BMC cannot return that many bytes" },
	{ 0xcb, PCTL_E_UNSUPPORTED, "the BMC does not have that sensor or record" },
	{ 0xcc, PCTL_E_UNSUPPORTED, "the BMC does not take this request" },
	{ 0xcd, PCTL_E_UNSUPPORTED, "not possible for this sensor or record" },
	{ 0xce, PCTL_E_BUSY, "the BMC could not make its answer" },
	{ 0xcf, PCTL_E_BUSY, "the BMC takes the request for one it had" },
	{ 0xd0, PCTL_E_BUSY, "the BMC is updating its sensor records" },
	{ 0xd1, PCTL_E_BUSY, "the BMC's firmware is being updated" },
	{ 0xd2, PCTL_E_BUSY, "the BMC is starting up" },
	{ 0xd3, PCTL_E_REFUSED, "the BMC cannot reach the part that this is for" },
	{ 0xd4, PCTL_E_FORBIDDEN, "the user's privilege is not enough for this" },
	{ 0xd5, PCTL_E_STATE, "not possible in the machine's present state" },
	{ 0xd6, PCTL_E_REFUSED, "this was switched off in the BMC" },
	{ 0xff, PCTL_E_REFUSED, "the BMC refused without a reason" },
	{ 0 },
};

static const struct completion *find(const struct completion *rows, uint8_t code)
{
	for (; rows && rows->text; rows++)
		if (rows->code == code)
			return rows;
	return NULL;
}

int completion_error(const struct command *command, uint8_t code, struct pctl_error *err)
{
	const struct completion *row = find(command->completions, code);

	if (!row)
		row = find(generic, code);
	pctl_error_set(err, row ? row->class : PCTL_E_REFUSED, "%s: %s (completion code %02Xh)",
		command->name, row ? row->text : "the BMC refused", code);
	return pctl_error_device_code(err, "completion code %02Xh", code);
}
