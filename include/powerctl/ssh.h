/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login on the device by the system's ssh, on a terminal, as a session: for consoles that are
 * reached that way.
 *
 * How ssh logs in is its own configuration's matter, as at a terminal: keys, agents, known_hosts,
 * what a name of a host stands for. But a host key that is not known there is refused whatever the
 * configuration says of unknown ones, and nobody is asked anything. Where no key is taken, ssh gets
 * the password, once, after the device has shown the host key that is known.
 *
 * The session has the control "resize" (arg: "COLUMNSxROWS") and no "break". It ends with code 0
 * where the far side has ended the login, else with what ssh said.
 */
#ifndef POWERCTL_SSH_H
#define POWERCTL_SSH_H

#include <powerctl/device.h>
#include <powerctl/error.h>
#include <powerctl/secret.h>
#include <powerctl/session.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_ssh;

/* Whom to log in, and where. All of it is copied. */
struct pctl_ssh_options {
	uint32_t size;
	uint16_t port;                      /* 0: ssh decides */
	const char *username;               /* NULL: ssh decides */
	const struct pctl_secret *password; /* NULL: keys only */
	/*
	 * Typed once after the login, when what the far side shows first has come to rest, or after
	 * some seconds. One line without its end; NULL or "": nothing is typed.
	 */
	const char *command;
};

/*
 * Once, from the loop: the session, which is then the caller's to hand on, and whose facts it may
 * set (they are freed with it); or NULL and why, flagged as no fault of the device's login
 * (PCTL_ERROR_GATEWAY), since it may know others by ssh.
 */
typedef void pctl_ssh_opened_fn(
	void *data, struct pctl_session *session, const struct pctl_error *err);

/*
 * Begins it. Negative, and opened never runs: PCTL_E_UNSUPPORTED where the device is behind a
 * gateway (`via`), PCTL_E_CONFIG where there is no ssh, or a shortage.
 */
PCTL_API int pctl_ssh_open(struct pctl_device *device, const struct pctl_ssh_options *options,
	pctl_ssh_opened_fn *opened, void *data, struct pctl_ssh **ret, struct pctl_error *err);

/* What a person types to get there, for a shell: "ssh -p 2200 -l admin bmc7". free() it. */
PCTL_API char *pctl_ssh_typed(
	const struct pctl_device *device, const struct pctl_ssh_options *options);

/* Before opened() has run, which then never does. The core waits for the program's end. */
PCTL_API void pctl_ssh_abort(struct pctl_ssh *ssh);

#ifdef __cplusplus
}
#endif

#endif
