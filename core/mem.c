/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/mem.h>

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void *pctl_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		abort();
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

char *pctl_xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
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
		abort();
	void *p = realloc(array, n * size);
	if (!p)
		abort();
	*cap = n;
	return p;
}
