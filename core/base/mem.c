/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/mem.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <powerctl/parse.h>

/* What is under way at that time needs some more until it has ended. */
#define RESERVE_BYTES ((size_t)4 << 20)

static _Atomic(void *) reserve;

bool pctl_memory_is_short(void)
{
	if (atomic_load(&reserve))
		return false;
	void *p = mmap(NULL, RESERVE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return true;
	void *none = NULL;
	if (!atomic_compare_exchange_strong(&reserve, &none, p))
		(void)munmap(p, RESERVE_BYTES);
	return false;
}

/* Of what RLIMIT_AS allows; proc(5): statm begins with the size in pages. */
uint64_t pctl_memory_room(void)
{
	uint64_t pages, page = (uint64_t)sysconf(_SC_PAGESIZE);
	char line[64];
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return UINT64_MAX;
	bool read = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	if (!read)
		return UINT64_MAX;
	line[strcspn(line, " ")] = '\0';
	if (pctl_parse_uint(line, UINT64_MAX / page, &pages) < 0)
		return UINT64_MAX;
	uint64_t used = pages * page;
	return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

bool pctl_memory_give(void)
{
	void *p = atomic_exchange(&reserve, NULL);

	return p && munmap(p, RESERVE_BYTES) == 0;
}

/* Whoever runs under a limit wants no core file; and here nothing may be allocated any more. */
void pctl_out_of_memory(void)
{
	static const char text[] =
		": out of memory: what is printed holds, what was under way is not known. Fewer "
		"nodes at once (--fanout 64) or in one command, or a larger limit (ulimit -v) "
		"helps\n";
	const char *name = program_invocation_short_name;

	(void)fflush(stdout);
	if (write(STDERR_FILENO, name, strlen(name)) < 0 ||
		write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

void *pctl_xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	while (!p && pctl_memory_give())
		p = malloc(size ? size : 1);
	if (!p)
		pctl_out_of_memory();
	return p;
}

void *pctl_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	while (!p && pctl_memory_give())
		p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		pctl_out_of_memory();
	return p;
}

char *pctl_xstrdup(const char *s)
{
	return pctl_xstrndup(s, strlen(s));
}

char *pctl_xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = pctl_xcalloc(len + 1, 1);

	memcpy(copy, s, len);
	return copy;
}

char *pctl_xvasprintf(const char *fmt, va_list ap)
{
	va_list again;
	char *s = NULL;

	va_copy(again, ap);
	if (vasprintf(&s, fmt, ap) < 0 && (!pctl_memory_give() || vasprintf(&s, fmt, again) < 0))
		pctl_out_of_memory();
	va_end(again);
	return s;
}

char *pctl_xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void *pctl_xgrow(void *array, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return array;

	size_t n = *cap > 8 ? *cap : 8;
	while (n < need)
		n += n / 2;
	if (n > SIZE_MAX / size)
		pctl_out_of_memory();
	void *p;
	do
		p = realloc(array, n * size); /* where it fails, array is as it was */
	while (!p && pctl_memory_give());
	if (!p)
		pctl_out_of_memory();
	*cap = n;
	return p;
}
