/* SPDX-License-Identifier: Apache-2.0 */
/* The files of cli/template/, which the build puts into the program: cmake/Embed.cmake. */
#ifndef POWERCTL_CLI_EMBEDDED_H
#define POWERCTL_CLI_EMBEDDED_H

struct embedded_file {
	const char *name; /* NULL: the end */
	const char *text;
};

extern const struct embedded_file embedded_files[];

#endif
