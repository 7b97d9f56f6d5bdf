/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "knobs.h"
#include "server.h"
#include "sim.h"

enum { EXIT_BAD = 2 };

static void stop(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++)
		session_free_all(&sim->devices[i]); /* and what they hold open */
	server_stop(sim);
}

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-bmcsim",
		.options = &sim->options.fleet,
		.count = sim->count,
		.devices = (char *)sim->devices,
		.size = sizeof(*sim->devices),
		.knobs = &knobs_table,
		.counters = &device_counters,
		.start = server_start,
		.stop = stop,
		.json_identity = device_json_identity,
		.json_ports = device_json_ports,
		.json = device_json,
		.json_brief = device_json_brief,
		.reset_counters = device_reset_counters,
	};
	sim->control.fleet = &sim->fleet;
	sim->control.sim = sim;
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
	sim->devices = xcalloc(sim->count, sizeof(*sim->devices));
	for (uint32_t i = 0; i < sim->count; i++)
		device_init(&sim->devices[i], sim, i + 1);
	describe(sim);
	return option_apply_sets(&sim->fleet) ? 0 : -1;
}

static void tear_down(struct sim *sim)
{
	for (uint32_t i = 0; sim->devices && i < sim->count; i++)
		device_done(&sim->devices[i]);
	free(sim->devices);
	crypt_done(&sim->crypt);
	free(sim);
}

int main(int argc, char **argv)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));
	enum option_result r = options_parse(&sim->options, argc, argv);
	int status = r == OPTION_BAD ? EXIT_BAD : 0;

	uv_loop_init(&sim->loop);
	if (r == OPTION_RUN)
		status = set_up(sim) == 0 && fleet_serve(&sim->control, &sim->loop) == 0 ? 0
											 : EXIT_BAD;
	uv_loop_close(&sim->loop);
	tear_down(sim);
	return status;
}
