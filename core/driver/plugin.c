/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/inventory.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "driver/crash.h"
#include "driver/method.h"
#include "driver/settings.h"

#define PROPERTIES_MAX 256u
#define METHODS_MAX    256u
#define FLAGS_MAX      64u
#define SOURCES_MAX    32u

static void close_library(void *library)
{
	(void)dlclose(library);
}
PCTL_DEFINE_AUTO(void *, close_library)

/* Whoever may write a plugin or its directory decides what this program does. */
static int check_owner(const char *what, const char *path, struct pctl_error *err)
{
	struct stat st, self = { 0 };

	if (stat(path, &st) < 0) {
		if (errno == ENOENT)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "%s %s does not exist", what, path);
		return pctl_error_set(err, PCTL_E_CONFIG, "%s %s: %s", what, path, strerror(errno));
	}
	if (st.st_mode & S_IWOTH)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s %s is writable by others and is not used; mend it with: chmod o-w %s",
			what, path, path);

	bool known = stat("/proc/self/exe", &self) == 0;
	if (st.st_uid != 0 && st.st_uid != geteuid() && !(known && st.st_uid == self.st_uid))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s %s belongs to user %u, not to root, to you or to the owner of this "
			"program; it "
			"is not used",
			what, path, (unsigned)st.st_uid);
	return 0;
}

/* Copies an interface, cut or filled up to the size that this core knows. */
static void copy_struct(void *to, size_t size, const void *from)
{
	uint32_t theirs;

	memcpy(&theirs, from, sizeof(theirs));
	memcpy(to, from, theirs < size ? theirs : size);
}

static bool plausible(const void *sized, size_t least)
{
	uint32_t size;

	if (!sized)
		return true;
	memcpy(&size, sized, sizeof(size));
	return size >= least && size < 65536;
}

#define UP_TO(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#define AT(name)         offsetof(struct pctl_driver, name)
#define IN(name, member) offsetof(struct pctl_##name##_if, member)

/* Of the interfaces that are there: pointers that each of them has to have. */
static const struct need {
	size_t interface; /* where the driver has it */
	const char *lacks;
	size_t members[5]; /* where the interface has them, after its size; 0: the end */
} needs[] = {
	{ AT(power), "its power interface lacks get or act", { IN(power, get), IN(power, act) } },
	{ AT(boot), "its boot interface lacks set", { IN(boot, set) } },
	{ AT(identify), "its identify interface lacks set", { IN(identify, set) } },
	{ AT(console), "its console interface lacks open", { IN(console, open) } },
	{ AT(display), "its display interface lacks open", { IN(display, open) } },
	{ AT(log), "its log interface lacks read", { IN(log, read) } },
	{ AT(sensors), "its sensors interface lacks read", { IN(sensors, read) } },
	{ AT(consent), "its consent interface lacks get, request, submit or cancel",
		{ IN(consent, get), IN(consent, request), IN(consent, submit),
			IN(consent, cancel) } },
	{ AT(account), "its account interface lacks login or set_password",
		{ IN(account, login), IN(account, set_password) } },
	{ AT(account), "its account interface does not say which setting is the password",
		{ IN(account, setting) } },
	{ AT(media), "its media interface lacks attach or detach",
		{ IN(media, attach), IN(media, detach) } },
	{ AT(discover), "its discover interface lacks find", { IN(discover, find) } },
};

static const void *pointer_at(const void *base, size_t offset)
{
	const void *pointer;

	memcpy(&pointer, (const char *)base + offset, sizeof(pointer));
	return pointer;
}

static const char *what_is_missing(const struct pctl_driver *d)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const void *interface = pointer_at(d, needs[i].interface);

		for (const size_t *at = needs[i].members; interface && *at; at++)
			if (!pointer_at(interface, *at))
				return needs[i].lacks;
	}
	return NULL;
}

