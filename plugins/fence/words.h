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

#define FENCE_BEFORE 1u /* said before anything was asked of the device that changes it */
#define FENCE_VAGUE  2u /* has many reasons: lines before it may tell which */
#define FENCE_PLAIN                                                                                \
	4u               /* means that wherever it stands, also where it is not logged as an error \
			  */
#define FENCE_MISSING 8u /* a program or module that the agent needs is not there */

/* What a line means. */
struct fence_meaning {
	const char *part;  /* of the line, in any case */
	int code;          /* PCTL_E_ */
	unsigned flags;    /* PCTL_ERROR_ */
	unsigned kind;     /* FENCE_ */
	const char *words; /* what it says to those who do not know the protocol; NULL */
};
/* Never NULL: what nobody knows was refused, and may have been done before. */
const struct fence_meaning *fence_words_meaning(const char *complaint);

#define FENCE_REASON_SIZE 240u

/* What came of an agent that was not content. */
struct fence_verdict {
	char text[FENCE_REASON_SIZE + 40]; /* "": it did not say why */
	int code;
	unsigned flags;
	bool before; /* it changed nothing */
};
/*
 * By the last line that says something, without the time and level that Python's logging puts
 * before it, or where that is vague by the lines before it: certain is a
 * wrong password only where an agent, or the program that it runs, says so.
 */
void fence_words_judge(const char *said, size_t len, struct fence_verdict *ret);

/*
 * The last line that says something and was not logged as INFO or DEBUG, without time and level;
 * "": there is none.
 */
void fence_words_last(const char *said, size_t len, char ret[FENCE_REASON_SIZE]);

/*
 * The `verbose_level` that an agent with this parameter needs to say why it failed; 0: it does
 * without, or would say more than is good.
 */
unsigned fence_words_verbose(const char *parameter);

enum fence_state { FENCE_NO_STATE, FENCE_ON, FENCE_OFF };
/* What the line "Status: ON" or "Status: OFF" says; FENCE_NO_STATE: none, or both. */
enum fence_state fence_words_state(const char *out, size_t len);

#endif
