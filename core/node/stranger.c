/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that nobody has named: settings without a login, and nothing remembered. */
#include <netinet/in.h>
#include <string.h>

#include "node/core.h"

#define LIMIT_MS  ((uint64_t)3000)
#define ANSWER_MS ((uint64_t)5000)

/* What a driver takes for a connection, where it says nothing of finding. */
static uint64_t limit_of(const struct pctl_driver *driver)
{
	if (driver->discover->limit_ms)
		return driver->discover->limit_ms;
	return driver->connect_ms ? driver->connect_ms : LIMIT_MS;
}

int pctl_target_init_stranger(struct pctl_target *target, struct pctl_core *core,
	struct pctl_loaded *loaded, struct pctl_value *take_map, struct pctl_problems *problems)
{
	const struct pctl_settings_context context = {
		.node = loaded->name, .problems = problems, .no_login = true
	};

	*target = (struct pctl_target){ .core = core,
		.name = loaded->name,
		.map = take_map,
		.loaded = loaded,
		.address = "",
		.dialer = &pctl_dial_direct,
		.connect_ms = limit_of(loaded->driver),
		.answer_ms = ANSWER_MS };
	int r = pctl_settings_read(
		&target->settings, loaded->driver->properties, target->map, &context);
	int e = pctl_settings_check_keys(&target->settings, loaded->name, target->map, &context);
	return r < 0 ? r : e;
}

void pctl_stranger_init(struct pctl_target *target, struct pctl_device *device,
	const struct pctl_target *any, const char *address, const struct sockaddr *addr)
{
	*target = *any;
	target->shared = true;
	target->name = target->address = address;
	*device = (struct pctl_device){ .target = target, .stranger = true };
	pctl_device_set_address(device, addr);
}
