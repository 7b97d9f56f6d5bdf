/* SPDX-License-Identifier: Apache-2.0 */
#include "node/describe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "driver/plugin.h"
#include "node/core.h"

const char *pctl_selector_value(const struct pctl_selector *selector)
{
	return selector->value;
}

const char *pctl_selector_file(const struct pctl_selector *selector)
{
	return selector->file;
}

/* --- Running a program for it. -----------------------------------------------------------------
 */

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define ENDS (sizeof(ends) / sizeof(ends[0]))

/* A program on a loop of its own. */
struct waiting {
	uv_loop_t loop;
	uv_signal_t signals[ENDS];
	size_t watched;
	struct pctl_program *program;
	pctl_program_done_fn *done;
	void *data;
	int signum; /* that ends us */
};

static void stop_watching(struct waiting *w)
{
	while (w->watched > 0)
		uv_close((uv_handle_t *)&w->signals[--w->watched], NULL);
}

static void on_ended(void *data, const struct pctl_program_result *result)
{
	struct waiting *w = data;

	w->done(w->data, result);
	stop_watching(w);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct waiting *w = handle->data;

	w->signum = signum;
	pctl_program_abort(w->program);
	stop_watching(w);
}

/* Those that somebody handles or ignores are left to them. */
static void watch_signals(struct waiting *w)
{
	for (size_t i = 0; i < ENDS; i++) {
		uv_signal_t *handle = &w->signals[w->watched];
		struct sigaction now;

		if (sigaction(ends[i], NULL, &now) < 0 || now.sa_handler != SIG_DFL)
			continue;
		(void)uv_signal_init(&w->loop, handle);
		handle->data = w;
		(void)uv_signal_start(handle, on_signal, ends[i]);
		w->watched++;
	}
}

static void on_closed(void *data)
{
	(void)data;
}

static void not_started(const struct waiting *w, int uv)
{
	struct pctl_program_result result = { .size = sizeof(result),
		.end = PCTL_PROGRAM_NOT_STARTED,
		.out = "",
		.said = "",
		.last = "" };

	if (!pctl_error_shortage(&result.err, -uv))
		(void)pctl_error_set(&result.err, PCTL_E_INTERNAL,
			"there is no loop to run a program on: %s", uv_strerror(uv));
	w->done(w->data, &result);
}

void pctl_selector_run(const struct pctl_selector *selector,
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data)
{
	struct waiting w = { .done = done, .data = data };
	int r = uv_loop_init(&w.loop);

	(void)selector;
	if (r < 0) {
		not_started(&w, r);
		return;
	}
	struct pctl_programs *programs = pctl_programs_new(&w.loop, 1);
	w.program = pctl_programs_run(programs, options, on_ended, &w);
	watch_signals(&w);
	(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	pctl_programs_close(programs, on_closed, NULL);
	(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&w.loop);
	if (w.signum)
		(void)raise(w.signum);
}

/* --- Descriptions. ---------------------------------------------------------------------------- */

/* driver has one. */
static const struct pctl_property *selector_of(const struct pctl_driver *driver)
{
	const struct pctl_property *p = driver->properties;

	while (!(p->flags & PCTL_PROPERTY_SELECTOR))
		p++;
	return p;
}

/* What an older, shorter description lacks is zero. */
static void take(struct pctl_described *d)
{
	static const struct pctl_property none[] = { { 0 } };
	uint32_t size = d->own->size;
	const char *why = NULL;

	memcpy(&d->full, d->own, size < sizeof(d->full) ? size : sizeof(d->full));
	d->properties = pctl_plugin_copy_second(
		d->driver, d->full.properties ? d->full.properties : none, &why);
	d->full.properties = d->properties;
	if (!d->properties)
		(void)pctl_error_set(
			&d->err, PCTL_E_CONFIG, "what it says of itself is no use: %s", why);
}

static void describe(struct pctl_described *d, const struct pctl_selector *selector)
{
	struct pctl_error err = { 0 };
	int r = d->driver->describe(selector, &d->own, &err);

	if (r < 0)
		(void)pctl_error_set(&d->err, PCTL_E_CONFIG, "%s", err.text);
	else
		take(d);
}

const struct pctl_described *pctl_descriptions_get(struct pctl_descriptions *all,
	const struct pctl_driver *driver, const char *value, const char *file)
{
	const struct pctl_selector selector = { .driver = driver, .value = value, .file = file };
	PCTL_AUTO(free)
	char *key = pctl_xasprintf("%s\n%s\n%s", driver->name, file ? file : "", value);
	void **place = pctl_strmap_put(&all->by_value, key);

	if (*place)
		return *place;
	struct pctl_described *d = pctl_xcalloc(1, sizeof(*d));
	*place = d;
	d->driver = driver;
	d->with = pctl_xasprintf(" with %s '%s'", selector_of(driver)->name, value);
	d->next = all->first;
	all->first = d;
	describe(d, &selector);
	return d;
}

void pctl_descriptions_done(struct pctl_descriptions *all)
{
	while (all->first) {
		struct pctl_described *d = all->first;

		all->first = d->next;
		if (d->own)
			d->driver->undescribe(d->own);
		free(d->properties);
		free(d->with);
		free(d);
	}
	pctl_strmap_done(&all->by_value);
	*all = (struct pctl_descriptions){ 0 };
}

int pctl_core_describe(struct pctl_core *core, const char *driver, const char *value,
	const struct pctl_description **ret, struct pctl_error *err)
{
	struct pctl_loaded *loaded = NULL;
	int r = pctl_core_load(core, driver, &loaded, err);

	if (r < 0)
		return r;
	if (!loaded->driver->describe)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"driver %s has no setting that brings others with it; `powerctl drivers "
			"%s` "
			"lists those it has",
			driver, driver);
	/* No inventory says where a relative path starts. */
	PCTL_AUTO(free)
	char *path = *value != '/' && selector_of(loaded->driver)->type == PCTL_TYPE_FILE
			     ? realpath(value, NULL)
			     : NULL;
	const struct pctl_described *d = pctl_descriptions_get(
		&core->descriptions, loaded->driver, path ? path : value, NULL);
	if (d->err.code)
		return pctl_error_set(err, d->err.code, "%s", d->err.text);
	*ret = &d->full;
	return 0;
}

const struct pctl_description *pctl_device_description(const struct pctl_device *device)
{
	const struct pctl_described *d = device->target->described;

	return d ? d->own : NULL;
}
