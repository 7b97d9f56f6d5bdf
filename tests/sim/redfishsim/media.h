/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual media: an image by its URL. */
#ifndef POWERCTL_REDFISHSIM_MEDIA_H
#define POWERCTL_REDFISHSIM_MEDIA_H

#include "util.h"

enum { MEDIA_SLOTS = 2 };

/* The name of the image is on the heap; NULL: nothing is in. */
struct media {
	char *image;
	bool write_protected;
};

void media_insert(struct media *m, const char *image, bool write_protected);
void media_eject(struct media *m);

#endif
