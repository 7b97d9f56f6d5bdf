/* SPDX-License-Identifier: Apache-2.0 */
#include "node/core.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/history.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/paths.h"
#include "driver/crash.h"
#include "inventory/inventory.h"
#include "node/breaker.h"
#include "node/limit.h"

#define LOOKS "log_seen"

/* Beside the program in a build tree, else where the package has put it, relative to the program.
 */
static char *find_plugins(void)
{
	static const char *const places[] = { "../plugins", PCTL_PLUGIN_DIR_FROM_BIN };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	for (size_t i = 0; n > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		char *slash = memrchr(self, '/', (size_t)n);
		PCTL_AUTO(free)
		char *dir = pctl_xasprintf("%.*s/%s", (int)(slash - self), self, places[i]);
		char *real = realpath(dir, NULL);

		if (real)
			return real;
	}
	return pctl_xstrdup(PCTL_PLUGIN_DIR);
}

/* Without a folder nothing is found and saving says so. */
static struct pctl_store *open_facts(void)
{
	PCTL_AUTO(free) char *path = NULL;

	return pctl_store_new(
		pctl_path_cache("facts", &path, NULL) < 0 ? "/nonexistent/facts" : path);
}

/* A folder that cannot be made may still be there and be closed to us: reading tells. */
static struct pctl_store *open_state(const char *name)
{
	PCTL_AUTO(free) char *path = NULL;

	if (pctl_path_state(name, &path, NULL) < 0)
		path = pctl_path_state_unmade(name);
	if (!path)
		path = pctl_xasprintf("/nonexistent/%s", name);
	return pctl_store_new(path);
}

static struct pctl_breaker *new_breaker(void)
{
	PCTL_AUTO(free) char *salt = NULL;

	(void)pctl_path_state("login_salt", &salt, NULL);
	return pctl_breaker_new(open_state("refused_logins"), salt);
}

struct pctl_core *pctl_core_new(uv_loop_t *loop, const struct pctl_core_options *options)
{
	struct pctl_core *core = pctl_xcalloc(1, sizeof(*core));

	core->loop = loop;
	core->plugin_dir = options->plugin_dir ? pctl_xstrdup(options->plugin_dir) : find_plugins();
	core->facts = open_facts();
	core->pins = open_state("known_devices");
	core->intents = open_state("boot_intents");
	core->looks = open_state(LOOKS);
	core->secrets = pctl_secrets_new();
	core->breaker = new_breaker();
	core->locks = pctl_locks_new(options->caller);
	core->history = pctl_history_new(NULL, PCTL_HISTORY_MAX, options->asked_by);
	core->limits = pctl_limits_new(loop);
	core->resolver = pctl_resolver_new(loop);
	core->programs = pctl_programs_new(loop, 0);
	core->hooks = pctl_programs_new(loop, 0);
	core->gateways = pctl_gateways_new(loop);
	core->ssh_logins = pctl_ssh_logins_new(loop);
	return core;
}

static void free_loaded(struct pctl_loaded *loaded)
{
	pctl_plugin_free(loaded->plugin);
	free(loaded->name);
	free(loaded);
}

static void finish_close(uv_handle_t *handle)
{
	struct pctl_core *core = pctl_container_of(handle, struct pctl_core, goodbye);
	pctl_closed_fn *closed = core->closed;
	void *data = core->closed_data;

	pctl_descriptions_done(&core->descriptions);
	for (size_t i = 0; i < core->n; i++)
		free_loaded(core->loaded[i]);
	free(core->loaded);
	pctl_strmap_done(&core->by_name);
	pctl_store_free(core->facts);
	pctl_store_free(core->pins);
	pctl_store_free(core->intents);
	pctl_store_free(core->looks);
	pctl_breaker_free(core->breaker);
	pctl_secrets_free(core->secrets);
	pctl_locks_free(core->locks);
	pctl_history_free(core->history);
	pctl_resolver_free(core->resolver);
	free(core->plugin_dir);
	free(core);
	closed(data);
}

static void on_all_stopped(void *data)
{
	struct pctl_core *core = data;

	/* From the loop also where no driver has anything to close. */
	uv_close((uv_handle_t *)&core->goodbye, finish_close);
}

static void on_programs_closed(void *data)
{
	struct pctl_core *core = data;

	pctl_programs_close(core->hooks, on_all_stopped, core);
}

static void on_stopped(void *data)
{
	struct pctl_core *core = data;

	if (--core->stopping == 0)
		pctl_programs_close(core->programs, on_programs_closed, core);
}

int pctl_core_save(struct pctl_core *core, struct pctl_error *err)
{
	/* Losing facts only costs requests; losing pins would be losing trust. */
	(void)pctl_store_save(core->facts, NULL);
	(void)pctl_store_save(core->intents, NULL); /* only tidied: it is on disk already */
	pctl_breaker_save(core->breaker);
	int r = pctl_store_save(core->pins, err);
	int e = pctl_store_save(core->looks, r < 0 ? NULL : err);
	return r < 0 ? r : e;
}

int pctl_core_history(const struct pctl_core *core, struct pctl_error *err)
{
	return pctl_history_status(core->history, err);
}

void pctl_core_forget_looks(struct pctl_core *core)
{
	pctl_store_free(core->looks);
	core->looks = open_state(LOOKS);
}

