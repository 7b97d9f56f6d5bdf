/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/mem.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

void *pctl_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

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
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		pctl_out_of_memory();
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
	void *p = realloc(array, n * size);
	if (!p)
		pctl_out_of_memory();
	*cap = n;
	return p;
}
