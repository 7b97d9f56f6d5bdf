/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that have no place here; included by force before every file of ours. Each has a
 * bounded or checked counterpart in <powerctl/buf.h>, <powerctl/parse.h> or <powerctl/mem.h>.
 */
#ifndef POWERCTL_BANNED_H
#define POWERCTL_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifdef __has_include
#if __has_include(<alloca.h>)
#include <alloca.h>
#endif
#endif

#undef alloca
#undef sprintf /* macros of glibc for clang, with _FORTIFY_SOURCE */
#undef vsprintf
#undef strdupa
#undef strndupa
#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll atof sscanf strtol strtoll strtoul strtoull alloca strdupa
#pragma GCC poison system popen tmpnam mktemp

#endif
