/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that do not even answer the SYN of a connection, as a machine without power does. */
#ifndef POWERCTL_SIM_WEB_SILENCE_H
#define POWERCTL_SIM_WEB_SILENCE_H

struct web_listener;

/*
 * Has the kernel drop what is sent to those devices of a listener whose knob says so now, and to
 * nobody else. What is open goes on. 0, or a libuv error: UV_E2BIG if they are too many that are
 * not side by side.
 */
int silence_apply(const struct web_listener *listener);

#endif
