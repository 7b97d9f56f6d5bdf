/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "knobs.h"
#include "service.h"
#include "sim.h"
#include "web_conn.h"

enum { EXIT_BAD = 2 };

void sim_time(uint64_t ago, char *out)
{
	time_t at = time(NULL) - (time_t)ago;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%S+00:00", &tm);
}

static int check_words(const struct options *o)
{
	enum power_state state;

	if (!profile_find(str_of(o->profile))) {
		fprintf(stderr, "powerctl-redfishsim: no profile '%s': %s\n", o->profile,
			profile_names());
		return -1;
	}
	if (!power_of_word(str_of(o->fleet.state), &state)) {
		fprintf(stderr, "powerctl-redfishsim: no state '%s': on, off or paused\n",
			o->fleet.state);
		return -1;
	}
	return 0;
}

/* Hangs up on every client of the chosen devices. */
static void hang_up(struct control_job *job)
{
	struct sim *sim = job->control->sim;
	uint32_t first, last;

	if (!control_devices(job, &first, &last))
		return;
	for (uint32_t n = first; n <= last; n++)
		conn_close_all(&sim->web, &sim->devices[n - 1].web);
	buf_text(job->out, "{\"ok\":true}\n");
}

static const struct control_route routes[] = {
	{ "POST", "/hangup/", true, hang_up, "N, N-M or all: closes their connections" },
};

static bool listens(const struct device *dev, bool tls)
{
	(void)tls;
	return !dev->gone;
}

static void tick(struct web *web)
{
	struct sim *sim = web->first->dev->sim;

	for (uint32_t i = 0; i < sim->count; i++)
		device_tick(&sim->devices[i]);
}

static int start(struct sim *sim)
{
	return web_start(&sim->web);
}

static void stop(struct sim *sim)
{
	web_stop(&sim->web);
}

static void describe_web(struct sim *sim)
{
	struct web *web = &sim->web;

	web->program = "powerctl-redfishsim";
	web->organization = "powerctl stand-in";
	web->loop = &sim->loop;
	web->fleet = &sim->options.fleet;
	web->options = &sim->options.web;
	web->stride = sizeof(*sim->devices);
	web->count = sim->count;
	web->listens = listens;
	web->tick = tick;
	web->answer = service_answer;
	web->malformed = service_malformed;
	web->filler = service_filler;
}

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-redfishsim",
		.options = &sim->options.fleet,
		.count = sim->count,
		.devices = (char *)sim->devices,
		.size = sizeof(*sim->devices),
		.knobs = &knobs_table,
		.counters = &device_counters,
		.start = start,
		.stop = stop,
		.json_identity = device_json_identity,
		.json_ports = device_json_ports,
		.json = device_json,
		.json_brief = device_json_brief,
		.reset_counters = device_reset_counters,
		.routes = routes,
		.nroutes = COUNT(routes),
	};
	sim->control.fleet = &sim->fleet;
	sim->control.sim = sim;
}

static int set_up(struct sim *sim)
{
	sim->count = sim->options.fleet.devices;
	describe_web(sim);
	if (check_words(&sim->options) < 0 || !web_raise_files(&sim->web) ||
		web_setup(&sim->web) < 0)
		return -1;
	sim->devices = xcalloc(sim->count, sizeof(*sim->devices));
	sim->web.first = &sim->devices[0].web;
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
	web_teardown(&sim->web);
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
