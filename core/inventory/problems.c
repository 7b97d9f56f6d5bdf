/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/problems.h"

#include <stdarg.h>
#include <stdio.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "base/strmap.h"

#define KEPT_MAX       200u
#define LINE_MAX_BYTES 4096u

struct pctl_problems {
	char *lines[KEPT_MAX];
	size_t kept;
	size_t count; /* also those that were not kept */
	size_t said;  /* also those that were said before */
	struct pctl_strmap seen;
};

struct pctl_problems *pctl_problems_new(void)
{
	return pctl_xcalloc(1, sizeof(struct pctl_problems));
}

void pctl_problems_free(struct pctl_problems *problems)
{
	if (!problems)
		return;
	for (size_t i = 0; i < problems->kept; i++)
		free(problems->lines[i]);
	pctl_strmap_done(&problems->seen);
	free(problems);
}

size_t pctl_problems_count(const struct pctl_problems *problems)
{
	return problems->count;
}

size_t pctl_problems_said(const struct pctl_problems *problems)
{
	return problems->said;
}

const char *pctl_problems_at(const struct pctl_problems *problems, size_t i)
{
	return i < problems->kept ? problems->lines[i] : NULL;
}

static void keep(struct pctl_problems *problems, const char *line)
{
	problems->said++;
	if (pctl_strmap_get(&problems->seen, line))
		return;
	problems->count++;
	if (problems->kept == KEPT_MAX)
		return;
	*pctl_strmap_put(&problems->seen, line) = problems;
	problems->lines[problems->kept++] = pctl_xstrdup(line);
}

void pctl_problems_addv(
	struct pctl_problems *problems, struct pctl_place place, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	struct pctl_buf line;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	pctl_buf_init(&line, 2 * sizeof(text));
	if (place.file && place.line)
		pctl_buf_addf(&line, "%s:%u:%u: ", place.file, place.line, place.column);
	else if (place.file)
		pctl_buf_addf(&line, "%s: ", place.file);
	pctl_buf_adds(&line, text);
	keep(problems, line.data);
	pctl_buf_done(&line);
}

void pctl_problems_add(
	struct pctl_problems *problems, struct pctl_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pctl_problems_addv(problems, place, fmt, ap);
	va_end(ap);
}
