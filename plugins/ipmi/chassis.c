/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chassis.h"

const char *chassis_policy_name(unsigned policy)
{
	static const char *const names[] = {
		[CHASSIS_ALWAYS_OFF] = "always-off",
		[CHASSIS_PREVIOUS] = "previous",
		[CHASSIS_ALWAYS_ON] = "always-on",
	};

	return policy < sizeof(names) / sizeof(names[0]) ? names[policy] : NULL;
}

struct pctl_value *chassis_last_events(uint8_t bits)
{
	static const char *const names[] = { "mains lost", "overload", "interlock", "power fault",
		"turned on by IPMI" };
	struct pctl_value *list = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(bits >> i & 1))
			continue;
		if (!list)
			list = pctl_value_new_list();
		pctl_value_add(list, pctl_value_new_text(names[i]));
	}
	return list;
}

const char *chassis_restart_cause(unsigned cause)
{
	static const char *const names[] = {
		[1] = "chassis control",
		[2] = "reset button",
		[3] = "power button",
		[4] = "watchdog",
		[5] = "OEM",
		[6] = "power restored: always-on",
		[7] = "power restored: previous",
		[8] = "event filter: reset",
		[9] = "event filter: power cycle",
		[10] = "soft reset",
		[11] = "real-time clock",
	};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : NULL;
}
