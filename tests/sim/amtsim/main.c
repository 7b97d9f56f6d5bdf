/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
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

/* As many descriptors as we may have: a listener or two a device, and the connections. */
static int raise_limit(const struct sim *sim)
{
	struct rlimit limit;
	bool shared = !sim->options.by_port && sim->count > SERVER_SHARED;
	rlim_t need = 64 + (shared ? 0 : (rlim_t)sim->count * 2);

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= need)
		return 0;
	fprintf(stderr,
		"powerctl-amtsim: %u devices need %llu descriptors, the limit is %llu (ulimit "
		"-n)\n",
		sim->count, (unsigned long long)need, (unsigned long long)limit.rlim_cur);
	return -1;
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

/* One --set: DEV:KNOB=VALUE */
static int apply_set(struct sim *sim, const char *text)
{
	struct str rest = str_of(text), devices;
	char why[KNOB_WHY];
	uint32_t first, last;

	if (!str_split(&rest, ':', &devices) || !rest.p ||
		!knobs_devices(sim, devices, &first, &last)) {
		fprintf(stderr,
			"powerctl-amtsim: --set wants DEV:KNOB=VALUE with DEV 1 to %u, 3-5 or all, "
			"not '%s'\n",
			sim->count, text);
		return -1;
	}
	for (uint32_t n = first; n <= last; n++)
		if (!knobs_set_text(&sim->devices[n - 1], rest, why)) {
			fprintf(stderr, "powerctl-amtsim: --set %s: %s\n", text, why);
			return -1;
		}
	return 0;
}

static int make_devices(struct sim *sim)
{
	sim->devices = xcalloc(sim->count, sizeof(*sim->devices));
	for (uint32_t i = 0; i < sim->count; i++)
		device_init(&sim->devices[i], sim, i + 1);
	for (size_t i = 0; i < sim->options.nsets; i++)
		if (apply_set(sim, sim->options.sets[i]) < 0)
			return -1;
	return 0;
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
	if (check_words(&sim->options) < 0 || raise_limit(sim) < 0 || tls_setup(sim) < 0)
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
	control_stop(sim);
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
	if (server_start(sim) == 0 && control_start(sim) == 0 && say_ready(sim) == 0)
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
	enum options_result r = options_parse(&sim->options, argc, argv);
	int status = r == OPTIONS_BAD ? EXIT_BAD : 0;

	signal(SIGPIPE, SIG_IGN);
	if (r == OPTIONS_RUN)
		status = set_up(sim) == 0 && serve(sim) == 0 ? 0 : EXIT_BAD;
	tear_down(sim);
	return status;
}
