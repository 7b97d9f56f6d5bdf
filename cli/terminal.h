/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal in raw mode: every key goes through as it is. The mode from before comes back by
 * terminal_restore(), and also when a signal ends the program, whatever signal can be caught.
 */
#ifndef POWERCTL_CLI_TERMINAL_H
#define POWERCTL_CLI_TERMINAL_H

#include <stdbool.h>

/*
 * Begins raw mode on fd, a terminal. Nothing is done where it is raw already or belongs to somebody
 * else at the moment (we are in the background). Whether it is raw now.
 */
bool terminal_raw(int fd);

/* Back to the mode from before; safe at any time, also without terminal_raw(). */
void terminal_restore(void);

bool terminal_is_raw(void);

#endif
