/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdarg.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "text.h"

static void say_line(const char *s)
{
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_LINE_MAX);
	text_clean(&line, s);
	(void)fprintf(stderr, "powerctl: %s\n", line.data);
	pctl_buf_done(&line);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	say_line(s);
	free(s);
}

void say_problems(const struct pctl_problems *problems)
{
	size_t n = pctl_problems_count(problems), i = 0;

	for (; i < n; i++) {
		const char *line = pctl_problems_at(problems, i);

		if (!line)
			break;
		say_line(line);
	}
	if (i < n)
		say("and %zu more", n - i);
}
