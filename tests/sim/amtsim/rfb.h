/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RFB server that shows a test picture as Intel AMT's does (RFC 6143, with its limits): behind a
 * redirection login without a password, at the VNC port with one.
 */
#ifndef POWERCTL_AMTSIM_RFB_H
#define POWERCTL_AMTSIM_RFB_H

#include "redir.h"

/* Parts of a struct redir_protocol. The session begins with a struct redir_session. */
void *rfb_begin(struct redir_conn *c, bool password);
size_t rfb_take(struct redir_conn *c, void *session, const uint8_t *p, size_t n);
void rfb_room(struct redir_conn *c, void *session);

/* The first that is said; what comes from then on is rfb_take()'s. */
void rfb_greet(void *session);

#endif
