/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipmi_fake.h"

#include <powerctl/mem.h>

#include "driver/method.h"
#include "inventory/problems.h"

#define SPEED 100u

/* --- Time. ------------------------------------------------------------------------------------ */

int __real_uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
uint64_t __real_uv_now(const uv_loop_t *loop);
uint64_t __wrap_uv_now(const uv_loop_t *loop);

int __wrap_uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
	return __real_uv_timer_start(t, cb, timeout / SPEED, repeat);
}

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	return __real_uv_now(loop) * SPEED;
}

/* --- The core's side of a device. ------------------------------------------------------------- */

struct pctl_device {
	struct fake fake;
};

static struct {
	char key[128];
	enum pctl_cache_scope scope;
	char *data;
	size_t len;
	unsigned puts;
	char fact[32], value[208];
} kept;

static struct pctl_device *outer(const struct fake *f)
{
	return (struct pctl_device *)(uintptr_t)f;
}

uv_loop_t *pctl_device_loop(const struct pctl_device *device)
{
	return (uv_loop_t *)(uintptr_t)&device->fake.loop;
}

const char *pctl_device_name(const struct pctl_device *device)
{
	(void)device;
	return "fake";
}

const char *pctl_fact_get(const struct pctl_device *device, const char *key)
{
	(void)device;
	return fake_fact(key);
}

const char *fake_fact(const char *key)
{
	return strcmp(kept.fact, key) == 0 ? kept.value : NULL;
}

void pctl_fact_put(struct pctl_device *device, const char *key, const char *value)
{
	(void)device;
	(void)snprintf(kept.fact, sizeof(kept.fact), "%s", key);
	(void)snprintf(kept.value, sizeof(kept.value), "%s", value);
}

bool pctl_cache_get(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	struct pctl_buf *ret)
{
	(void)device;
	assert_true(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(key));
	assert_true(strlen(key) > 0 && strlen(key) <= 128);
	pctl_buf_cut(ret, 0);
	if (!kept.data || scope != kept.scope || strcmp(key, kept.key) != 0)
		return false;
	pctl_buf_add(ret, kept.data, kept.len);
	return true;
}

void pctl_cache_put(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	const void *data, size_t len)
{
	(void)device;
	free(kept.data);
	kept.data = pctl_xcalloc(1, len + 1);
	memcpy(kept.data, data, len);
	kept.len = len;
	kept.scope = scope;
	kept.puts++;
	(void)snprintf(kept.key, sizeof(kept.key), "%s", key);
}

unsigned fake_cache_puts(void)
{
	return kept.puts;
}

void fake_cache_forget(void)
{
	free(kept.data);
	memset(&kept, 0, sizeof(kept));
}

void fake_cache_damage(void)
{
	kept.data[4] ^= 0x40; /* the first record's length */
}

/* --- Answers. --------------------------------------------------------------------------------- */

static int take_fault(struct fake *f, const struct command *c, unsigned nth)
{
	for (size_t i = 0; i < FAULTS_MAX; i++) {
		struct fault *fault = &f->bmc.faults[i];

		if (fault->command == c && nth >= fault->first && nth - fault->first < fault->times)
			return fault->code;
	}
	return 0;
}

/* Finds a record, or the first one; next is its successor's id. */
static const uint8_t *find_sdr(const struct bmc *b, uint16_t id, size_t *ret_len, uint16_t *next)
{
	const uint8_t *record;
	size_t at = 0, len;

	while (sdr_next(b->sdr, b->sdr_len, &at, &record, &len)) {
		if (id != 0 && get_le16(record) != id)
			continue;
		*ret_len = len;
		*next = at < b->sdr_len ? get_le16(b->sdr + at) : 0xffff;
		if (b->endless && *next == 0xffff)
			*next = get_le16(b->sdr);
		return record;
	}
	return NULL;
}

/* As much of bytes from offset on as was asked for and goes into one answer. */
static int cut(const struct bmc *b, size_t len, size_t offset, size_t *count)
{
	if (offset >= len)
		return 0xc9;
	if (*count > len - offset)
		*count = len - offset;
	if (*count > b->most && !b->cuts)
		return b->too_many;
	if (*count > b->most)
		*count = b->most;
	return 0;
}

