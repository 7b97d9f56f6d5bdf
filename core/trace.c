/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "method.h"
#include "op.h"

struct tracer {
	struct pctl_driver outer; /* first: what the core sees */
	const struct pctl_driver *inner;
	struct pctl_power_if power;
	struct pctl_boot_if boot;
	struct pctl_inspect_if inspect;
	struct pctl_identify_if identify;
	struct pctl_console_if console;
	struct pctl_log_if log;
	struct pctl_sensors_if sensors;
	struct pctl_method *methods;
};

/* The wrapper's ctx and dev: each knows where the inner one's are. */
struct trace_ctx {
	const struct tracer *tracer;
	void *ctx;
	pctl_closed_fn *closed;
	void *closed_data;
};

struct trace_dev {
	const struct tracer *tracer;
	struct pctl_device *device;
	void *dev;
	pctl_closed_fn *closed;
	void *closed_data;
};

struct watch {
	struct trace_dev *dev;
	char what[48];
	uint64_t started;
	const struct pctl_power *power; /* what get was to fill in, or NULL */
};

static void on_result(struct pctl_op *op, const struct pctl_error *result)
{
	struct watch *w = op->watch_data;
	uint64_t ms = (uv_hrtime() - w->started) / 1000000;
	const char *state = w->power ? pctl_power_state_name(w->power->state) : NULL;

	if (result->code)
		pctl_log(PCTL_LOG_TRACE, w->dev->device, "%s: %s: %s%s%s%s (%" PRIu64 " ms)",
			w->what, pctl_error_name(result->code), result->text,
			*result->device_code ? " [" : "", result->device_code,
			*result->device_code ? "]" : "", ms);
	else
		pctl_log(PCTL_LOG_TRACE, w->dev->device, "%s: %s (%" PRIu64 " ms)", w->what,
			state ? state : "done", ms);
	free(w);
}

static struct watch *watch(
	struct trace_dev *dev, struct pctl_op *op, const char *what, const char *arg)
{
	struct watch *w = pctl_xcalloc(1, sizeof(*w));

	w->dev = dev;
	w->started = uv_hrtime();
	(void)snprintf(w->what, sizeof(w->what), "%s%s%s", what, arg ? " " : "", arg ? arg : "");
	pctl_log(PCTL_LOG_TRACE, dev->device, "%s ...", w->what);
	pctl_op_watch(op, on_result, w);
	return w;
}

static void power_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "power.get", flags & PCTL_GET_CONFIRM ? "confirm" : NULL)->power = ret;
	dev->tracer->inner->power->get(dev->dev, op, flags, ret);
}

static void power_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct trace_dev *dev = data;

	watch(dev, op, "power.act", pctl_action_name(action));
	dev->tracer->inner->power->act(dev->dev, op, action);
}

static void boot_set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	struct trace_dev *dev = data;

	watch(dev, op, "boot.set", pctl_boot_device_name(boot->device));
	dev->tracer->inner->boot->set(dev->dev, op, boot);
}

static void boot_get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "boot.get", NULL);
	dev->tracer->inner->boot->get(dev->dev, op, ret);
}

static void inspect_info(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "inspect.info", NULL);
	dev->tracer->inner->inspect->info(dev->dev, op, ret);
}

static void inspect_hardware(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "inspect.hardware", NULL);
	dev->tracer->inner->inspect->hardware(dev->dev, op, ret);
}

static void identify_set(void *data, struct pctl_op *op, bool on)
{
	struct trace_dev *dev = data;

	watch(dev, op, "identify.set", on ? "on" : "off");
	dev->tracer->inner->identify->set(dev->dev, op, on);
}

static void console_open(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct trace_dev *dev = data;

	watch(dev, op, "console.open", flags & PCTL_CONSOLE_STEAL ? "steal" : NULL);
	dev->tracer->inner->console->open(dev->dev, op, flags, ret_session);
}

static void log_read(void *data, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "log.read", after ? "after" : NULL);
	dev->tracer->inner->log->read(dev->dev, op, after, ret);
}

static void log_clear(void *data, struct pctl_op *op)
{
	struct trace_dev *dev = data;

	watch(dev, op, "log.clear", NULL);
	dev->tracer->inner->log->clear(dev->dev, op);
}

static void sensors_read(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct trace_dev *dev = data;

	watch(dev, op, "sensors.read", NULL);
	dev->tracer->inner->sensors->read(dev->dev, op, ret);
}

static void method_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct trace_dev *dev = data;
	const struct pctl_driver *inner = dev->tracer->inner;

	watch(dev, op, "method", args->method->name);
	pctl_method_find(inner, args->method->name)->run(dev->dev, op, args, ret);
}

