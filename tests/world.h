/* SPDX-License-Identifier: Apache-2.0 */
/* A core on a loop of its own, with an inventory of a few lines and a driver that is not a file. */
#ifndef POWERCTL_TESTS_WORLD_H
#define POWERCTL_TESTS_WORLD_H

#include "test.h"

#include <powerctl/mem.h>

#include "node/core.h"

struct world {
	char dir[200]; /* what it keeps on disk */
	uv_loop_t loop;
	struct pctl_core *core;
	struct pctl_inventory *inventory;
};

/* As if the plugin had been loaded; the copy that the core uses is returned. */
static inline struct pctl_plugin *world_enter(struct world *w, const struct pctl_driver *driver)
{
	struct pctl_loaded *loaded = pctl_xcalloc(1, sizeof(*loaded));

	loaded->name = pctl_xstrdup(driver->name);
	loaded->plugin = pctl_xcalloc(1, sizeof(*loaded->plugin));
	loaded->plugin->driver = *driver;
	loaded->driver = &loaded->plugin->driver;
	*pctl_strmap_put(&w->core->by_name, driver->name) = loaded;
	w->core->loaded = pctl_xgrow(
		w->core->loaded, &w->core->cap, w->core->n + 1, sizeof(struct pctl_loaded *));
	w->core->loaded[w->core->n++] = loaded;
	return loaded->plugin;
}

static inline void world_init(struct world *w, const char *yaml)
{
	char path[256];
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_core_options options = { .plugin_dir = TEST_PLUGIN_DIR };

	test_folder(w->dir, sizeof(w->dir));
	(void)setenv("XDG_RUNTIME_DIR", w->dir, 1);
	(void)setenv("XDG_STATE_HOME", w->dir, 1);
	(void)setenv("XDG_CACHE_HOME", w->dir, 1);
	(void)snprintf(path, sizeof(path), "%s/i.yaml", w->dir);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	(void)fputs(yaml, f);
	(void)fclose(f);
	assert_int_equal(pctl_inventory_load(path, &w->inventory, problems), 0);
	pctl_problems_free(problems);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->core = pctl_core_new(&w->loop, &options);
}

static inline void world_on_closed(void *data)
{
	*(bool *)data = true;
}

static inline void world_close_core(struct world *w)
{
	bool closed = false;

	pctl_core_close(w->core, world_on_closed, &closed);
	assert_false(closed); /* never from within */
	assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
	assert_true(closed);
}

static inline void world_done(struct world *w)
{
	world_close_core(w);
	assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing left behind */
	pctl_inventory_free(w->inventory);
	test_remove_folder(w->dir);
}

#endif
