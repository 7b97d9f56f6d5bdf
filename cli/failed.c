/* SPDX-License-Identifier: Apache-2.0 */
#include "failed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/file.h>
#include <powerctl/mem.h>
#include <powerctl/powerctl.h>

#define TEXT_MAX ((size_t)1 << 30)

int failed_load(struct pctl_names *out, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;
	struct pctl_error why = { 0 };
	struct pctl_buf text;
	char *rest = NULL;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: there was no command yet that could have failed, or the last one "
			"did not get to its end");
	pctl_buf_init(&text, TEXT_MAX);
	if (pctl_file_read_kept(path, &text, NULL, &why) < 0)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: the last command's failures cannot be read: %s", why.text);
	else
		for (char *line = strtok_r(text.data, "\n", &rest); line;
			line = strtok_r(NULL, "\n", &rest))
			(void)pctl_names_add(out, line);
	pctl_buf_done(&text);
	return r;
}

int failed_forget(struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: %s cannot be removed (%s): it names nodes of an earlier command",
			path, strerror(errno));
	return 0;
}

int failed_save(const struct pctl_names *names, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;
	struct pctl_error why = { 0 };
	struct pctl_buf text;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	pctl_buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < pctl_names_count(names); i++)
		pctl_buf_addf(&text, "%s\n", pctl_names_at(names, i));
	if (text.full)
		r = pctl_error_set(err, PCTL_E_CONFIG, "@failed: too many nodes to keep");
	else if (pctl_file_put(path, text.data, text.len, &why) < 0)
		r = pctl_error_set(err, PCTL_E_CONFIG, "@failed: %s", why.text);
	pctl_buf_done(&text);
	return r;
}