static struct pctl_method *wrap_methods(const struct pctl_method *inner)
{
	size_t n = 0;

	while (inner[n].name)
		n++;
	struct pctl_method *methods = pctl_xcalloc(n + 1, sizeof(*methods));
	for (size_t i = 0; i < n; i++) {
		methods[i] = inner[i];
		methods[i].run = method_run;
	}
	return methods;
}

static void on_dev_closed(void *data)
{
	struct trace_dev *dev = data;
	pctl_closed_fn *closed = dev->closed;
	void *closed_data = dev->closed_data;

	free(dev);
	closed(closed_data);
}

static int trace_open(
	void *data, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct trace_ctx *ctx = data;
	struct trace_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	*dev = (struct trace_dev){ .tracer = ctx->tracer, .device = device };
	int r = ctx->tracer->inner->open(ctx->ctx, device, &dev->dev, err);
	if (r < 0) {
		free(dev);
		return r;
	}
	*ret_dev = dev;
	return 0;
}

static void trace_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct trace_dev *dev = data;

	dev->closed = closed;
	dev->closed_data = closed_data;
	dev->tracer->inner->close(dev->dev, on_dev_closed, dev);
}

static void trace_idle(void *data)
{
	struct trace_dev *dev = data;

	if (dev->tracer->inner->idle)
		dev->tracer->inner->idle(dev->dev);
}

static void on_ctx_stopped(void *data)
{
	struct trace_ctx *ctx = data;
	pctl_closed_fn *closed = ctx->closed;
	void *closed_data = ctx->closed_data;

	free(ctx);
	closed(closed_data);
}

static void trace_stop(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct trace_ctx *ctx = data;

	ctx->closed = closed;
	ctx->closed_data = closed_data;
	if (ctx->tracer->inner->stop)
		ctx->tracer->inner->stop(ctx->ctx, on_ctx_stopped, ctx);
	else
		on_ctx_stopped(ctx);
}

/* start() gets no context that would say which wrapper it belongs to: pctl_trace_start() knows. */
int pctl_trace_start(const struct pctl_driver *wrapper, struct pctl_core *core, uv_loop_t *loop,
	void **ret_ctx, struct pctl_error *err)
{
	const struct tracer *tracer = (const struct tracer *)(const void *)wrapper;
	struct trace_ctx *ctx = pctl_xcalloc(1, sizeof(*ctx));

	ctx->tracer = tracer;
	int r = tracer->inner->start ? tracer->inner->start(core, loop, &ctx->ctx, err) : 0;
	if (r < 0) {
		free(ctx);
		return r;
	}
	*ret_ctx = ctx;
	return 0;
}

static void wrap_reads(struct tracer *t, const struct pctl_driver *inner)
{
	if (inner->log) {
		t->log = *inner->log;
		t->log.read = log_read;
		t->log.clear = inner->log->clear ? log_clear : NULL;
		t->outer.log = &t->log;
	}
	if (inner->sensors) {
		t->sensors = *inner->sensors;
		t->sensors.read = sensors_read;
		t->outer.sensors = &t->sensors;
	}
	if (inner->methods)
		t->outer.methods = t->methods = wrap_methods(inner->methods);
}

const struct pctl_driver *pctl_trace_new(const struct pctl_driver *inner)
{
	struct tracer *t = pctl_xcalloc(1, sizeof(*t));

	t->inner = inner;
	t->outer = *inner;
	t->outer.open = trace_open;
	t->outer.close = trace_close;
	t->outer.idle = trace_idle;
	t->outer.stop = trace_stop;
	if (inner->power) {
		t->power = *inner->power;
		t->power.get = power_get;
		t->power.act = power_act;
		t->outer.power = &t->power;
	}
	if (inner->boot) {
		t->boot = *inner->boot;
		t->boot.set = boot_set;
		t->boot.get = inner->boot->get ? boot_get : NULL;
		t->outer.boot = &t->boot;
	}
	if (inner->inspect) {
		t->inspect = *inner->inspect;
		t->inspect.info = inner->inspect->info ? inspect_info : NULL;
		t->inspect.hardware = inner->inspect->hardware ? inspect_hardware : NULL;
		t->outer.inspect = &t->inspect;
	}
	if (inner->identify) {
		t->identify = *inner->identify;
		t->identify.set = identify_set;
		t->outer.identify = &t->identify;
	}
	if (inner->console) {
		t->console = *inner->console;
		t->console.open = console_open;
		t->outer.console = &t->console;
	}
	wrap_reads(t, inner);
	return &t->outer;
}

void pctl_trace_free(const struct pctl_driver *wrapper)
{
	struct tracer *t = pctl_container_of((void *)(uintptr_t)wrapper, struct tracer, outer);

	free(t->methods);
	free(t);
}
