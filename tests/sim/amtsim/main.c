/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "knobs.h"
#include "own_tls.h"
#include "redir_kvm.h"
#include "rmcp.h"
#include "service.h"
#include "sim.h"

enum { BODY_MAX = 64 << 20 };

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

static bool listens(const struct device *dev, bool tls)
{
	return tls || dev->profile->plain;
}

static int start(const struct control *control)
{
	struct sim *sim = control->sim;

	return web_start(&sim->web) < 0 || redir_start(sim) < 0 ? -1 : 0;
}

static void stop(const struct control *control)
{
	web_stop(&control->sim->web);
	redir_stop(control->sim);
}

static void json_ports(const struct control *control, struct buf *out)
{
	web_json_ports(&control->sim->web, out);
	redir_json_ports(control->sim, out);
}

static void describe_web(struct web *web, const struct web_options *options)
{
	web->organization = "Intel(R) Active Management Technology";
	web->options = options;
	web->listens = listens;
	web->refuses = device_asleep;
	web->dress = own_tls_dress;
	web->answer = service_answer;
	web->malformed = service_malformed;
	web->filler = service_filler;
	web->synced = redir_sync;
}

static void describe(struct sim *sim)
{
	sim->fleet = (struct fleet){
		.program = "powerctl-amtsim",
		.options = &sim->options.fleet,
		.size = sizeof(struct device),
		.knobs = &knobs_table,
		.counters = &device_counters,
		.init = device_init,
		.done = device_done,
		.json_identity = device_json_identity,
		.json = device_json,
		.json_brief = device_json_brief,
		.log_size = SIM_LOG,
		.calls = device_calls,
		.json_call = device_json_call,
		.reset_counters = device_reset_counters,
	};
	sim->control.fleet = &sim->fleet;
	web_join(&sim->web, &sim->loop, &sim->fleet);
	sim->fleet.start = start;
	sim->fleet.stop = stop;
	sim->fleet.json_ports = json_ports;
	rmcp_join(sim);
}

static int set_up(struct sim *sim)
{
	describe(sim);
	describe_web(&sim->web, &sim->options.web);
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
	return fleet_make(&sim->fleet, sim);
}

static void tear_down(struct sim *sim)
{
	fleet_done(&sim->fleet);
	kvm_forget(sim);
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

	sim->control.sim = sim;

	int status = fleet_main(
		&sim->control, &sim->loop, options_parse(&sim->options, argc, argv), set_up);

	tear_down(sim);
	return status;
}