static const char *what_is_wrong(const struct pctl_driver *d, const char *name)
{
	if (!d->name || strcmp(d->name, name) != 0)
		return "the name inside it is not its file name";
	if (!d->summary)
		return "it has no summary";
	if (!d->open || !d->close)
		return "open or close is missing";
	if ((d->start == NULL) != (d->stop == NULL))
		return "start and stop belong together";
	if (!plausible(d->power, UP_TO(struct pctl_power_if, act)) ||
		!plausible(d->boot, UP_TO(struct pctl_boot_if, set)) ||
		!plausible(d->inspect, UP_TO(struct pctl_inspect_if, info)) ||
		!plausible(d->identify, UP_TO(struct pctl_identify_if, set)) ||
		!plausible(d->console, UP_TO(struct pctl_console_if, open)) ||
		!plausible(d->display, UP_TO(struct pctl_display_if, open)) ||
		!plausible(d->log, UP_TO(struct pctl_log_if, read)) ||
		!plausible(d->sensors, UP_TO(struct pctl_sensors_if, read)) ||
		!plausible(d->consent, UP_TO(struct pctl_consent_if, cancel)) ||
		!plausible(d->account, UP_TO(struct pctl_account_if, set_password)) ||
		!plausible(d->media, UP_TO(struct pctl_media_if, detach)) ||
		!plausible(d->discover, UP_TO(struct pctl_discover_if, find)))
		return "the size of an interface makes no sense";
	return what_is_missing(d);
}

/* [a-z][a-z0-9]*, and joint between words. */
static bool is_word(const char *s, char joint)
{
	if (*s < 'a' || *s > 'z')
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != joint)
			return false;
	return true;
}

static bool chooses(const struct pctl_property *p)
{
	return p->type == PCTL_TYPE_CHOICE || p->type == PCTL_TYPE_FLAGS;
}

/* What the core would trip over when it reads a setting of this kind. */
static const char *wrong_property(const struct pctl_property *p)
{
	size_t choices = 0;

	while (p->choices && p->choices[choices])
		choices++;
	if (!is_word(p->name, '_'))
		return "the name of a property is not of the form [a-z][a-z0-9_]*";
	if ((unsigned)p->type > PCTL_TYPE_FLAGS)
		return "a property is of a type that this program does not know";
	if (chooses(p) && !choices)
		return "a property is a choice without choices";
	if (p->type == PCTL_TYPE_FLAGS && choices > FLAGS_MAX)
		return "a property has more than 64 flags";
	if (p->type == PCTL_TYPE_TEXTS && p->default_text)
		return "a property is a list of texts with a default, which there is not";
	return NULL;
}

static size_t count_flag(const struct pctl_property *table, uint32_t flag)
{
	size_t n = 0;

	for (const struct pctl_property *p = table; p && p->name; p++)
		n += (p->flags & flag) != 0;
	return n;
}

/* It becomes part of a key: one word. */
static const char *wrong_unit(const struct pctl_property *table)
{
	for (const struct pctl_property *p = table; p->name; p++) {
		if (!(p->flags & PCTL_PROPERTY_UNIT))
			continue;
		if (p->type != PCTL_TYPE_TEXT && p->type != PCTL_TYPE_UINT &&
			p->type != PCTL_TYPE_CHOICE)
			return "the property that says which machine is meant is no single word";
		if (p->flags & PCTL_PROPERTY_SECRET)
			return "the property that says which machine is meant is a secret";
	}
	return NULL;
}

/* The driver's own table and, where there is one, a second table: one of a kind in both. */
static const char *wrong_together(
	const struct pctl_property *table, const struct pctl_property *second)
{
	const char *why = wrong_unit(table);
	size_t units =
		count_flag(table, PCTL_PROPERTY_UNIT) + count_flag(second, PCTL_PROPERTY_UNIT);

	if (!why && second)
		why = wrong_unit(second);
	if (!why && units > 1)
		why = "two properties say which machine is meant";
	return why;
}