void pctl_core_close(struct pctl_core *core, pctl_closed_fn *closed, void *data)
{
	(void)pctl_core_save(core, NULL);
	pctl_history_flush(core->history);
	core->closed = closed;
	core->closed_data = data;
	core->stopping = 3;
	(void)uv_timer_init(core->loop, &core->goodbye);
	for (size_t i = 0; i < core->n; i++) {
		struct pctl_loaded *loaded = core->loaded[i];

		if (!loaded->started || !loaded->driver->stop)
			continue;
		core->stopping++;
		pctl_crash_enter(loaded->name, "stop", "");
		loaded->driver->stop(loaded->ctx, on_stopped, core);
		pctl_crash_leave();
	}
	pctl_gateways_close(core->gateways, on_stopped, core);
	pctl_ssh_logins_close(core->ssh_logins, on_stopped, core);
	pctl_limits_close(core->limits, on_stopped, core);
}

const char *pctl_core_plugin_dir(const struct pctl_core *core)
{
	return core->plugin_dir;
}

struct pctl_program *pctl_program_run(struct pctl_core *core,
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data)
{
	return pctl_programs_run(core->programs, options, done, data);
}

int pctl_core_load(
	struct pctl_core *core, const char *name, struct pctl_loaded **ret, struct pctl_error *err)
{
	void **place = pctl_strmap_put(&core->by_name, name);
	struct pctl_loaded *loaded = *place;

	if (!loaded) {
		loaded = pctl_xcalloc(1, sizeof(*loaded));
		*place = loaded;
		loaded->name = pctl_xstrdup(name);
		core->loaded = pctl_xgrow(
			core->loaded, &core->cap, core->n + 1, sizeof(struct pctl_loaded *));
		core->loaded[core->n++] = loaded;
		if (pctl_plugin_load(core->plugin_dir, name, &loaded->plugin, &loaded->refused) ==
			0)
			loaded->driver = &loaded->plugin->driver;
	}
	if (!loaded->plugin) {
		if (err)
			*err = loaded->refused;
		return loaded->refused.code;
	}
	*ret = loaded;
	return 0;
}

int pctl_core_start(struct pctl_core *core, struct pctl_loaded *loaded, struct pctl_error *err)
{
	if (loaded->started)
		return 0;
	const struct pctl_driver *driver = loaded->driver;
	pctl_crash_enter(loaded->name, "start", "");
	int r = driver->start ? driver->start(core, core->loop, &loaded->ctx, err) : 0;
	pctl_crash_leave();
	if (r < 0)
		return r;
	loaded->started = true;
	return 0;
}

int pctl_core_driver(struct pctl_core *core, const char *name, const struct pctl_driver **ret,
	struct pctl_error *err)
{
	struct pctl_loaded *loaded = NULL;
	int r = pctl_core_load(core, name, &loaded, err);

	if (r < 0 || !loaded)
		return r;
	*ret = loaded->driver;
	return 0;
}

void pctl_core_driver_names(struct pctl_core *core, struct pctl_names *out)
{
	DIR *dir = opendir(core->plugin_dir);

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		size_t len = strlen(e->d_name);

		if (len <= 3 || strcmp(e->d_name + len - 3, ".so") != 0)
			continue;
		PCTL_AUTO(free) char *name = pctl_xstrndup(e->d_name, len - 3);
		pctl_names_add(out, name);
	}
	if (dir)
		(void)closedir(dir);
	pctl_names_sort(out);
}

char *pctl_core_nearest_driver(struct pctl_core *core, const char *name)
{
	struct pctl_names *names = pctl_names_new();
	const char *words[64] = { NULL }, *near = NULL;
	char *copy = NULL;

	pctl_core_driver_names(core, names);
	for (size_t i = 0; i < pctl_names_count(names) && i + 1 < sizeof(words) / sizeof(words[0]);
		i++)
		words[i] = pctl_names_at(names, i);
	if (!pctl_names_has(names, name))
		near = pctl_parse_nearest(name, words);
	if (near)
		copy = pctl_xstrdup(near);
	pctl_names_free(names);
	return copy;
}

struct check {
	struct pctl_core *core;
	const struct pctl_inventory *inventory;
	bool with_secrets;
	struct pctl_problems *problems;
};

static int check_binding(const struct check *c, size_t node, const char *interface)
{
	bool skipped = pctl_inventory_text(c->inventory, node, "maintenance");
	struct pctl_target target;
	int r = pctl_target_init(&target, c->core, c->inventory, node, interface,
		c->with_secrets && !skipped, c->problems);

	pctl_target_done(&target);
	return r;
}

static int check_node(const struct check *c, size_t node)
{
	int r = 0;

	for (size_t i = 0; i < PCTL_BINDINGS; i++)
		if (pctl_target_has_binding(c->inventory, node, i) &&
			check_binding(c, node, pctl_bindings[i]) < 0)
			r = PCTL_E_CONFIG;
	return r;
}

int pctl_core_check(struct pctl_core *core, const struct pctl_inventory *inventory,
	const size_t *nodes, size_t count, bool with_secrets, struct pctl_problems *problems)
{
	const struct check c = { core, inventory, with_secrets, problems };
	int r = 0;

	for (size_t i = 0; i < (nodes ? count : pctl_inventory_count(inventory)); i++)
		if (check_node(&c, nodes ? nodes[i] : i) < 0)
			r = PCTL_E_CONFIG;
	size_t before = pctl_problems_count(problems);
	if (!nodes)
		pctl_inventory_check_hooks(inventory, problems);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : r;
}