static int get_sdr(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	const uint8_t *q = b->last;
	size_t len = 0, offset = q[4], count = q[5];
	uint16_t next = 0;

	assert_int_equal(b->last_len, 6);
	if (b->lose_each && ++b->reserved % b->lose_each == 0)
		b->reservation++;
	if (b->change_at && ++b->reserved == b->change_at) {
		memcpy(b->sdr, b->changed, sdr_length(b->sdr, b->sdr_len));
		b->reservation++;
	}
	if ((offset || get_le16(q)) && get_le16(q) != b->reservation)
		return 0xc5;
	const uint8_t *record = find_sdr(b, get_le16(q + 2), &len, &next);
	if (!record)
		return 0xcb;
	int code = cut(b, len, offset, &count);
	if (code)
		return code;
	put_le16(out, next);
	memcpy(out + 2, record + offset, count);
	*ret_len = 2 + count;
	return 0;
}

static int get_event(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	uint16_t id = get_le16(b->last + 2);
	size_t count = b->last[5];

	assert_int_equal(b->last_len, 6);
	for (size_t i = 0; i < b->events_n; i++) {
		if (id && get_le16(b->events[i]) != id)
			continue;
		if (count == 0xff && b->most < 16)
			return b->too_many;
		put_le16(out, i + 1 < b->events_n ? get_le16(b->events[i + 1])
			      : b->endless        ? get_le16(b->events[0])
						  : 0xffff);
		memcpy(out + 2, b->events[i], 16);
		*ret_len = 18;
		return 0;
	}
	return 0xcb;
}

static int clear_events(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	assert_int_equal(b->last_len, 6);
	assert_memory_equal(b->last + 2, "CLR", 3);
	if (get_le16(b->last) != b->reservation)
		return 0xc5;
	if (b->last[5] == 0xaa)
		b->events_n = 0;
	out[0] = b->erasing ? 0 : 1;
	b->erasing -= b->erasing != 0;
	*ret_len = 1;
	return 0;
}

static int fru_info(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	if (b->last[0] >= FRUS_MAX || !b->frus[b->last[0]])
		return 0xcb;
	put_le16(out, (uint16_t)b->frus_len[b->last[0]]);
	out[2] = b->words;
	*ret_len = 3;
	return 0;
}

static int get_fru(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	size_t unit = b->words ? 2 : 1, id = b->last[0];
	size_t offset = get_le16(b->last + 1) * unit, count = b->last[3] * unit;

	if (id >= FRUS_MAX || !b->frus[id])
		return 0xcb;
	int code = cut(b, b->frus_len[id], offset, &count);
	if (code)
		return code;
	out[0] = (uint8_t)(count / unit);
	memcpy(out + 1, b->frus[id] + offset, count);
	*ret_len = 1 + count;
	return 0;
}

static int get_reading(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	*ret_len = b->readings_len[b->last[0]];
	memcpy(out, b->readings[b->last[0]], *ret_len);
	return *ret_len ? 0 : 0xcb;
}

static int get_canned(const struct bmc *b, uint8_t *out, size_t *ret_len)
{
	for (size_t i = 0; i < CANNED_MAX; i++) {
		const struct canned *c = &b->canned[i];

		if (c->command != b->last_command)
			continue;
		memcpy(out, c->data, c->len);
		*ret_len = c->len;
		return 0;
	}
	return 0xc1;
}

static int answer_command(struct bmc *b, uint8_t *out, size_t *ret_len)
{
	static const struct {
		const struct command *command;
		int (*answer)(struct bmc *b, uint8_t *out, size_t *ret_len);
	} rows[] = {
		{ &command_get_sdr, get_sdr },
		{ &command_get_sel_entry, get_event },
		{ &command_clear_sel, clear_events },
		{ &command_get_fru_area_info, fru_info },
		{ &command_read_fru, get_fru },
		{ &command_get_sensor_reading, get_reading },
	};

	if (b->last_command == &command_reserve_sdr || b->last_command == &command_reserve_sel) {
		put_le16(out, ++b->reservation);
		*ret_len = 2;
		return 0;
	}
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		if (rows[i].command == b->last_command)
			return rows[i].answer(b, out, ret_len);
	}
	return get_canned(b, out, ret_len);
}

