/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "knobs.h"
#include "server.h"
#include "sim.h"

enum { EXIT_BAD = 2 };

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-bmcsim",
		.count = sim->count,
		.devices = (char *)sim->devices,
		.size = sizeof(*sim->devices),
		.knobs = &knobs_table,
		.json = device_json,
		.json_brief = device_json_brief,
		.json_totals = device_json_totals,
		.json_ready = device_json_ready,
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
	const char *password = sim->options.password;

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
	sim->count = sim->options.devices;
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
	return option_apply_sets(&sim->options.sets, &sim->fleet) ? 0 : -1;
}

static void tear_down(struct sim *sim)
{
	for (uint32_t i = 0; sim->devices && i < sim->count; i++)
		device_done(&sim->devices[i]);
	free(sim->devices);
	crypt_done(&sim->crypt);
	free(sim);
}

static void stop(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++)
		session_free_all(&sim->devices[i]); /* and what they hold open */
	server_stop(sim);
	control_stop(&sim->control);
	if (sim->sigterm.data && !uv_is_closing((uv_handle_t *)&sim->sigterm)) {
		uv_close((uv_handle_t *)&sim->sigterm, NULL);
		uv_close((uv_handle_t *)&sim->sigint, NULL);
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data);
}

static void watch_signals(struct sim *sim)
{
	uv_signal_init(&sim->loop, &sim->sigterm);
	uv_signal_init(&sim->loop, &sim->sigint);
	sim->sigterm.data = sim->sigint.data = sim;
	uv_signal_start(&sim->sigterm, on_signal, SIGTERM);
	uv_signal_start(&sim->sigint, on_signal, SIGINT);
}

static int say_ready(struct sim *sim)
{
	struct buf line;
	size_t done = 0;

	if (sim->options.quiet)
		return 0;
	buf_init(&line, SIZE_MAX);
	device_json_ready(sim, &line);
	while (done < line.n) {
		ssize_t n = write((int)sim->options.ready_fd, line.p + done, line.n - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done < line.n)
		fprintf(stderr, "powerctl-bmcsim: cannot write the ready line\n");

	bool ok = done == line.n;

	buf_done(&line);
	return ok ? 0 : -1;
}

/* Runs until a signal; what was half opened is closed as well. */
static int serve(struct sim *sim)
{
	int r = -1;

	watch_signals(sim);
	if (server_start(sim) == 0 &&
		control_start(&sim->control, &sim->loop, sim->options.control) == 0 &&
		say_ready(sim) == 0)
		r = 0;
	if (r < 0)
		stop(sim);
	uv_run(&sim->loop, UV_RUN_DEFAULT);
	return r;
}

int main(int argc, char **argv)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));
	enum option_result r = options_parse(&sim->options, argc, argv);
	int status = r == OPTION_BAD ? EXIT_BAD : 0;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&sim->loop);
	if (r == OPTION_RUN)
		status = set_up(sim) == 0 && serve(sim) == 0 ? 0 : EXIT_BAD;
	uv_loop_close(&sim->loop);
	tear_down(sim);
	return status;
}
