/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of ours. These functions do not return on exhaustion: sizes that a peer chooses are capped
 * before anything is allocated, so running out is a fault of the host and not an input.
 */
#ifndef POWERCTL_MEM_H
#define POWERCTL_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Some memory is kept back from the first time this is asked. It is given out when there is none
 * left; from then on, until it could be taken again, memory is short, and who can wait begins
 * nothing new.
 */
PCTL_API bool pctl_memory_is_short(void);
/* How many more bytes this process may ask for (`ulimit -v`). UINT64_MAX: as many as there are. */
PCTL_API uint64_t pctl_memory_room(void);
/* Gives it out, for a library that had none: try again. False: it was given out already. */
PCTL_API bool pctl_memory_give(void);

/*
 * What they end the program with, and what does for a library that says it has none: writes out
 * standard output, says what helps, exits with status 1.
 */
PCTL_API void pctl_out_of_memory(void) __attribute__((noreturn));

/* Its bytes are not initialised. */
PCTL_API void *pctl_xmalloc(size_t size);
PCTL_API void *pctl_xcalloc(size_t n, size_t size);
PCTL_API char *pctl_xstrdup(const char *s);
PCTL_API char *pctl_xstrndup(const char *s, size_t n);
PCTL_API char *pctl_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
PCTL_API char *pctl_xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/*
 * Makes room for at least need elements of size bytes in array, of which *cap are there, growing
 * geometrically; returns the array, perhaps moved. New elements are not initialised.
 */
PCTL_API void *pctl_xgrow(void *array, size_t *cap, size_t need, size_t size);

/* Scope-bound ownership: PCTL_AUTO(free) char *s = ...; give it away with *ret = s; s = NULL; */
#define PCTL_AUTO(fn) __attribute__((cleanup(pctl_auto_##fn)))
#define PCTL_DEFINE_AUTO(type, fn)                 \
	static inline void pctl_auto_##fn(type *p) \
	{                                          \
		if (*p)                            \
			fn(*p);                    \
	}

static inline void pctl_auto_free(void *p)
{
	free(*(void **)p);
}

#define pctl_container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#ifdef __cplusplus
}
#endif

#endif