/* What a value is read from before anything else is known. */
static const char *wrong_selector(const struct pctl_driver *d)
{
	size_t selectors = count_flag(d->properties, PCTL_PROPERTY_SELECTOR);

	if (!d->describe != !d->undescribe)
		return "describe and undescribe belong together";
	if (selectors > 1)
		return "two properties are selectors";
	if (!selectors != !d->describe)
		return "a selector and describe belong together";
	for (const struct pctl_property *p = d->properties; p->name; p++) {
		if (!(p->flags & PCTL_PROPERTY_SELECTOR))
			continue;
		if (p->flags & PCTL_PROPERTY_SECRET)
			return "its selector is a secret";
		if (p->type != PCTL_TYPE_TEXT && p->type != PCTL_TYPE_FILE &&
			p->type != PCTL_TYPE_CHOICE)
			return "its selector is no text, file or choice";
	}
	return NULL;
}

static const char *copy_properties(const struct pctl_property *from, struct pctl_property **ret)
{
	const char *row = (const char *)from;
	struct pctl_property all[PROPERTIES_MAX + 1] = { 0 };
	size_t n = 0;

	for (; row; row += ((const struct pctl_property *)(const void *)row)->size) {
		const struct pctl_property *p = (const void *)row;

		if (!p->size) /* { 0 } is the usual last row */
			break;
		if (!plausible(row, UP_TO(struct pctl_property, name)))
			return "the size of a property makes no sense";
		if (!p->name)
			break;
		if (n == PROPERTIES_MAX)
			return "it has more than 256 properties, or its table has no end";
		copy_struct(&all[n++], sizeof(all[0]), p);
	}
	*ret = pctl_xcalloc(n + 1, sizeof(**ret));
	memcpy(*ret, all, n * sizeof(all[0]));
	for (size_t i = 0; i < n; i++) {
		const char *why = wrong_property(&all[i]);

		if (why)
			return why;
	}
	return NULL;
}

/* --- Methods. --------------------------------------------------------------------------------- */

/* It stands on the command line, a secret by the name of its file. */
static const char *wrong_parameter(const struct pctl_property *table, const struct pctl_property *p)
{
	if ((p->flags & PCTL_PROPERTY_SECRET) &&
		(p->type != PCTL_TYPE_TEXT || !pctl_key_is_secret(p->name)))
		return "a method's secret parameter is no text, or its name does not say what it "
		       "is: it needs a word like password, secret, token or key";
	const char *const lists[] = { p->needs, p->wants, p->excludes };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (pctl_method_wrong_words(table, lists[i]))
			return pctl_method_wrong_words(table, lists[i]);
	if (!(p->flags & PCTL_PROPERTY_WORD))
		return NULL;
	if (!(p->flags & PCTL_PROPERTY_REQUIRED) || p->default_text ||
		(unsigned)p->type > PCTL_TYPE_FILE || (p->flags & PCTL_PROPERTY_SECRET))
		return "a method's parameter that is a bare word is not required, is a list, or is "
		       "a secret";
	if (p != table && !(p[-1].flags & PCTL_PROPERTY_WORD))
		return "a method's parameter that is a bare word does not come first";
	return NULL;
}

static const char *wrong_method(const struct pctl_plugin *plugin, const struct pctl_method *m)
{
	if (!is_word(m->name, '-'))
		return "the name of a method is not of the form [a-z][a-z0-9-]*";
	if (!m->help || !m->run)
		return "a method lacks help or run";
	for (size_t i = 0; i < plugin->methods_n; i++)
		if (strcmp(plugin->methods[i].name, m->name) == 0)
			return "two methods have the same name";
	return NULL;
}

static const char *take_method(struct pctl_plugin *plugin, const struct pctl_method *row)
{
	struct pctl_method *m = &plugin->methods[plugin->methods_n];
	struct pctl_property **table = &plugin->parameters[plugin->methods_n];

	copy_struct(m, sizeof(*m), row);
	const char *why = wrong_method(plugin, m);
	if (!why)
		why = copy_properties(m->parameters, table);
	if (why)
		return why;
	m->parameters = *table;
	plugin->methods_n++;
	for (const struct pctl_property *p = *table; p->name && !why; p++)
		why = wrong_parameter(*table, p);
	return why;
}

