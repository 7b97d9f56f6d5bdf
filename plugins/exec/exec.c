/* SPDX-License-Identifier: Apache-2.0 */
/* exec: a driver that is a program in any language, with JSON on its standard input and output. */
#include <stdlib.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/program.h>

#include "answer.h"
#include "request.h"

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "program", .type = PCTL_TYPE_FILE,
		.flags = PCTL_PROPERTY_SELECTOR | PCTL_PROPERTY_REQUIRED,
		.help = "the executable that speaks with the device; it says which settings it "
			"has"),
	{ 0 },
};

struct exec_dev {
	struct pctl_core *core;
	struct pctl_device *device;
	const struct exec_description *description;
	const struct pctl_secret **secrets; /* that the program gets; NULL-terminated */

	/* The op in flight; the core has one per device. */
	struct pctl_op *op;
	struct pctl_program *program;
	bool acts;
	struct pctl_power *power; /* what its answer goes into; NULL: nothing */
	struct pctl_boot *boot;
};

/* --- The answer. ------------------------------------------------------------------------------ */

static void fail(struct exec_dev *dev, struct pctl_error *err)
{
	struct pctl_op *op = dev->op;

	dev->op = NULL;
	pctl_program_redact(err->text, strlen(err->text), dev->secrets);
	pctl_program_redact(err->device_code, strlen(err->device_code), dev->secrets);
	pctl_op_fail_error(op, err);
}

/* It ran, and what it did is not known: nothing that makes sense came back. */
static void fail_lost(struct exec_dev *dev, struct pctl_error *err)
{
	if (dev->acts)
		err->code = PCTL_E_OUTCOME_UNKNOWN;
	fail(dev, err);
}

static int take_answer(struct exec_dev *dev, const json_t *answer, struct pctl_error *err)
{
	const char *name = dev->description->path;

	if (dev->power)
		return answer_power(answer, name, dev->power, err);
	return dev->boot ? answer_boot(answer, name, dev->boot, err) : 0;
}

static void read_answer(
	struct exec_dev *dev, const json_t *answer, const struct pctl_program_result *result)
{
	struct pctl_error err = { 0 };
	const json_t *ok = json_object_get(answer, "ok");
	bool unsent = false;

	if (json_is_true(ok) && result->status != 0) {
		(void)pctl_error_set(&err, PCTL_E_PROTOCOL,
			"the answer of '%.90s': \"ok\" is true, and it ended with status %d",
			dev->description->path, result->status);
		fail_lost(dev, &err);
		return;
	}
	int verdict = answer_verdict(answer, dev->description->path, &unsent, &err);
	if (unsent)
		pctl_op_not_taken(dev->op);
	if (verdict == 0 && take_answer(dev, answer, &err) == 0) {
		struct pctl_op *op = dev->op;

		dev->op = NULL;
		pctl_op_done(op);
	} else if (unsent || (json_is_false(ok) && err.code != PCTL_E_PROTOCOL)) {
		fail(dev, &err);
	} else {
		fail_lost(dev, &err);
	}
}

static void on_ended(void *data, const struct pctl_program_result *result)
{
	struct exec_dev *dev = data;
	struct pctl_error err = result->err;
	json_t *answer = NULL;

	dev->program = NULL;
	if (result->end == PCTL_PROGRAM_NOT_STARTED) {
		pctl_op_not_taken(dev->op);
		fail(dev, &err);
		return;
	}
	/* A program that fails may still say why; what it says is of more use than its status. */
	if (result->end == PCTL_PROGRAM_EXITED)
		answer = answer_read(result->out, result->out_len, dev->description->path,
			result->status ? NULL : &err);
	if (answer)
		read_answer(dev, answer, result);
	else
		fail_lost(dev, &err);
	json_decref(answer);
}

/* --- The request. ----------------------------------------------------------------------------- */

static void on_starting(void *data)
{
	struct exec_dev *dev = data;

	if (dev->acts)
		pctl_op_committed(dev->op);
}

static void abort_op(struct pctl_op *op, void *work)
{
	struct exec_dev *dev = work;

	(void)op;
	dev->op = NULL;
	if (dev->program)
		pctl_program_abort(dev->program);
	dev->program = NULL;
}

