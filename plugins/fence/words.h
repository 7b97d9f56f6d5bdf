/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about fence agents by their words: which parameters are not a user's to set, which
 * are secrets, and what their complaints mean. Tables and pure functions.
 */
#ifndef POWERCTL_FENCE_WORDS_H
#define POWERCTL_FENCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <powerctl/error.h>

enum fence_role {
	FENCE_SETTING, /* a setting of its own name */
	FENCE_ADDRESS, /* the node's address */
	FENCE_USER,    /* `username` */
	FENCE_WORD,    /* `password` */
	FENCE_PLUG,    /* `plug`: which machine behind the device */
	FENCE_OURS,    /* not to be set: why is in the manual page */
};

/* name: a parameter's, in lower case with _ for -. */
enum fence_role fence_words_role(const char *name);
bool fence_words_secret(const char *name);

/* Why an agent of this name switches no power; NULL: nothing is known against it. */
const char *fence_words_no_power(const char *agent);

/*
 * What an agent complained of: the last line of what it said that says something, without the time
 * and level that Python's logging puts before it. "" where there is none. At most size - 1 bytes.
 */
void fence_words_complaint(const char *said, size_t len, char *ret, size_t size);

/* What a complaint means. */
struct fence_meaning {
	const char *part; /* of the complaint, in any case */
	int code;         /* PCTL_E_ */
	unsigned flags;   /* PCTL_ERROR_ */
	bool before;      /* said before anything was asked of the device that changes it */
};
/* Never NULL: what nobody knows was refused, and may have been done before. */
const struct fence_meaning *fence_words_meaning(const char *complaint);

enum fence_state { FENCE_NO_STATE, FENCE_ON, FENCE_OFF };
/* What the line "Status: ON" or "Status: OFF" says; FENCE_NO_STATE: none, or both. */
enum fence_state fence_words_state(const char *out, size_t len);

#endif
