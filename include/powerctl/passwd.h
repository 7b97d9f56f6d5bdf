/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the passwords of devices so that no moment loses one: the new password is on this
 * machine's disk before it is on any device, and the old one stays until every node that has it in
 * common took a login with the new one (docs/decisions/0010-passwords.md).
 *
 * A program makes a rotation over nodes, gives each of its files a new password, writes them, runs
 * requests (PCTL_VERB_PASSWD, PCTL_VERB_LOGIN) with it, marks what came of each node and finishes
 * the files. Whatever is left undone, another rotation goes on with.
 */
#ifndef POWERCTL_PASSWD_H
#define POWERCTL_PASSWD_H

#include <powerctl/error.h>
#include <powerctl/inventory.h>
#include <powerctl/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_core;
struct pctl_rotation;

/* How far a node is. */
enum pctl_password_state {
	PCTL_PASSWORD_OLD,  /* it has the old one */
	PCTL_PASSWORD_SENT, /* the new one was, or was about to be, sent: it has one of both */
	PCTL_PASSWORD_NEW,  /* it took a login with the new one */
};
PCTL_API const char *pctl_password_state_name(enum pctl_password_state state);

/* Only go on with what is pending: nodes of which nothing is are left out, and are no mistakes. */
#define PCTL_ROTATION_RESUME 1u
/* Nothing is to be written: no lock is taken. */
#define PCTL_ROTATION_DRY 2u

/*
 * What there is to change for nodes, by the files that hold their passwords; takes the lock of each
 * folder. PCTL_E_CONFIG: problems has why this cannot be done for all of them: a password that is
 * in no file, a file that other nodes have as well, a driver that cannot change it, another process
 * that is at it. Nothing was written. inventory outlives *ret.
 */
PCTL_API int pctl_rotation_new(struct pctl_core *core, struct pctl_inventory *inventory,
	const size_t *nodes, size_t count, unsigned flags, struct pctl_rotation **ret,
	struct pctl_problems *problems);
PCTL_API void pctl_rotation_free(struct pctl_rotation *rotation);

/* The nodes that it is about, as indices of the inventory. */
PCTL_API size_t pctl_rotation_count(const struct pctl_rotation *rotation);
PCTL_API size_t pctl_rotation_node(const struct pctl_rotation *rotation, size_t i);

/* Its files, each with one password for all of its nodes. */
PCTL_API size_t pctl_rotation_files(const struct pctl_rotation *rotation);
PCTL_API const char *pctl_rotation_file(const struct pctl_rotation *rotation, size_t file);
/* Whether a change of it was begun before: it has its new password. */
PCTL_API bool pctl_rotation_begun(const struct pctl_rotation *rotation, size_t file);

/*
 * The new password of a file that has none yet; NULL: a random one of its own. PCTL_E_CONFIG: it
 * breaks the rules of a device that is to get it, or is the old one.
 */
PCTL_API int pctl_rotation_set(struct pctl_rotation *rotation, size_t file,
	const struct pctl_secret *password, struct pctl_error *err);
/*
 * Puts the new passwords on the disk, all of them; before this nothing may be sent. On failure
 * those that are new are gone from it again, and nothing has changed.
 */
PCTL_API int pctl_rotation_write(struct pctl_rotation *rotation, struct pctl_error *err);

PCTL_API enum pctl_password_state pctl_rotation_state(
	const struct pctl_rotation *rotation, size_t node);
/*
 * Whether something of the change of node's file would stay pending now: it was begun before, or a
 * node has the new password or may have it.
 */
PCTL_API bool pctl_rotation_is_left(const struct pctl_rotation *rotation, size_t node);
/* PCTL_E_INTERNAL: it could not be written, and is as before. */
PCTL_API int pctl_rotation_mark(struct pctl_rotation *rotation, size_t node,
	enum pctl_password_state state, struct pctl_error *err);
/* The password that a node has in a state; NULL: there is no new one yet. Borrowed. */
PCTL_API const struct pctl_secret *pctl_rotation_secret(
	const struct pctl_rotation *rotation, size_t node, enum pctl_password_state state);

/*
 * Ends a file's change: if all its nodes have the new password it takes the old one's place. If all
 * of them have the old one, and drop says so, the new one is thrown away. Else it stays pending.
 * Returns 1: the new password holds; 0: not (yet). PCTL_E_INTERNAL: it cannot be written, and stays
 * pending.
 */
PCTL_API int pctl_rotation_finish(
	struct pctl_rotation *rotation, size_t file, bool drop, struct pctl_error *err);
/*
 * Adds the nodes that are in a state to ret: all that the file's change is for, whether the
 * rotation is about them or not.
 */
PCTL_API void pctl_rotation_names(const struct pctl_rotation *rotation, size_t file,
	enum pctl_password_state state, struct pctl_names *ret);
/* The file that has the new password while it is pending. */
PCTL_API const char *pctl_rotation_pending(const struct pctl_rotation *rotation, size_t file);

#ifdef __cplusplus
}
#endif

#endif
