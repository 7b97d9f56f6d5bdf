/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/finding.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <powerctl/mem.h>

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define SKEW_MAX  (5 * MINUTE) /* what Kerberos takes, for one */
#define SOON      (30 * DAY)
#define SET_SINCE 1262304000 /* 2010: what is before that was never set */

static const char *const classes[] = { "fault", "warning", "info" };

const char *pctl_finding_class_name(enum pctl_finding_class how)
{
	return (unsigned)how < sizeof(classes) / sizeof(classes[0]) ? classes[how] : NULL;
}

enum pctl_finding_class pctl_finding_class_of(const char *word)
{
	enum pctl_finding_class how = PCTL_FINDING_INFO;

	while (how > PCTL_FINDING_FAULT && (!word || strcmp(word, classes[how]) != 0))
		how--;
	return how;
}

struct pctl_value *pctl_finding_add(struct pctl_value *ret, enum pctl_finding_class how,
	const char *name, const char *mend, const char *fmt, ...)
{
	struct pctl_value *list = pctl_value_get(ret, "findings");
	struct pctl_value *map = pctl_value_new_map();
	va_list ap;

	va_start(ap, fmt);
	PCTL_AUTO(free) char *what = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	if (!list) {
		list = pctl_value_new_list();
		pctl_value_set(ret, "findings", list);
	}
	pctl_value_set_text(map, "class", pctl_finding_class_name(how));
	pctl_value_set_text(map, "name", name);
	pctl_value_set_text(map, "what", what);
	pctl_value_set_text(map, "mend", mend);
	pctl_value_add(list, map);
	return map;
}

/* No number: what goes wrong by minutes on one node goes wrong by other minutes on the next. */
static const char *how_much(int64_t seconds)
{
	if (seconds < HOUR)
		return "minutes";
	return seconds < DAY ? "hours" : "days";
}

bool pctl_finding_clock(struct pctl_value *ret, int64_t theirs, const char *mend)
{
	int64_t skew = theirs - (int64_t)time(NULL);
	struct pctl_value *map;

	if (skew >= -SKEW_MAX && skew <= SKEW_MAX)
		return false;
	if (theirs < SET_SINCE)
		map = pctl_finding_add(
			ret, PCTL_FINDING_WARNING, "clock", mend, "its clock was never set");
	else
		map = pctl_finding_add(ret, PCTL_FINDING_WARNING, "clock", mend,
			"its clock is %s %s this host's", how_much(skew < 0 ? -skew : skew),
			skew < 0 ? "behind" : "ahead of");
	pctl_value_set_int(map, "skew_s", skew);
	return true;
}

static void set_time(struct pctl_value *map, const char *key, int64_t seconds)
{
	char text[sizeof("2026-11-20T19:59:54Z") + 16] = "";
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		pctl_value_set_text(map, key, text);
}

bool pctl_finding_certificate(
	struct pctl_value *ret, int64_t not_before, int64_t not_after, const char *mend)
{
	int64_t now = (int64_t)time(NULL);
	struct pctl_value *map;

	if (not_after <= now)
		map = pctl_finding_add(ret, PCTL_FINDING_FAULT, "certificate", mend,
			"its TLS certificate has expired");
	else if (not_before > now)
		map = pctl_finding_add(ret, PCTL_FINDING_FAULT, "certificate", mend,
			"its TLS certificate is not valid yet");
	else if (not_after - now <= SOON)
		map = pctl_finding_add(ret, PCTL_FINDING_WARNING, "certificate", mend,
			"its TLS certificate expires in less than 30 days");
	else
		return false;
	set_time(map, "not_before", not_before);
	set_time(map, "not_after", not_after);
	return true;
}
