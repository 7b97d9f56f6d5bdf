/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name for a login that tells nothing about it: HMAC-SHA-256 of credential, user, secrets and the
 * settings that are files, choices or switches (rights, ciphers, certificates), under a random key
 * that stays on this machine. Another password is another name.
 */
#ifndef POWERCTL_CORE_FINGERPRINT_H
#define POWERCTL_CORE_FINGERPRINT_H

#include "node/core.h"

#define PCTL_SALT_SIZE        32u
#define PCTL_FINGERPRINT_SIZE 33u

/*
 * Reads the key from path, or makes the file, 0600. Where that is not possible, or path is NULL,
 * the key holds for this process only.
 */
void pctl_salt_load(const char *path, unsigned char ret[PCTL_SALT_SIZE]);

/* false: this node logs in with no secret; ret is left alone. */
bool pctl_fingerprint(const unsigned char salt[PCTL_SALT_SIZE], const struct pctl_target *target,
	char ret[PCTL_FINGERPRINT_SIZE]);

#endif
