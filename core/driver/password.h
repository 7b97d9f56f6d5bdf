/* SPDX-License-Identifier: Apache-2.0 */
/* What devices ask of a password: checked before anything is sent, and made up by. No I/O. */
#ifndef POWERCTL_CORE_PASSWORD_H
#define POWERCTL_CORE_PASSWORD_H

#include <powerctl/driver.h>

/* The rules of one or several drivers, all of which hold. All zero: none. */
struct pctl_password_rules {
	uint32_t min, max, classes, made;
	char forbidden[96];
};

/* Whatever both allow is allowed afterwards. */
void pctl_password_rules_add(
	struct pctl_password_rules *rules, const struct pctl_account_if *account);

/* PCTL_E_CONFIG with what is wrong; the text says nothing of the password itself. */
int pctl_password_check(const struct pctl_password_rules *rules, const struct pctl_secret *password,
	struct pctl_error *err);

/* A random one that they allow. PCTL_E_CONFIG: they contradict each other. */
int pctl_password_make(
	const struct pctl_password_rules *rules, struct pctl_secret **ret, struct pctl_error *err);

#endif
