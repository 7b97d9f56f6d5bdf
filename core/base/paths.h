/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where files that are not the inventory live. Each variable of the XDG base directories holds if
 * it is set to an absolute path; without them root uses /var/cache/powerctl, /var/lib/powerctl and
 * /run/powerctl, anybody else ~/.cache/powerctl, ~/.local/state/powerctl and, having no folder for
 * sockets and locks, /tmp/powerctl-UID. Root's /run/user/0 is not used: it is there for a login and
 * not for a timer's run, which must meet the same locks.
 */
#ifndef POWERCTL_CORE_PATHS_H
#define POWERCTL_CORE_PATHS_H

#include <powerctl/powerctl.h>

/*
 * The full path of a file below each folder; free() *ret. name is relative and may have folders of
 * its own ("locks/10.0.0.5"); all folders on the way are made, 0700. PCTL_E_INTERNAL if that is
 * not possible, or if the folder in /tmp is not ours alone.
 */
int pctl_path_cache(const char *name, char **ret, struct pctl_error *err);
/* The same for state is pctl_path_state() of <powerctl/powerctl.h>. */
/* Where that file is or would be, without making anything; NULL if nobody has a home. */
char *pctl_path_state_unmade(const char *name);
/* The same for what runs is pctl_path_runtime() there. */

/* The personal configuration folder's file, without making anything; NULL if nobody has a home. */
char *pctl_path_config(const char *name);

/* Whose folders these are: the effective user's name, or "uid 1000" where it has none; free() it.
 */
char *pctl_path_user(void);

/* Makes the folder that file is in, and those above, 0700. */
int pctl_path_make_parent(const char *file, struct pctl_error *err);

/*
 * The path that a text of the inventory stands for: "~/" is the home, and what is relative is
 * beside the file that says it. free() it.
 */
struct pctl_value;
char *pctl_path_of(const struct pctl_value *v);

/* The folder a file is in: "." for a bare name. free() it. */
char *pctl_path_dirname(const char *file);

#endif
