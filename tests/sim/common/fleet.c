/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "json.h"

/* In a larger fleet the ready line has the first device only, and a list of ports. */
enum { READY_DEVICES = 100, EXIT_BAD = 2 };

int fleet_make(struct fleet *fleet, struct sim *sim)
{
	fleet->count = fleet->options->devices;
	fleet->devices = xcalloc(fleet->count, fleet->size);
	for (uint32_t i = 0; i < fleet->count; i++)
		fleet->init(fleet_device(fleet, i), sim, i + 1);
	return option_apply_sets(fleet) ? 0 : -1;
}

void fleet_done(struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->count; i++)
		fleet->done(fleet_device(fleet, i));
	free(fleet->devices);
	fleet->devices = NULL;
	fleet->count = 0;
}

struct device *fleet_device(const struct fleet *fleet, uint32_t index)
{
	return (struct device *)(void *)(fleet->devices + fleet->size * index);
}

static void identity(const struct fleet *fleet, uint32_t index, struct buf *out)
{
	json_member_number(out, "n", index + 1);
	fleet->json_identity(fleet_device(fleet, index), out);
}

static void json_log(const struct fleet *fleet, const struct device *dev, struct buf *out)
{
	uint32_t calls = fleet->calls(dev);
	uint32_t from = calls > fleet->log_size ? calls - fleet->log_size : 0;

	json_member_number(out, "calls", calls);
	json_member(out, "log");
	buf_char(out, '[');
	for (uint32_t i = from; i < calls; i++) {
		buf_text(out, i > from ? "," : "");
		fleet->json_call(dev, i % fleet->log_size, out);
	}
	buf_char(out, ']');
}

void fleet_json_device(const struct fleet *fleet, uint32_t index, struct buf *out)
{
	struct device *dev = fleet_device(fleet, index);

	buf_char(out, '{');
	identity(fleet, index, out);
	fleet->json(dev, out);
	json_member(out, "counters");
	counter_json(fleet->counters, dev, out);
	json_log(fleet, dev, out);
	json_member(out, "knobs");
	knob_json(fleet->knobs, dev, out);
	buf_char(out, '}');
}

void fleet_json_brief(const struct fleet *fleet, uint32_t index, struct buf *out)
{
	buf_char(out, '{');
	json_member_number(out, "n", index + 1);
	fleet->json_brief(fleet_device(fleet, index), out);
	buf_char(out, '}');
}

void fleet_json_ready(const struct control *control, struct buf *out)
{
	const struct fleet *fleet = control->fleet;
	bool all = fleet->count <= READY_DEVICES;

	buf_char(out, '{');
	json_member_number(out, "control", control->port);
	json_member_number(out, "count", fleet->count);
	json_member(out, "devices");
	buf_char(out, '[');
	for (uint32_t i = 0; i < (all ? fleet->count : 1); i++) {
		buf_text(out, i ? ",{" : "{");
		identity(fleet, i, out);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	if (!all && fleet->options->by_port)
		fleet->json_ports(control, out);
	buf_text(out, "}\n");
}

static int say_ready(const struct control *control)
{
	const struct fleet *fleet = control->fleet;
	struct buf line;
	size_t done = 0;

	if (fleet->options->quiet)
		return 0;
	buf_init(&line, SIZE_MAX);
	fleet_json_ready(control, &line);
	while (done < line.n) {
		ssize_t n = write((int)fleet->options->ready_fd, line.p + done, line.n - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done < line.n)
		fprintf(stderr, "%s: cannot write the ready line\n", fleet->program);

	bool ok = done == line.n;

	buf_done(&line);
	return ok ? 0 : -1;
}

struct serving {
	struct control *control;
	uv_signal_t sigterm;
	uv_signal_t sigint;
};

static void stop(struct serving *s)
{
	s->control->fleet->stop(s->control);
	control_stop(s->control);
	if (!uv_is_closing((uv_handle_t *)&s->sigterm)) {
		uv_close((uv_handle_t *)&s->sigterm, NULL);
		uv_close((uv_handle_t *)&s->sigint, NULL);
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data);
}

static void watch_signals(struct serving *s, uv_loop_t *loop)
{
	uv_signal_init(loop, &s->sigterm);
	uv_signal_init(loop, &s->sigint);
	s->sigterm.data = s->sigint.data = s;
	uv_signal_start(&s->sigterm, on_signal, SIGTERM);
	uv_signal_start(&s->sigint, on_signal, SIGINT);
}

int fleet_serve(struct control *control, uv_loop_t *loop)
{
	const struct fleet *fleet = control->fleet;
	struct serving s = { .control = control };
	int r = -1;

	signal(SIGPIPE, SIG_IGN);
	watch_signals(&s, loop);
	if (fleet->start(control) == 0 &&
		control_start(control, loop, fleet->options->control) == 0 &&
		say_ready(control) == 0)
		r = 0;
	if (r < 0)
		stop(&s);
	uv_run(loop, UV_RUN_DEFAULT); /* what was half opened is closed as well */
	return r;
}

int fleet_main(struct control *control, uv_loop_t *loop, enum option_result parsed,
	int (*set_up)(struct sim *sim))
{
	int status = parsed == OPTION_BAD ? EXIT_BAD : 0;

	uv_loop_init(loop);
	if (parsed == OPTION_RUN && (set_up(control->sim) < 0 || fleet_serve(control, loop) < 0))
		status = EXIT_BAD;
	uv_loop_close(loop);
	return status;
}
