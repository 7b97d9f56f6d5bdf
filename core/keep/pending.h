/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A password that is being changed: the file NAME.pending beside the secret's file NAME has the new
 * one and how far each node is, and is on the disk before anything is sent. While it is there the
 * old one stays in its own file.
 *
 *	powerctl-pending 1
 *	secret 4e6577...      the new one, in hex
 *	old c1                the node has the old one: nothing was sent yet
 *	sent c2               the request is about to leave, or has left
 *	new c3                it took a login with the new one
 *
 * Of several lines for a node the last holds; a last line without its end was never written.
 */
#ifndef POWERCTL_CORE_PENDING_H
#define POWERCTL_CORE_PENDING_H

#include <powerctl/nodeset.h>
#include <powerctl/passwd.h>
#include <powerctl/secret.h>

struct pctl_pending;

#define PCTL_PENDING_END ".pending"

/*
 * The one beside the file of a secret, which is named without symbolic links. 0 with NULL in *ret:
 * there is none. PCTL_E_CONFIG: it cannot be read, others can read it, or it is no such file.
 */
int pctl_pending_read(const char *secret_file, struct pctl_pending **ret, struct pctl_error *err);
/* A new one, not on the disk yet. secret is copied. */
struct pctl_pending *pctl_pending_new(const char *secret_file, const struct pctl_secret *secret);
void pctl_pending_free(struct pctl_pending *pending);

const struct pctl_secret *pctl_pending_secret(const struct pctl_pending *pending);
/* Its own file. */
const char *pctl_pending_file(const struct pctl_pending *pending);
/* All nodes that it speaks of, and what it says of one; one that is not among them has the old. */
const struct pctl_names *pctl_pending_nodes(const struct pctl_pending *pending);
enum pctl_password_state pctl_pending_state(const struct pctl_pending *pending, const char *node);

/* A node more, before it is written. */
void pctl_pending_add(struct pctl_pending *pending, const char *node);
/* Puts it on the disk, file and folder. PCTL_E_INTERNAL: nothing has changed there. */
int pctl_pending_write(struct pctl_pending *pending, struct pctl_error *err);
/*
 * How far a node is from now on, here and on the disk. It was written before. PCTL_E_INTERNAL:
 * neither has changed.
 */
int pctl_pending_mark(struct pctl_pending *pending, const char *node,
	enum pctl_password_state state, struct pctl_error *err);
/*
 * The new secret takes the place of the old one, then the pending file goes. Whenever this is
 * interrupted, doing it again is right. PCTL_E_INTERNAL: both files are as they were.
 */
int pctl_pending_promote(struct pctl_pending *pending, struct pctl_error *err);
/* The file goes, and the new secret with it. */
void pctl_pending_drop(struct pctl_pending *pending);

/*
 * The lock on all passwords of a folder: a descriptor, which the kernel closes with the process.
 * PCTL_E_BUSY: another process has it.
 */
int pctl_pending_lock(const char *folder, struct pctl_error *err);

#endif
