/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm_viewer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#define WORDS_MAX 64u
#define VNC_PORT  5900

/* Viewers in the order in which they are looked for, and how each takes an address. */
static const struct {
	const char *name;
	enum { COLONS, DISPLAY, URL } form;
	const char *option; /* before it */
	const char *few;    /* the options by which it uses RGB332; NULL: not known */
} viewers[] = {
	{ "xtigervncviewer", COLONS, NULL, "-AutoSelect=0 -FullColor=0 -LowColorLevel=2" },
	{ "gvncviewer", DISPLAY, NULL, "" },
	{ "vncviewer", COLONS, NULL, NULL },
	{ "remote-viewer", URL, NULL, NULL },
	{ "vinagre", URL, NULL, NULL },
	{ "remmina", URL, "-c", NULL },
	{ "krdc", URL, NULL, NULL },
};
#define VIEWERS (sizeof(viewers) / sizeof(viewers[0]))

static size_t find(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < VIEWERS; i++)
		if (strcmp(viewers[i].name, name) == 0)
			return i;
	return 0;
}

/* A display's number is what its port has beyond 5900. */
static char *address(size_t i, uint16_t port)
{
	switch (viewers[i].form) {
	case DISPLAY:
		return pctl_xasprintf("127.0.0.1:%d", port - VNC_PORT);
	case URL:
		return pctl_xasprintf("vnc://127.0.0.1:%u", port);
	default:
		return pctl_xasprintf("127.0.0.1::%u", port);
	}
}

char **kvm_viewer_words(const char *program, uint16_t port)
{
	char **words = pctl_xcalloc(WORDS_MAX + 3, sizeof(*words));
	size_t n = 0;

	while (*program && n < WORDS_MAX) {
		size_t len = strcspn(program, " \t");

		if (len)
			words[n++] = pctl_xstrndup(program, len);
		program += len + strspn(program + len, " \t");
	}
	if (n == 0)
		return words;
	size_t i = find(words[0]);
	if (viewers[i].option)
		words[n++] = pctl_xstrdup(viewers[i].option);
	words[n] = address(i, port);
	return words;
}

static bool is_there(const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t len = strcspn(path, ":");
		PCTL_AUTO(free) char *file = pctl_xasprintf("%.*s/%s", (int)len, path, name);

		if (len && access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* NULL: there is none. free() it. */
static char *choose(bool few_colours)
{
	const char *own = getenv("VNCVIEWER");

	if (own && own[strspn(own, " \t")])
		return pctl_xstrdup(own);
	for (size_t i = 0; i < VIEWERS; i++) {
		const char *few = few_colours ? viewers[i].few : NULL;

		if (is_there(viewers[i].name))
			return pctl_xasprintf("%s %s", viewers[i].name, few ? few : "");
	}
	return NULL;
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
	struct kvm_viewer *v = process->data;

	v->left(v->data, status, signal);
}

int kvm_viewer_start(struct kvm_viewer *v, uv_loop_t *loop, uint16_t port, bool few_colours,
	struct pctl_error *err)
{
	PCTL_AUTO(free) char *program = choose(few_colours);

	if (!program)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--view: no VNC viewer is found; install one (tigervnc-viewer), or name it "
			"in $VNCVIEWER");
	char **words = kvm_viewer_words(program, port);
	/* What it prints is no result of ours. */
	uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO } };
	const uv_process_options_t options = {
		.exit_cb = on_exit_of,
		.file = words[0],
		.args = words,
		.stdio = stdio,
		.stdio_count = 3,
	};
	int r = uv_spawn(loop, &v->process, &options);

	v->process.data = v;
	v->runs = true; /* its handle is the loop's */
	if (r < 0)
		(void)pctl_error_set(err, PCTL_E_CONFIG, "--view: %s cannot be started: %s",
			words[0], uv_strerror(r));
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
	return r < 0 ? PCTL_E_CONFIG : 0;
}

void kvm_viewer_leave(struct kvm_viewer *v)
{
	if (v->runs)
		uv_close((uv_handle_t *)&v->process, NULL);
	v->runs = false;
}
