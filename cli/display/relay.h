/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a machine's screen and a viewer: bytes both ways, through buffers of a fixed size. Who
 * does not read stops the other side from being read. Of what passes only the greeting is looked
 * at, for viewers are told 3.8 (session.h says why), and whether anything came of what the viewer
 * asked for.
 */
#ifndef POWERCTL_CLI_DISPLAY_RELAY_H
#define POWERCTL_CLI_DISPLAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct relay;

enum relay_end {
	RELAY_SCREEN_LEFT,
	RELAY_VIEWER_LEFT,
	RELAY_NO_SCREEN, /* what the machine says is no RFB */
};

/* Once, from the loop. Then it is to be closed. */
typedef void relay_fn(void *data, enum relay_end how);

/* Both descriptors are non-blocking sockets, and stay the caller's. */
struct relay *relay_new(uv_loop_t *loop, int screen, int viewer, relay_fn *ended, void *data);
/* The descriptors may be closed then; its handles by the loop's next turn. Takes NULL. */
void relay_close(struct relay *relay);

/* Whether the screen has said anything since the viewer has asked it for something. */
bool relay_has_shown(const struct relay *relay);

/* The greeting that a viewer gets for a server's, both of 12 bytes; false: that is none. */
bool relay_greeting(const char *server, char *ret_viewer);
#define RELAY_GREETING 12u

#endif
