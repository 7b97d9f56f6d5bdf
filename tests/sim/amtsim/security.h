/* SPDX-License-Identifier: Apache-2.0 */
/* Who may log in beside the administrator, and what of the set-up others ask for. */
#ifndef POWERCTL_AMTSIM_SECURITY_H
#define POWERCTL_AMTSIM_SECURITY_H

#include "classes.h"

/* The HA1 of a user of its list who is enabled. */
bool security_login(struct device *dev, struct str user, char ha1[33]);

/* Whether such a user has the realm of redirection. */
bool security_redirects(struct device *dev, struct str user);

/* The certificates that it trusts, in base64 of DER, a line each. */
void security_roots(struct device *dev, struct buf *out);

/* The certificate of that InstanceID, in base64 of DER, and its private key; NULL: there is none.
 */
const char *security_certificate(struct device *dev, struct str id);
const char *security_key(struct device *dev, struct str id);

/* Whether there is a certificate of that InstanceID, and the key that belongs to it. */
bool security_is_own(struct device *dev, struct str id);

/* Whether there is a certificate of that InstanceID that is trusted. */
bool security_is_root(struct device *dev, struct str id);

/* Methods of AMT_SetupAndConfigurationService. */
enum fault security_commit(struct call *c, uint32_t *ret_value);
enum fault security_unprovision(struct call *c, uint32_t *ret_value);

#endif
