/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/log.h>

#include <stdarg.h>
#include <stdio.h>

#include <powerctl/device.h>

/* The one place where a whole program's diagnostics meet; set before any loop runs. */
static struct {
	pctl_log_sink_fn *sink;
	void *data;
	enum pctl_log_level lowest;
} output;

void pctl_log_set_sink(pctl_log_sink_fn *sink, void *data, enum pctl_log_level lowest_level)
{
	output.sink = sink;
	output.data = data;
	output.lowest = lowest_level;
}

bool pctl_log_enabled(enum pctl_log_level level)
{
	return output.sink && level >= output.lowest;
}

void pctl_log(enum pctl_log_level level, const struct pctl_device *device, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!pctl_log_enabled(level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	output.sink(output.data, level, device ? pctl_device_name(device) : NULL, line);
}
