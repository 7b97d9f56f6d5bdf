/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the method cira: cira.c reads and checks, cira_server.c puts one server in place of
 * another or takes all away, cira_undo.c goes back where the device refuses that, cira_change.c
 * changes the rest.
 */
#ifndef POWERCTL_AMT_CIRA_H
#define POWERCTL_AMT_CIRA_H

#include "classes/chain.h"

/* How an address is told: InfoFormat. */
enum cira_format { CIRA_IPV4 = 3, CIRA_IPV6 = 4, CIRA_NAME = 201 };
enum cira_format cira_format(const char *address);
/* Hours and minutes of "03:30"; false: it is no time of the day. */
bool cira_parse_time(const char *text, unsigned *ret_hours, unsigned *ret_minutes);

#define CIRA_POLICY_SERVERS 2u /* that one policy names, at most */
#define CIRA_TRIGGERS       3u /* of policies that are made here: user, alert, periodic */

/* A policy that was there: all that it takes to make it again. */
struct cira_policy {
	char *name, *data; /* data: NULL: none */
	char *servers[CIRA_POLICY_SERVERS];
	uint64_t trigger, lifetime, order;
	char *networks; /* MpsType as it came; NULL: older firmware */
	bool gone;
};

/* On the way of one op; it is kept with the op, see cira_of(). */
struct cira {
	chain_fn *then;
	size_t stage;   /* of cira_change.c */
	size_t undoing; /* the step of going back */
	size_t at;      /* in the list that is gone through just now */
	struct cira_policy *policies;
	size_t n, room;
	struct cira_policy *going; /* the one that is being taken away */
	/* The new server by the firmware's name for it; NULL: it is not there. */
	char *added;
	char *made[CIRA_TRIGGERS]; /* names of the new policies */
	/* Of the server that had to go before the new one; in ret["servers"]. NULL: none. */
	const struct pctl_value *first;
	bool first_gone;
	char *restored;        /* the name that it has since it was put back */
	size_t failures;       /* of putting back */
	struct pctl_error why; /* which is why */
};
struct cira *cira_of(struct amt_dev *dev);

/* What was read under that key; NULL: there is none. */
const struct pctl_value *cira_listed(struct amt_dev *dev, const char *list);
/* Whether all of it shall go. */
bool cira_is_cleared(struct amt_dev *dev);
/* The texts of what was read; "": there is none. */
const char *cira_text_in(const struct pctl_value *map, const char *key);

/* How policies apply to servers, into the list "applied". */
extern const struct chain_step cira_applied_steps[];
/* Ends the op with what there is now. */
void cira_read(struct amt_dev *dev);
/* Reads everything, and goes on; except as with chain_read_or(). */
void cira_look(struct amt_dev *dev, chain_fn *then, amt_except_fn *except);
/* All that the parameters ask for, after they were checked and everything was read. */
void cira_change(struct amt_dev *dev);
/* What of it is about servers and policies; a refusal leaves, or puts back, what was there. */
void cira_change_server(struct amt_dev *dev, chain_fn *then);

/* --- cira_server.c: requests of both ways, there and back. ------------------------------------ */

/* With the login that is given; common_name: NULL: none. */
void cira_begin_server(
	struct amt_dev *dev, const char *address, uint64_t port_number, const char *common_name);
void cira_begin_policy(struct amt_dev *dev, const struct cira_policy *policy);
/* From which networks (type, MpsType) a policy calls a server. */
void cira_begin_apply(struct amt_dev *dev, const char *policy_name, const char *server_name,
	const char *type, uint64_t order);
/* Sends what was begun, which changes the device. */
void cira_send(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except);
/* The name that the firmware gave to what it added, for free(); NULL: it does not say. */
char *cira_name_in(const struct xml_node *answer, const char *key);

/* --- cira_undo.c. ----------------------------------------------------------------------------- */

/*
 * Ends the op after err: what was changed is put back. Where the device says no more, or was to
 * forget it all, nothing is.
 */
void cira_go_back(struct amt_dev *dev, const struct pctl_error *err);
/* Ends the op with cira.why and what the device has now. */
void cira_tell_what_is_left(struct amt_dev *dev);

#endif
