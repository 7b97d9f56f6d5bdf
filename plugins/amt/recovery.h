/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of One-Click Recovery, as AMT_BootSettingData carries them: entries of vendor,
 * type and length, one after the other, in base64. No I/O.
 */
#ifndef POWERCTL_AMT_RECOVERY_H
#define POWERCTL_AMT_RECOVERY_H

#include <powerctl/error.h>
#include <powerctl/secret.h>

#define RECOVERY_MAX_URL   300u
#define RECOVERY_MAX_NAME  256u
#define RECOVERY_MAX_LOGIN 16u
#define RECOVERY_MAX_HASH  64u
/* All entries there are, each with its head. */
#define RECOVERY_MAX_BYTES                                                              \
	(8 * 8 + RECOVERY_MAX_URL + 2 * RECOVERY_MAX_HASH + 1 + RECOVERY_MAX_NAME + 2 + \
		2 * RECOVERY_MAX_LOGIN)

/* What the firmware is told. NULL: nothing of that. */
struct recovery_wish {
	const char *url;         /* http:// or https:// */
	const char *image_hash;  /* SHA-256, -384 or -512 in hexadecimal */
	const char *server_name; /* that the server's certificate has to have; .x: at its end */
	const char *server_hash; /* of the server's certificate, as image_hash */
	const char *user;        /* goes with password only */
	const struct pctl_secret *password;
};

/* base64 may hold the password: wipe it. */
struct recovery {
	unsigned count; /* of entries: the firmware compares */
	char base64[4 * ((RECOVERY_MAX_BYTES + 2) / 3) + 1];
};

/*
 * An image from the network, checked against the root certificates in the device where it comes
 * over https. PCTL_E_CONFIG names what the firmware would not take: `--url`, or the setting.
 */
int recovery_network(
	const struct recovery_wish *wish, struct recovery *ret, struct pctl_error *err);
/* The same checks of all but the URL. */
int recovery_check(const struct recovery_wish *wish, struct pctl_error *err);

/* An application on the machine's own disk, by the path that its boot source has. PCTL_E_PROTOCOL:
 * it has none that can be sent back. */
int recovery_file(const char *path, struct recovery *ret, struct pctl_error *err);

/* The bytes of a hash in hexadecimal: 32, 48 or 64, else 0 (ret may be anything then). */
size_t recovery_hash(const char *hex, unsigned char ret[RECOVERY_MAX_HASH]);

#endif
