/* SPDX-License-Identifier: Apache-2.0 */
#include "media.h"

#include <stdlib.h>
#include <string.h>

void media_insert(struct media *m, const char *image, bool write_protected)
{
	char *text = strdup(image);

	if (!text)
		abort();
	free(m->image);
	m->image = text;
	m->write_protected = write_protected;
}

void media_eject(struct media *m)
{
	free(m->image);
	m->image = NULL;
}
