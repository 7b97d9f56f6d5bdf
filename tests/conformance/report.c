/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

void report_begin(struct report *report, const char *driver, size_t planned)
{
	*report = (struct report){ .driver = driver, .planned = planned };
	report->v = pctl_xcalloc(planned + 1, sizeof(*report->v));
	(void)printf("TAP version 13\n1..%zu\n", planned);
	(void)fflush(stdout);
}

/* Every line of it as TAP's diagnostics. */
static void print_lines(const char *text)
{
	for (; text && *text;) {
		size_t n = strcspn(text, "\n");

		(void)printf("# %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void report_add(struct report *report, const struct verdict *verdict)
{
	const struct check *c = verdict->check;

	report->v[report->n++] = *verdict;
	report->counts[verdict->outcome]++;
	(void)printf("%s %zu - %s.%s: %s%s%s\n", verdict->outcome == FAILED ? "not ok" : "ok",
		report->n, c->group, c->name, c->proves,
		verdict->outcome == SKIPPED ? " # SKIP " : "",
		verdict->outcome == SKIPPED ? verdict->why : "");
	if (verdict->outcome == FAILED) {
		print_lines(verdict->why);
		print_lines(verdict->said);
	}
	print_lines(verdict->note);
	(void)fflush(stdout);
}

static const char *judgement(unsigned passed, unsigned failed)
{
	if (failed)
		return "FAILS";
	return passed ? "conforms" : "WAS NOT CHECKED";
}

void report_summary(const struct report *report)
{
	unsigned passed = report->counts[PASSED], failed = report->counts[FAILED];

	(void)printf("# powerctl-driver-check " POWERCTL_VERSION ": driver %s %s: %u of %u checks "
		     "passed, %u do not apply%s\n",
		report->driver, judgement(passed, failed), passed, passed + failed,
		report->counts[SKIPPED], report->without_device ? " (no device was given)" : "");
}

/* --- JUnit. ----------------------------------------------------------------------------------- */

/* XML 1.0 has no control characters, whatever a driver says. */
static void print_xml(FILE *f, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			(void)fputs("&lt;", f);
		else if (c == '&')
			(void)fputs("&amp;", f);
		else if (c == '"')
			(void)fputs("&quot;", f);
		else if (c == '>')
			(void)fputs("&gt;", f);
		else if (c >= 32 && c < 127)
			(void)fputc(c, f);
		else
			(void)fputs(c == '\n' ? "&#10;" : "?", f);
	}
}

static void print_case(FILE *f, const struct report *report, const struct verdict *v)
{
	(void)fprintf(f, "  <testcase classname=\"%s.%s\" name=\"%s: ", report->driver,
		v->check->group, v->check->name);
	print_xml(f, v->check->proves);
	(void)fprintf(f, "\" time=\"%" PRIu64 ".%03u\">", v->ms / 1000, (unsigned)(v->ms % 1000));
	if (v->outcome == FAILED) {
		(void)fputs("<failure message=\"", f);
		print_xml(f, v->why);
		(void)fputs("\">", f);
		print_xml(f, v->said);
		(void)fputs("</failure>", f);
	} else if (v->outcome == SKIPPED) {
		(void)fputs("<skipped message=\"", f);
		print_xml(f, v->why);
		(void)fputs("\"/>", f);
	}
	(void)fputs("</testcase>\n", f);
}

bool report_junit(const struct report *report, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	(void)fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
		"name=\"powerctl-driver-check %s\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\">\n",
		report->driver, report->n, report->counts[FAILED], report->counts[SKIPPED]);
	for (size_t i = 0; i < report->n; i++)
		print_case(f, report, &report->v[i]);
	(void)fputs("</testsuite>\n", f);
	bool good = !ferror(f);
	return fclose(f) == 0 && good;
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->v[i].why);
		free(report->v[i].note);
		free(report->v[i].said);
	}
	free(report->v);
	*report = (struct report){ 0 };
}
