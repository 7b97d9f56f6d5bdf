/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of chassis commands (IPMI 2.0 section 28). Pure, no I/O. */
#ifndef POWERCTL_IPMI_CHASSIS_H
#define POWERCTL_IPMI_CHASSIS_H

#include <powerctl/value.h>

/* Set Power Restore Policy's numbers (table 28-8), and those that Get Chassis Status has. */
enum chassis_policy {
	CHASSIS_ALWAYS_OFF,
	CHASSIS_PREVIOUS,
	CHASSIS_ALWAYS_ON,
	CHASSIS_NO_CHANGE, /* only tells what can be set; as a status: unknown */
};
/* NULL for what is none. */
const char *chassis_policy_name(unsigned policy);

/* Byte 2 of Get Chassis Status: what last changed the power, or NULL. */
struct pctl_value *chassis_last_events(uint8_t bits);

/* Table 28-11. NULL for what is not known. */
const char *chassis_restart_cause(unsigned cause);

#endif
