/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
	bool shared = !sim->options.by_port && sim->count > SERVER_SHARED;

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
	if (!power_of_word(o->state)) {
		fprintf(stderr,
			"powerctl-amtsim: no state '%s': on, off, sleep, hibernate or a number\n",
			o->state);
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
		.count = sim->count,
		.devices = (char *)sim->devices,
		.size = sizeof(*sim->devices),
		.knobs = &knobs_table,
		.json = device_json,
		.json_brief = device_json_brief,
		.json_totals = device_json_totals,
		.json_ready = device_json_ready,
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
	return option_apply_sets(&sim->options.sets, &sim->fleet) ? 0 : -1;
}

static int set_up(struct sim *sim)
{
	sim->count = sim->options.devices;
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

static void stop(struct sim *sim)
{
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
		fprintf(stderr, "powerctl-amtsim: cannot write the ready line\n");

	bool ok = done == line.n;

	buf_done(&line);
	return ok ? 0 : -1;
}

/* Runs until a signal; what was half opened is closed as well. */
static int serve(struct sim *sim)
{
	int r = -1;

	uv_loop_init(&sim->loop);
	watch_signals(sim);
	if (server_start(sim) == 0 &&
		control_start(&sim->control, &sim->loop, sim->options.control) == 0 &&
		say_ready(sim) == 0)
		r = 0;
	if (r < 0)
		stop(sim);
	uv_run(&sim->loop, UV_RUN_DEFAULT);
	uv_loop_close(&sim->loop);
	return r;
}

int main(int argc, char **argv)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));
	enum option_result r = options_parse(&sim->options, argc, argv);
	int status = r == OPTION_BAD ? EXIT_BAD : 0;

	signal(SIGPIPE, SIG_IGN);
	if (r == OPTION_RUN)
		status = set_up(sim) == 0 && serve(sim) == 0 ? 0 : EXIT_BAD;
	tear_down(sim);
	return status;
}
