/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pattern of <powerctl/nodeset.h>, taken apart: literal texts and brackets in turn. Nothing is
 * made of it until it is walked, so that a pattern for too many names costs no more than its text.
 */
#ifndef POWERCTL_CORE_RANGE_H
#define POWERCTL_CORE_RANGE_H

#include <powerctl/nodeset.h>

/* The most digits that count as a number: what fits in 64 bits whatever they are. */
#define PCTL_DIGITS_MAX 18u

/* Where a reader is in a text, and the mistake that it found there. */
struct pctl_scan {
	const char *text;
	const char *s;          /* the next byte to read */
	size_t at;              /* of the mistake: offset in text */
	struct pctl_error *err; /* may be NULL */
};

/* Notes a mistake at a place in the scan's text. Returns PCTL_E_CONFIG. */
int pctl_scan_mistake(struct pctl_scan *scan, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void pctl_scan_blanks(struct pctl_scan *scan);

/* 1-9/2 within a bracket: first, first + step, ... */
struct pctl_span {
	uint64_t first, step, count;
	unsigned width;   /* digits at least; filled up with zeros */
	unsigned longest; /* digits of the last one */
};

/* A literal and the bracket behind it; a pattern's last part may have no bracket. */
struct pctl_part {
	const char *text; /* borrowed from the scan's text */
	size_t len;
	size_t span, spans; /* the bracket's: index and number; 0: no bracket */
	uint64_t count;     /* of the bracket; 1 without, saturating */
};

struct pctl_range {
	struct pctl_part *parts;
	size_t nparts, parts_cap; /* no part: the pattern is empty */
	struct pctl_span *spans;
	size_t nspans, spans_cap;
	uint64_t count; /* names, saturating */
	size_t longest; /* bytes in the longest name */
};

/*
 * Reads a pattern up to a blank, an operator or the end; range is all zero before, borrows the
 * text and is for pctl_range_done() also when there was a mistake.
 */
int pctl_range_parse(struct pctl_scan *scan, struct pctl_range *range);
void pctl_range_done(struct pctl_range *range);

/* A mistake, at the bracket that goes too far, if it stands for more than PCTL_NAMES_MAX. */
int pctl_range_check_count(struct pctl_scan *scan, const struct pctl_range *range);

/* Makes the names, one at a time and in order; name is valid within each(). */
int pctl_range_walk(const struct pctl_range *range, pctl_range_each_fn *each, void *data);

#endif
