/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "knobs.h"
#include "service.h"
#include "sim.h"

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

static bool listens(const struct device *dev, bool tls)
{
	(void)tls;
	return !dev->gone;
}

static void tick(struct web *web)
{
	for (uint32_t i = 0; i < web->count; i++)
		device_tick(web_at(web, i)->dev);
}

static void describe_web(struct web *web, const struct web_options *options)
{
	web->organization = "powerctl stand-in";
	web->options = options;
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
		.size = sizeof(struct device),
		.knobs = &knobs_table,
		.counters = &device_counters,
		.init = device_init,
		.done = device_done,
		.json_identity = device_json_identity,
		.json = device_json,
		.json_brief = device_json_brief,
		.log_size = SIM_CALLS,
		.calls = device_calls,
		.json_call = device_json_call,
		.reset_counters = device_reset_counters,
	};
	sim->control.fleet = &sim->fleet;
	web_join(&sim->web, &sim->loop, &sim->fleet);
}

static int set_up(struct sim *sim)
{
	describe(sim);
	describe_web(&sim->web, &sim->options.web);
	if (check_words(&sim->options) < 0 || !web_raise_files(&sim->web) ||
		web_setup(&sim->web) < 0)
		return -1;
	return fleet_make(&sim->fleet, sim);
}

static void tear_down(struct sim *sim)
{
	fleet_done(&sim->fleet);
	web_teardown(&sim->web);
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
