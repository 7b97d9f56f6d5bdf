/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a BMC refuses a login, in our classes and in words: pure. */
#ifndef POWERCTL_IPMI_STATUS_H
#define POWERCTL_IPMI_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <powerctl/error.h>

/*
 * An RMCP+ status code other than 0 (IPMI 2.0, table 13-15). Fills err, which has "RMCP+ status
 * XXh" as the device's own code, and returns the class.
 */
int status_rmcpplus(uint8_t status, struct pctl_error *err);

/* Whether the status says that this cipher suite cannot be had: another one may do. */
bool status_is_about_suite(uint8_t status);

#endif