static void on_answer(uv_timer_t *timer)
{
	struct fake *f = pctl_container_of(timer, struct fake, timer);
	struct bmc *b = &f->bmc;
	const struct command *c = b->last_command;
	unsigned nth = b->asked[c->netfn][c->cmd]++;
	struct pctl_error err = { 0 };
	uint8_t data[300];
	size_t len = 0;

	b->total++;
	int code = take_fault(f, c, nth);
	if (code == 0)
		code = answer_command(b, data, &len);
	if (code < 0) {
		(void)pctl_error_set(&err, code, "no answer to '%s'", c->name);
		ipmi_call_answered(&f->dev, NULL, &err);
		return;
	}
	/* At its exact size, so that a byte too many is found. */
	uint8_t *exact = pctl_xcalloc(1, len ? len : 1);
	memcpy(exact, data, len);
	const struct message m = { .code = (uint8_t)code, .data = exact, .len = code ? 0 : len };
	ipmi_call_answered(&f->dev, &m, NULL);
	free(exact);
}

void session_send(struct ipmi_dev *dev)
{
	struct fake *f = pctl_container_of(dev, struct fake, dev);

	f->bmc.last_command = dev->call.command;
	f->bmc.last_len = dev->call.len;
	memcpy(f->bmc.last, dev->call.data, dev->call.len);
	if (dev->call.command->flags & COMMAND_CHANGES)
		f->committed = true;
	assert_int_equal(uv_timer_start(&f->timer, on_answer, 0, 0), 0);
}

void session_cancel(struct ipmi_dev *dev)
{
	struct fake *f = pctl_container_of(dev, struct fake, dev);

	(void)uv_timer_stop(&f->timer);
}

/* --- For tests. ------------------------------------------------------------------------------- */

struct fake *fake_new(void)
{
	struct pctl_device *d = pctl_xcalloc(1, sizeof(*d));
	struct fake *f = &d->fake;

	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->timer), 0);
	f->dev.device = outer(f);
	f->deadline_ms = 600000;
	f->bmc.most = 255;
	f->bmc.too_many = 0xca;
	/* Supermicro's, firmware 3.45, IPMI 2.0, all abilities but one. */
	static const uint8_t id[] = { 0x20, 0x01, 0x03, 0x45, 0x02, 0xbf, 0x7c, 0x2a, 0x00, 0x34,
		0x12, 1, 2, 3, 4 };
	static const uint8_t info[] = { 0x51, 9, 0, 0xff, 0xff, 0x80, 0x7b, 0xd4, 0x65, 0, 0, 0, 0,
		2 };
	fake_answer(f, &command_get_device_id, id, sizeof(id));
	fake_answer(f, &command_get_sdr_info, info, sizeof(info));
	return f;
}

static void drop_answer(struct fake *f)
{
	pctl_value_free(f->ret);
	f->ret = NULL;
}

void fake_free(struct fake *f)
{
	if (f->busy) /* a test that failed amid an op */
		pctl_op_cancel(&f->op);
	uv_close((uv_handle_t *)&f->timer, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	drop_answer(f);
	free(outer(f));
}

unsigned fake_asked(const struct fake *f, const struct command *command)
{
	return f->bmc.asked[command->netfn][command->cmd];
}

void fake_forget(struct fake *f)
{
	memset(f->bmc.asked, 0, sizeof(f->bmc.asked));
	f->bmc.total = 0;
}

void fake_answer(struct fake *f, const struct command *command, const void *data, size_t len)
{
	size_t i = 0;

	while (f->bmc.canned[i].command && f->bmc.canned[i].command != command)
		assert_true(++i < CANNED_MAX);
	assert_true(len <= sizeof(f->bmc.canned[i].data));
	f->bmc.canned[i].command = command;
	f->bmc.canned[i].len = len;
	memcpy(f->bmc.canned[i].data, data, len);
}

void fake_fail(
	struct fake *f, const struct command *command, int code, unsigned first, unsigned times)
{
	size_t i = 0;

	while (f->bmc.faults[i].command)
		assert_true(++i < FAULTS_MAX);
	f->bmc.faults[i] = (struct fault){ command, code, first, times };
}

void fake_add_sdr(struct fake *f, const uint8_t *record, size_t len)
{
	assert_true(f->bmc.sdr_len + len <= sizeof(f->bmc.sdr));
	memcpy(f->bmc.sdr + f->bmc.sdr_len, record, len);
	f->bmc.sdr_len += len;
}

void fake_add_event(struct fake *f, const uint8_t record[16])
{
	uint8_t info[14] = { 0x51 };

	assert_true(f->bmc.events_n < EVENTS_MAX);
	memcpy(f->bmc.events[f->bmc.events_n++], record, 16);
	put_le16(info + 1, (uint16_t)f->bmc.events_n);
	fake_answer(f, &command_get_sel_info, info, sizeof(info));
}

static void on_done(struct pctl_op *op, const struct pctl_error *result)
{
	struct fake *f = op->data;

	f->result = *result;
	f->done++;
	f->busy = false;
}

static struct pctl_op *begin(struct fake *f)
{
	drop_answer(f);
	f->ret = pctl_value_new_map();
	f->done = 0;
	f->busy = true;
	f->committed = false;
	(void)uv_update_time(&f->loop);
	pctl_op_begin(&f->op, &f->loop, f->deadline_ms, on_done, f);
	return &f->op;
}

static void finish(struct fake *f)
{
	assert_int_equal(f->done, 0); /* never before the starting call returned */
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->done, 1);
}