static const char *copy_methods(struct pctl_plugin *plugin, const struct pctl_method *from)
{
	const char *row = (const char *)from, *why = NULL;

	plugin->methods = pctl_xcalloc(METHODS_MAX + 1, sizeof(*plugin->methods));
	plugin->parameters = pctl_xcalloc(METHODS_MAX, sizeof(struct pctl_property *));
	for (; !why; row += ((const struct pctl_method *)(const void *)row)->size) {
		const struct pctl_method *m = (const void *)row;

		if (!m->size)
			break;
		if (!plausible(row, UP_TO(struct pctl_method, name)))
			return "the size of a method makes no sense";
		if (!m->name)
			break;
		if (plugin->methods_n == METHODS_MAX)
			return "it has more than 256 methods, or their table has no end";
		why = take_method(plugin, m);
	}
	return why;
}

/* --- Second tables. ----------------------------------------------------------------------------
 */

static bool has_name(
	const struct pctl_property *table, const struct pctl_property *end, const char *name)
{
	for (const struct pctl_property *p = table; p != end && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

static const char *wrong_second(const struct pctl_driver *d, const struct pctl_property *table)
{
	for (const struct pctl_property *p = table; p->name; p++) {
		if (pctl_parse_choice(p->name, pctl_core_keys) >= 0)
			return "a setting has the name of one that all nodes have";
		if (has_name(d->properties, NULL, p->name) || has_name(table, p, p->name))
			return "two settings have the same name";
		if (p->flags & PCTL_PROPERTY_SELECTOR)
			return "a setting is a selector in a second table";
		if ((p->flags & PCTL_PROPERTY_SECRET) && !pctl_key_is_secret(p->name))
			return "a secret has a name that does not say so: it needs a word like "
			       "password, secret, token or key";
	}
	return wrong_together(d->properties, table);
}

struct pctl_property *pctl_plugin_copy_second(
	const struct pctl_driver *driver, const struct pctl_property *table, const char **ret_why)
{
	struct pctl_property *copy = NULL;
	const char *why = copy_properties(table, &copy);

	if (!why)
		why = wrong_second(driver, copy);
	if (!why)
		return copy;
	free(copy);
	*ret_why = why;
	return NULL;
}

/* --- The whole driver. ------------------------------------------------------------------------ */

/* Where an interface is now; NULL where the driver has none. */
static const void *copy_interface(void *to, size_t size, const void *from)
{
	if (!from)
		return NULL;
	copy_struct(to, size, from);
	return to;
}

#define COPY_INTERFACE(plugin, d, member) \
	((d)->member = copy_interface(&(plugin)->member, sizeof((plugin)->member), (d)->member))

static const char *adopt_tables(struct pctl_plugin *plugin)
{
	struct pctl_driver *d = &plugin->driver;

	const char *why = copy_properties(d->properties, &plugin->properties);
	d->properties = plugin->properties;
	if (!why)
		why = wrong_together(d->properties, NULL);
	if (!why)
		why = wrong_selector(d);
	if (why || !d->methods)
		return why;
	why = copy_methods(plugin, d->methods);
	d->methods = plugin->methods;
	return why;
}

static const char *wrong_log(const struct pctl_log_if *log)
{
	size_t n = 0;

	if (!log->sources)
		return NULL;
	while (n <= SOURCES_MAX && log->sources[n])
		n++;
	if (n > SOURCES_MAX)
		return "its log has more than 32 sources, or their list has no end";
	if (log->clear && !log->clear_source)
		return "its log has sources and clear, and lacks clear_source";
	return NULL;
}

static const char *wrong_consent(const struct pctl_consent_if *consent)
{
	if (!consent->digits || consent->digits > PCTL_CONSENT_DIGITS_MAX)
		return "a code of its consent interface has no digit, or more than 16";
	if (!consent->tries)
		return "its consent interface takes no code: tries is 0";
	return NULL;
}

static const char *wrong_account(const struct pctl_account_if *account)
{
	if (account->max && account->max < account->min)
		return "no password is as long as its account interface says";
	return NULL;
}

/* What the interfaces say of themselves, at their full size. */
static const char *wrong_limits(const struct pctl_driver *d)
{
	const char *why = d->log ? wrong_log(d->log) : NULL;

	if (!why && d->consent)
		why = wrong_consent(d->consent);
	if (!why && d->account)
		why = wrong_account(d->account);
	return why;
}

/* Takes everything over into structs of full size. The driver that was loaded is not changed. */
static const char *adopt(
	struct pctl_plugin *plugin, const struct pctl_driver *loaded, const char *name)
{
	struct pctl_driver *d = &plugin->driver;

	copy_struct(d, sizeof(*d), loaded);
	const char *why = what_is_wrong(d, name);
	if (why)
		return why;
	COPY_INTERFACE(plugin, d, power);
	COPY_INTERFACE(plugin, d, boot);
	COPY_INTERFACE(plugin, d, inspect);
	COPY_INTERFACE(plugin, d, identify);
	COPY_INTERFACE(plugin, d, console);
	COPY_INTERFACE(plugin, d, display);
	COPY_INTERFACE(plugin, d, log);
	COPY_INTERFACE(plugin, d, sensors);
	COPY_INTERFACE(plugin, d, consent);
	COPY_INTERFACE(plugin, d, account);
	COPY_INTERFACE(plugin, d, media);
	COPY_INTERFACE(plugin, d, discover);
	why = wrong_limits(d);
	return why ? why : adopt_tables(plugin);
}

static int check_symbol(const struct pctl_driver *d, const char *path, struct pctl_error *err)
{
	if (!d)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is not a driver plugin: it has no symbol pctl_driver", path);
	if (d->size < UP_TO(struct pctl_driver, name) || d->size >= 65536)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is not a driver plugin: its pctl_driver has a size of %u bytes", path,
			d->size);
	if (d->abi != PCTL_DRIVER_ABI)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s was built for driver ABI %u, this program has %u; it needs to be built "
			"again",
			path, d->abi, PCTL_DRIVER_ABI);
	return 0;
}

