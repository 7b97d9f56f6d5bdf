/* SPDX-License-Identifier: Apache-2.0 */
/* Loading one driver plugin, and nothing of it is called before it was checked. */
#ifndef POWERCTL_CORE_PLUGIN_H
#define POWERCTL_CORE_PLUGIN_H

#include <powerctl/driver.h>

/*
 * A loaded driver as the core uses it: every struct of the contract copied to its full size, so
 * that what an older, shorter plugin lacks is zero and nobody else asks about sizes. Never
 * unloaded.
 */
struct pctl_plugin {
	struct pctl_driver driver;
	struct pctl_power_if power;
	struct pctl_boot_if boot;
	struct pctl_inspect_if inspect;
	struct pctl_identify_if identify;
	struct pctl_console_if console;
	struct pctl_property *properties;
	char *path;

	struct pctl_display_if display;
	struct pctl_log_if log;
	struct pctl_sensors_if sensors;
	struct pctl_account_if account;
	struct pctl_media_if media;
	struct pctl_discover_if discover;
	struct pctl_method *methods;
	struct pctl_property **parameters; /* a method's copied table, in the order of methods */
	size_t methods_n;

	struct pctl_consent_if consent;
};

/*
 * A table that a describe() returned, copied in the same way, beside the driver's own: free() it.
 * NULL: it is not what the contract says; *ret_why then says how.
 */
struct pctl_property *pctl_plugin_copy_second(
	const struct pctl_driver *driver, const struct pctl_property *table, const char **ret_why);

/*
 * Loads <dir>/<name>.so. PCTL_E_CONFIG: no such plugin, or refused; err names what it had and what
 * was wanted. free with pctl_plugin_free(), which leaves the code mapped.
 */
int pctl_plugin_load(
	const char *dir, const char *name, struct pctl_plugin **ret, struct pctl_error *err);
void pctl_plugin_free(struct pctl_plugin *plugin);

#endif
