/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "knobs.h"
#include "service.h"
#include "sim.h"
#include "web_conn.h"

enum {
	EXIT_BAD = 2,
	BODY_MAX = 64 << 20,
};

const char *sim_date(struct sim *sim)
{
	uint64_t second = sim_now(sim) / 1000 + 1;

	if (sim->date_at != second) {
		time_t now = time(NULL);
		struct tm tm;

		sim->date_at = second;
		gmtime_r(&now, &tm);
		strftime(sim->date, sizeof(sim->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return sim->date;
}

static int check_words(const struct options *o)
{
	if (!profile_find(o->profile)) {
		fprintf(stderr, "powerctl-amtsim: no profile '%s': %s\n", o->profile,
			profile_names());
		return -1;
	}
	if (!power_of_word(o->fleet.state)) {
		fprintf(stderr,
			"powerctl-amtsim: no state '%s': on, off, sleep, hibernate or a number\n",
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
	return tls || dev->profile->plain;
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

	web->program = "powerctl-amtsim";
	web->organization = "Intel(R) Active Management Technology";
	web->loop = &sim->loop;
	web->fleet = &sim->options.fleet;
	web->options = &sim->options.web;
	web->stride = sizeof(*sim->devices);
	web->count = sim->count;
	web->listens = listens;
	web->refuses = device_asleep;
	web->answer = service_answer;
	web->malformed = service_malformed;
	web->filler = service_filler;
}

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-amtsim",
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

static int make_devices(struct sim *sim)
{
	sim->devices = xcalloc(sim->count, sizeof(*sim->devices));
	sim->web.first = &sim->devices[0].web;
	for (uint32_t i = 0; i < sim->count; i++)
		device_init(&sim->devices[i], sim, i + 1);
	describe(sim);
	return option_apply_sets(&sim->fleet) ? 0 : -1;
}

static int set_up(struct sim *sim)
{
	sim->count = sim->options.fleet.devices;
	describe_web(sim);
	sim->doc = xml_doc_new();
	sim->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sim->md = EVP_MD_CTX_new();
	buf_init(&sim->body, BODY_MAX);
	if (!sim->md5 || !sim->md || RAND_bytes(sim->secret, sizeof(sim->secret)) != 1) {
		fprintf(stderr, "powerctl-amtsim: no MD5 or no randomness here\n");
		return -1;
	}
	if (check_words(&sim->options) < 0 || !web_raise_files(&sim->web) ||
		web_setup(&sim->web) < 0)
		return -1;
	return make_devices(sim);
}

static void tear_down(struct sim *sim)
{
	for (uint32_t i = 0; sim->devices && i < sim->count; i++)
		device_done(&sim->devices[i]);
	free(sim->devices);
	web_teardown(&sim->web);
	xml_doc_free(sim->doc);
	EVP_MD_free(sim->md5);
	EVP_MD_CTX_free(sim->md);
	buf_done(&sim->body);
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
