/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "knobs.h"
#include "server.h"
#include "sim.h"

static int start(const struct control *control)
{
	return server_start(control->sim);
}

static void stop(const struct control *control)
{
	struct sim *sim = control->sim;

	for (uint32_t i = 0; i < sim->count; i++)
		session_free_all(&sim->devices[i]); /* and what they hold open */
	server_stop(sim);
}

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-bmcsim",
		.options = &sim->options.fleet,
		.size = sizeof(*sim->devices),
		.knobs = &knobs_table,
		.counters = &device_counters,
		.init = device_init,
		.done = device_done,
		.start = start,
		.stop = stop,
		.json_identity = device_json_identity,
		.json_ports = device_json_ports,
		.json = device_json,
		.json_brief = device_json_brief,
		.log_size = SIM_LOG,
		.calls = device_calls,
		.json_call = device_json_call,
		.reset_counters = device_reset_counters,
	};
	sim->control.fleet = &sim->fleet;
}

static void make_users(struct sim *sim)
{
	static const struct {
		const char *name;
		uint8_t privilege;
	} accounts[] = {
		{ "admin", PRIV_ADMIN },
		{ "operator", PRIV_OPERATOR },
		{ "user", PRIV_USER },
	};
	const char *password = sim->options.fleet.password;

	for (size_t i = 0; i < COUNT(accounts); i++) {
		struct user *u = &sim->users.user[sim->users.count++];

		str_copy(str_of(accounts[i].name), u->name, sizeof(u->name));
		u->privilege = accounts[i].privilege;
		u->password_n = (uint8_t)strlen(password);
		memcpy(u->password, password, u->password_n);
	}
}

static int set_up(struct sim *sim)
{
	sim->count = sim->options.fleet.devices;
	if (!crypt_init(&sim->crypt)) {
		fprintf(stderr, "powerctl-bmcsim: no MD5, SHA or AES, or no randomness here\n");
		return -1;
	}
	if (!option_raise_files("powerctl-bmcsim", sim->count, 64 + (uint64_t)sim->count))
		return -1;
	make_users(sim);
	describe(sim);
	if (fleet_make(&sim->fleet, sim) < 0)
		return -1;
	sim->devices = fleet_device(&sim->fleet, 0);
	return 0;
}

static void tear_down(struct sim *sim)
{
	fleet_done(&sim->fleet);
	crypt_done(&sim->crypt);
	free(sim);
}

int main(int argc, char **argv)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));

	sim->control.sim = sim;

	int status = fleet_main(
		&sim->control, &sim->loop, options_parse(&sim->options, argc, argv), set_up);

	tear_down(sim);
	return status;
}
