/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conn.h"
#include "device.h"
#include "knobs.h"
#include "server.h"
#include "sim.h"
#include "tls.h"

enum {
	EXIT_BAD = 2,
	BODY_MAX = 64 << 20,
	OUT_MAX = 2 * BODY_MAX,
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

/* A listener or two a device, and the connections. */
static bool raise_limit(const struct sim *sim)
{
	bool shared = !sim->options.fleet.by_port && sim->count > SERVER_SHARED;

	return option_raise_files(
		"powerctl-amtsim", sim->count, 64 + (shared ? 0 : (uint64_t)sim->count * 2));
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
		conn_close_all(sim, &sim->devices[n - 1]);
	buf_text(job->out, "{\"ok\":true}\n");
}

static const struct control_route routes[] = {
	{ "POST", "/hangup/", true, hang_up, "N, N-M or all: closes their connections" },
};

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
		.start = server_start,
		.stop = server_stop,
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
	for (uint32_t i = 0; i < sim->count; i++)
		device_init(&sim->devices[i], sim, i + 1);
	describe(sim);
	return option_apply_sets(&sim->fleet) ? 0 : -1;
}

static int set_up(struct sim *sim)
{
	sim->count = sim->options.fleet.devices;
	sim->doc = xml_doc_new();
	sim->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sim->md = EVP_MD_CTX_new();
	buf_init(&sim->body, BODY_MAX);
	buf_init(&sim->out, OUT_MAX);
	if (!sim->md5 || !sim->md || RAND_bytes(sim->secret, sizeof(sim->secret)) != 1) {
		fprintf(stderr, "powerctl-amtsim: no MD5 or no randomness here\n");
		return -1;
	}
	if (check_words(&sim->options) < 0 || !raise_limit(sim) || tls_setup(sim) < 0)
		return -1;
	return make_devices(sim);
}

static void tear_down(struct sim *sim)
{
	for (uint32_t i = 0; sim->devices && i < sim->count; i++)
		device_done(&sim->devices[i]);
	free(sim->devices);
	tls_teardown(sim);
	xml_doc_free(sim->doc);
	EVP_MD_free(sim->md5);
	EVP_MD_CTX_free(sim->md);
	buf_done(&sim->body);
	buf_done(&sim->out);
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
