/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `powerctl check` finds at a device: a word that programs know it by, how bad it is, a line
 * that says what it is, and what mends it. The words are those of docs/names.md.
 */
#ifndef POWERCTL_FINDING_H
#define POWERCTL_FINDING_H

#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pctl_finding_class {
	/* Something does not work, or lets in who has no login: the node fails. */
	PCTL_FINDING_FAULT,
	/* Something will not work, or not for everybody; it may be as somebody wants it to be. */
	PCTL_FINDING_WARNING,
	/* Nothing is wrong; it is good to know. */
	PCTL_FINDING_INFO,
};

/* "fault", "warning", "info"; NULL for what is none of them. */
PCTL_API const char *pctl_finding_class_name(enum pctl_finding_class how);
/* The class of a word; what is none, NULL as well, is taken for the worst. */
PCTL_API enum pctl_finding_class pctl_finding_class_of(const char *word);

/*
 * Adds one to ret["findings"], a list, which is made if it is not there; the text is fmt's. Equal
 * texts of several nodes are shown as one: what differs between nodes that have the same trouble
 * (seconds, serial numbers) belongs into keys of their own. mend: what to do, with a command in
 * backquotes wherever there is one, in which NODE stands for the node; NULL: nothing is to be done.
 * Returns its map, which is ret's, for more keys.
 */
PCTL_API struct pctl_value *pctl_finding_add(struct pctl_value *ret, enum pctl_finding_class how,
	const char *name, const char *mend, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * A device's clock ("clock"), in seconds since 1970, beside this host's: a warning where they are
 * more than five minutes apart, with the key skew_s. Whether there was one.
 */
PCTL_API bool pctl_finding_clock(struct pctl_value *ret, int64_t theirs, const char *mend);

/*
 * A certificate ("certificate") that holds from and until so many seconds since 1970: a fault where
 * it is over, or has not begun; a warning where it is in 30 days; with the keys not_before and
 * not_after. Whether there was one.
 */
PCTL_API bool pctl_finding_certificate(
	struct pctl_value *ret, int64_t not_before, int64_t not_after, const char *mend);

#ifdef __cplusplus
}
#endif

#endif
