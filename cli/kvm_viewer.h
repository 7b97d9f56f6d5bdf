/* SPDX-License-Identifier: Apache-2.0 */
/* A VNC viewer that is started for an address on this host. No shell has a part in it. */
#ifndef POWERCTL_CLI_KVM_VIEWER_H
#define POWERCTL_CLI_KVM_VIEWER_H

#include <uv.h>

#include <powerctl/error.h>

struct kvm_viewer {
	uv_process_t process;
	bool runs;
	void (*left)(void *data, int64_t status, int signal);
	void *data;
};

/*
 * $VNCVIEWER (a program and its options, between blanks), else the first that is found.
 * few_colours: the screen knows 8 and 16 bits a pixel only, and one that is found is told so. left
 * follows from the loop. PCTL_E_CONFIG: there is none, or it cannot be started.
 */
int kvm_viewer_start(struct kvm_viewer *viewer, uv_loop_t *loop, uint16_t port, bool few_colours,
	struct pctl_error *err);
/* It goes on by itself. The handle is closed by the loop's next turn. */
void kvm_viewer_leave(struct kvm_viewer *viewer);

/*
 * Its words, NULL-terminated, that end with the address in the form which that program takes;
 * free() each of them and the list.
 */
char **kvm_viewer_words(const char *program, uint16_t port);

#endif
