/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock per device between the processes of a user (advisory, <runtime folder>/locks): whoever
 * changes power or boot of a device holds it from the first read to the confirmation. All locks are
 * byte ranges of one file, at the hash of the device's key, so that holding thousands of them costs
 * one descriptor and leaves no files behind; the kernel drops them with the process.
 *
 * Who cannot wait any longer may go first (pctl_lock_overtake()): without the lock, which stays
 * with its holder. Then those that wait for it go on waiting until he is done as well, and the
 * holder can see that somebody went first (pctl_lock_mark()).
 */
#ifndef POWERCTL_CORE_LOCK_H
#define POWERCTL_CORE_LOCK_H

#include <sys/types.h>

#include <powerctl/error.h>

/* Of the environment: pids of the powerctls that wait for a hook that this one is in, with commas.
 */
#define PCTL_LOCK_CALLERS "POWERCTL_HOOK_OF"

struct pctl_locks;

/* Opens nothing yet. caller is what other processes are told: "powerctl reboot". */
struct pctl_locks *pctl_locks_new(const char *caller);
void pctl_locks_free(struct pctl_locks *locks);

/*
 * 0: held now (also if this process held it before: inside a process the engine keeps order).
 * PCTL_E_BUSY: another process has it; holder (if not NULL) gets "root, powerctl reboot, pid 4711".
 * PCTL_E_INTERNAL: the folder or file cannot be used.
 */
int pctl_lock_try(struct pctl_locks *locks, const char *key, char *holder, size_t holder_size,
	struct pctl_error *err);
/*
 * Whether the powerctl that this process is a hook of has it, or one that this one is a hook of
 * (PCTL_LOCK_CALLERS): that one waits for us, and would not give it back.
 */
bool pctl_lock_is_of_our_caller(const struct pctl_locks *locks, const char *key);
void pctl_lock_release(struct pctl_locks *locks, const char *key);

/*
 * Goes first at a device whose lock another process has; pctl_lock_release() ends it. At once, and
 * also if somebody else does the same. PCTL_E_INTERNAL as above.
 */
int pctl_lock_overtake(struct pctl_locks *locks, const char *key, struct pctl_error *err);
/*
 * Another number than before: somebody has gone first since. *ret_pid (if not NULL): who did so
 * last. Nobody ever did, or it cannot be read: 0.
 */
uint64_t pctl_lock_mark(struct pctl_locks *locks, const char *key, pid_t *ret_pid);

/* What stands for a name in files and ranges that processes share. */
uint64_t pctl_lock_hash(const char *name);
/* Who a process is, as it said when it took its first lock: "root, powerctl reboot, pid 4711". */
void pctl_lock_holder(pid_t pid, char *holder, size_t size);

#endif