static bool binds_at_once(void *library)
{
	const struct link_map *map = NULL;

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) < 0 || !map)
		return false;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_BIND_NOW ||
			(d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_BIND_NOW)) ||
			(d->d_tag == DT_FLAGS_1 && (d->d_un.d_val & DF_1_NOW)))
			return true;
	}
	return false;
}

/*
 * A plugin is bound when it is loaded, so that what it lacks is known then. Those linked with -z
 * now bind themselves; RTLD_NOW would bind all the libraries they need as well, some forty with
 * libcurl, and that takes longer than a command for one machine.
 */
static void *open_library(const char *path)
{
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);

	if (!library || binds_at_once(library))
		return library;
	(void)dlclose(library);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

int pctl_plugin_load(
	const char *dir, const char *name, struct pctl_plugin **ret, struct pctl_error *err)
{
	PCTL_AUTO(close_library) void *library = NULL;

	/* The name comes from a file: it must not be able to leave dir. */
	if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(name))
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' is not a driver's name", name);

	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s.so", dir, name);
	int r = check_owner("the plugin directory", dir, err);
	if (r == 0 && access(path, F_OK) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"there is no driver '%s' (%s does not exist)", name, path);
	if (r == 0)
		r = check_owner("the plugin", path, err);
	if (r < 0)
		return r;

	library = open_library(path);
	if (!library)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "driver '%s' cannot be loaded: %s", name, dlerror());
	const struct pctl_driver *loaded = dlsym(library, "pctl_driver");
	r = check_symbol(loaded, path, err);
	if (r < 0)
		return r;

	struct pctl_plugin *plugin = pctl_xcalloc(1, sizeof(*plugin));
	const char *why = adopt(plugin, loaded, name);
	if (why) {
		pctl_plugin_free(plugin);
		return pctl_error_set(err, PCTL_E_CONFIG, "%s was refused: %s", path, why);
	}
	pctl_crash_plugin(name, loaded);
	plugin->path = path;
	path = NULL;
	library = NULL; /* kept: drivers are never unloaded */
	*ret = plugin;
	return 0;
}

void pctl_plugin_free(struct pctl_plugin *plugin)
{
	if (!plugin)
		return;
	for (size_t i = 0; plugin->parameters && i < METHODS_MAX; i++)
		free(plugin->parameters[i]);
	free(plugin->parameters);
	free(plugin->methods);
	free(plugin->properties);
	free(plugin->path);
	free(plugin);
}
