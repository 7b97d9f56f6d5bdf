/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: Basic, sessions with a limit and an end, an account that locks. */
#ifndef POWERCTL_REDFISHSIM_LOGIN_H
#define POWERCTL_REDFISHSIM_LOGIN_H

#include "util.h"

struct call;
struct device;

enum { SESSIONS_MAX = 64, TOKEN_TEXT = 32 };

struct session {
	uint32_t id;
	uint64_t seen;
	char token[TOKEN_TEXT + 1];
};

/* list is made with the first session; an id of 0 is free. */
struct sessions {
	struct session *list;
	uint32_t next;
	uint32_t bad;
	uint64_t locked_until;
};

/* Whether a request may go on; false: 401 is the answer already. */
bool login_check(struct call *c);
bool login_is_locked(const struct device *dev);
/* 401, with these words, or others where the account is locked and that is told. */
void login_refuse(struct call *c, const char *id, const char *words);
bool login_right(struct device *dev, struct str user, struct str password);
/* NULL: there are too many. */
struct session *login_open(struct device *dev);
struct session *login_find(struct device *dev, struct str id);
void login_close(struct session *s);
/* All tokens are void. */
void login_forget(struct device *dev);
uint32_t login_count(struct device *dev);

#endif
