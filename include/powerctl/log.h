/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug and trace output. The core and drivers log nothing else: failures are returned, and the
 * program alone decides what a person sees. No secret is ever passed to these functions.
 */
#ifndef POWERCTL_LOG_H
#define POWERCTL_LOG_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_device;

enum pctl_log_level {
	PCTL_LOG_TRACE, /* --trace: every op and every exchange, secrets redacted */
	PCTL_LOG_DEBUG, /* -vv: decisions */
};

/* One line, without its end. node is NULL where no node is concerned. */
typedef void pctl_log_sink_fn(
	void *data, enum pctl_log_level level, const char *node, const char *line);

/* For programs: where lines go. Without a sink (the default) nothing is formatted. */
PCTL_API void pctl_log_set_sink(
	pctl_log_sink_fn *sink, void *data, enum pctl_log_level lowest_level);

/* Whether a line of this level would go anywhere: ask before costly formatting. */
PCTL_API bool pctl_log_enabled(enum pctl_log_level level);

/* device may be NULL. */
PCTL_API void pctl_log(enum pctl_log_level level, const struct pctl_device *device, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
