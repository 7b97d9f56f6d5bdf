/* SPDX-License-Identifier: Apache-2.0 */
/* The account that logs in, and how its password is changed: methods of AMT_AuthorizationService.
 */
#ifndef POWERCTL_AMTSIM_ACCOUNT_H
#define POWERCTL_AMTSIM_ACCOUNT_H

#include "classes.h"

/* Of its entry among the users, where it is not the administrator's. */
enum { ACCOUNT_HANDLE = 7 };
#define ACCOUNT_ADMIN  "admin"
#define ACCOUNT_REALMS "3\n12\n21"

bool account_is_admin(const struct device *dev);
enum fault account_set_admin(struct call *c, uint32_t *ret_value);
/* Takes the entry above only. */
enum fault account_update(struct call *c, uint32_t *ret_value);

#endif