static void run(struct exec_dev *dev, struct request request)
{
	const struct exec_description *d = dev->description;
	const char *argv[] = { d->path, NULL };
	struct pctl_error err = { 0 };
	struct pctl_buf input;
	struct stat st;

	request.timeout_ms = pctl_program_time(dev->op);
	pctl_buf_init_secret(&input, PCTL_PROGRAM_INPUT_MAX);
	int r = exec_check_file(d->path, d->owner, &st, &err);
	if (r == 0)
		r = request_write(&input, dev->device, d->properties, &request, &err);
	if (r < 0) {
		fail(dev, &err);
	} else {
		const struct pctl_program_options options = { .size = sizeof(options),
			.argv = argv,
			.input = input.data,
			.input_len = input.len,
			.out_max = EXEC_ANSWER_MAX,
			.secrets = dev->secrets,
			.op = dev->op,
			.starting = on_starting };

		pctl_op_pending(dev->op, abort_op, dev);
		dev->program = pctl_program_run(dev->core, &options, on_ended, dev);
	}
	pctl_buf_done(&input);
}

static void begin(struct exec_dev *dev, struct pctl_op *op)
{
	dev->op = op;
	dev->acts = false;
	dev->power = NULL;
	dev->boot = NULL;
}

/* --- Operations. ------------------------------------------------------------------------------ */

static void exec_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct exec_dev *dev = data;

	(void)flags;
	begin(dev, op);
	dev->power = ret;
	run(dev, (struct request){ .op = "get" });
}

static void exec_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct exec_dev *dev = data;

	begin(dev, op);
	dev->acts = true;
	run(dev, (struct request){ .op = "act", .action = pctl_action_name(action) });
}

/* Set again it is what it was: no commit point. */
static void exec_boot_set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	struct exec_dev *dev = data;

	begin(dev, op);
	run(dev, (struct request){ .op = "boot", .boot = boot });
}

static void exec_boot_get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	struct exec_dev *dev = data;

	if (!dev->description->reads_boot) {
		pctl_op_fail(op, PCTL_E_UNSUPPORTED, "'%.100s' does not read the boot device",
			dev->description->path);
		return;
	}
	begin(dev, op);
	dev->boot = ret;
	run(dev, (struct request){ .op = "boot" });
}

/* --- The driver. ------------------------------------------------------------------------------ */

static const struct pctl_secret **find_secrets(
	const struct pctl_device *device, const struct pctl_property *table)
{
	size_t n = 0, found = 0;

	while (table[n].name)
		n++;
	const struct pctl_secret **secrets = pctl_xcalloc(n + 1, sizeof(void *));
	for (size_t i = 0; i < n; i++) {
		const struct pctl_secret *secret =
			table[i].flags & PCTL_PROPERTY_SECRET
				? pctl_setting_secret(device, table[i].name)
				: NULL;

		if (secret)
			secrets[found++] = secret;
	}
	return secrets;
}

static int exec_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	const struct pctl_description *description = pctl_device_description(device);
	struct exec_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	(void)err;
	dev->core = ctx;
	dev->device = device;
	dev->description = (const struct exec_description *)(const void *)description;
	dev->secrets = find_secrets(device, dev->description->properties);
	*ret_dev = dev;
	return 0;
}

static void exec_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct exec_dev *dev = data;

	free(dev->secrets);
	free(dev);
	closed(closed_data);
}

static int exec_start(
	struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err)
{
	(void)loop, (void)err;
	*ret_ctx = core;
	return 0;
}

static void exec_stop(void *ctx, pctl_closed_fn *closed, void *data)
{
	(void)ctx;
	closed(data);
}

/* What any program may be able to do; each says which of it is true of it. */
static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1,
	.get = exec_get,
	.act = exec_act,
};

static const struct pctl_boot_if boot = {
	.size = sizeof(boot),
	.once = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1,
	.persistent = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1,
	.set = exec_boot_set,
	.get = exec_boot_get,
};

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "exec",
	.summary = "a program of yours, in any language",
	.maturity = PCTL_BETA,
	.properties = properties,
	.start = exec_start,
	.stop = exec_stop,
	.open = exec_open,
	.close = exec_close,
	.power = &power,
	.boot = &boot,
	.describe = exec_describe,
	.undescribe = exec_undescribe,
	.flags = PCTL_DRIVER_NO_DIAL,
};
