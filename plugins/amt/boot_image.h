/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what a URL has is something that UEFI firmware boots over HTTP: told by the answer's
 * Content-Type or the name's end (UEFI 2.10, section 24.7), and by its first bytes. No I/O.
 */
#ifndef POWERCTL_AMT_BOOT_IMAGE_H
#define POWERCTL_AMT_BOOT_IMAGE_H

#include <powerctl/error.h>

/* As much of its beginning as is looked at: an ISO says in its 17th sector what it is. */
#define BOOT_IMAGE_HEAD (36u << 10)

struct boot_image {
	const char *url;
	const char *content_type; /* or "" */
	const unsigned char *head;
	size_t len;
	bool secure_boot; /* Secure Boot will hold for it */
};

/* PCTL_E_REFUSED: the firmware would not start it, and why. */
int boot_image_check(const struct boot_image *image, struct pctl_error *err);

#endif