void fake_sensors(struct fake *f)
{
	struct pctl_op *op = begin(f);

	ipmi_sensors.read(&f->dev, op, f->ret);
	finish(f);
}

void fake_log(struct fake *f, const char *after)
{
	PCTL_AUTO(free) char *copy = after ? pctl_xstrdup(after) : NULL;
	struct pctl_op *op = begin(f);

	ipmi_log.read(&f->dev, op, copy, f->ret);
	finish(f);
}

void fake_clear(struct fake *f)
{
	struct pctl_op *op = begin(f);

	ipmi_log.clear(&f->dev, op);
	finish(f);
}

void fake_info(struct fake *f)
{
	struct pctl_op *op = begin(f);

	ipmi_inspect.info(&f->dev, op, f->ret);
	finish(f);
}

void fake_hardware(struct fake *f)
{
	struct pctl_op *op = begin(f);

	ipmi_inspect.hardware(&f->dev, op, f->ret);
	finish(f);
}

void fake_method(struct fake *f, const char *name, struct pctl_value *take_arguments)
{
	static const struct pctl_driver driver = { .size = sizeof(driver),
		.methods = ipmi_methods };
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_method *m = ipmi_methods;
	struct pctl_arguments *args = NULL;

	while (m->name && strcmp(m->name, name) != 0)
		m++;
	assert_non_null(m->name);
	assert_int_equal(pctl_arguments_new(&driver, name, take_arguments, &args, problems), 0);
	struct pctl_op *op = begin(f);
	m->run(&f->dev, op, args, f->ret);
	finish(f);
	pctl_arguments_free(args);
	pctl_problems_free(problems);
	pctl_value_free(take_arguments);
}

void fake_assert_failed(const struct fake *f, int code, const char *text)
{
	if (f->result.code != code || !strstr(f->result.text, text))
		fail_msg("'%d: %s' (%s) instead of '%d: ...%s...'", f->result.code, f->result.text,
			f->result.device_code, code, text);
}

void fake_assert_done(const struct fake *f)
{
	if (f->result.code)
		fail_msg("failed: %d: %s (%s)", f->result.code, f->result.text,
			f->result.device_code);
}

const struct pctl_value *fake_value(const struct fake *f, const char *path)
{
	const struct pctl_value *v = f->ret;
	char key[64];

	while (v && *path) {
		size_t n = strcspn(path, ".");

		assert_true(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		path += n + (path[n] == '.');
		if (pctl_value_kind(v) == PCTL_VALUE_LIST)
			v = (size_t)(key[0] - '0') < pctl_value_count(v)
				    ? pctl_value_at(v, (size_t)(key[0] - '0'))
				    : NULL;
		else
			v = pctl_value_get(v, key);
	}
	return v;
}

const char *fake_text(const struct fake *f, const char *path)
{
	const char *s = pctl_value_text(fake_value(f, path));

	return s ? s : "(none)";
}
