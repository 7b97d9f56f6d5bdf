/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the null driver know of each other. */
#ifndef POWERCTL_NULL_NULL_H
#define POWERCTL_NULL_NULL_H

#include <powerctl/driver.h>

struct null_dev;
typedef void null_finish_fn(struct null_dev *dev, struct pctl_op *op);

struct null_dev {
	struct pctl_device *device;
	enum pctl_power_state state;
	enum pctl_power_state before; /* what is read until the transition is over */
	uint64_t changed_at;          /* loop time in ms */
	struct pctl_boot boot;
	uint64_t failed;
	unsigned wrong_codes;

	/* The op in flight; the core has one per device. */
	uv_timer_t timer;
	struct pctl_op *op;
	null_finish_fn *finish;
	struct pctl_power *power;
	enum pctl_action action;
	bool steal;
	struct pctl_session **ret_session;

	pctl_closed_fn *closed;
	void *closed_data;
};

/* finish follows when the device's latency is over, unless op is aborted before. */
void null_finish_later(struct null_dev *dev, struct pctl_op *op, null_finish_fn *finish);

/* Whether this op is to fail as a setting says; it ends then, or hangs. setting: "fail_reads". */
bool null_failed(void *data, struct pctl_op *op, const char *setting);
/* What the machine does by itself, at once. */
void null_set_state(void *data, enum pctl_power_state state);
void null_forget_boot(void *data);

/* pctl_inspect_if.check */
void null_check(void *data, struct pctl_op *op, struct pctl_value *ret);
extern const struct pctl_console_if null_console;
extern const char *const null_console_faults[];
extern const struct pctl_display_if null_display;
extern const struct pctl_log_if null_log;
extern const struct pctl_sensors_if null_sensors;
/* Whether somebody has to agree first, as its settings say; ends op then. */
bool null_lacks_consent(struct null_dev *dev, struct pctl_op *op);

extern const struct pctl_consent_if null_consent;
extern const struct pctl_account_if null_account;
extern const struct pctl_media_if null_media;
extern const struct pctl_discover_if null_discover;
extern const struct pctl_method null_methods[];

#endif
