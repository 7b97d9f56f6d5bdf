/* SPDX-License-Identifier: Apache-2.0 */
/* One folder for all tests of a file. */
#ifndef POWERCTL_TESTS_FOLDER_HELP_H
#define POWERCTL_TESTS_FOLDER_HELP_H

#include "test.h"

static char folder[256];

/* The group's setup and teardown. */
static int make_folder(void **state)
{
	(void)state;
	test_folder(folder, sizeof(folder));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	test_remove_folder(folder);
	return 0;
}

#endif
