/* SPDX-License-Identifier: Apache-2.0 */
#include "base/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/value.h>

/* One kind of folder: which variable names it, and where it is without one. */
struct root {
	const char *variable;
	const char *of_root;
	const char *below_home; /* NULL: in /tmp */
};

static const struct root cache = { "XDG_CACHE_HOME", "/var/cache", ".cache" };
static const struct root state = { "XDG_STATE_HOME", "/var/lib", ".local/state" };
static const struct root runtime = { "XDG_RUNTIME_DIR", "/run", NULL };

char *pctl_path_user(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? pctl_xstrdup(pw->pw_name) : pctl_xasprintf("uid %u", (unsigned)geteuid());
}

static const char *home_folder(void)
{
	const char *home = getenv("HOME");

	if (home && home[0] == '/')
		return home;
	const struct passwd *pw = getpwuid(geteuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

/* A variable's folder: relative ones do not count, says the XDG specification. */
static const char *variable_folder(const struct root *root)
{
	const char *folder = getenv(root->variable);

	if (!folder || folder[0] != '/')
		return NULL;
	if (geteuid() == 0 && root == &runtime && strcmp(folder, "/run/user/0") == 0)
		return NULL;
	return folder;
}

char *pctl_path_dirname(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return pctl_xstrdup(".");
	return pctl_xstrndup(file, slash == file ? 1 : (size_t)(slash - file));
}

int pctl_path_make_parent(const char *file, struct pctl_error *err)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(file);

	for (char *p = dir + 1; p[-1]; p++) {
		char old = *p;

		if (old != '/' && old != '\0')
			continue;
		*p = '\0';
		int why = mkdir(dir, 0700) < 0 ? errno : 0;
		if (why && why != EEXIST && access(dir, F_OK) < 0)
			return pctl_error_set(err, PCTL_E_INTERNAL, "cannot make the folder %s: %s",
				dir, strerror(why));
		*p = old;
		if (!old)
			break;
	}
	return 0;
}

/* /tmp is everybody's: a folder there is used only if nobody else made it or can look into it. */
static int tmp_folder(char **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *dir = pctl_xasprintf("/tmp/powerctl-%u", (unsigned)geteuid());
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return pctl_error_set(err, PCTL_E_INTERNAL, "cannot make the folder %s: %s", dir,
			strerror(errno));
	if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
		(st.st_mode & 077))
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"%s is not a folder of yours alone; remove it or set $XDG_RUNTIME_DIR",
			dir);
	*ret = dir;
	dir = NULL;
	return 0;
}

static int folder_of(const struct root *root, char **ret, struct pctl_error *err)
{
	const char *given = variable_folder(root);
	const char *home;

	if (given) {
		*ret = pctl_xasprintf("%s/powerctl", given);
		return 0;
	}
	if (geteuid() == 0) {
		*ret = pctl_xasprintf("%s/powerctl", root->of_root);
		return 0;
	}
	if (!root->below_home)
		return tmp_folder(ret, err);
	home = home_folder();
	if (!home)
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "no home folder; set $HOME or $%s", root->variable);
	*ret = pctl_xasprintf("%s/%s/powerctl", home, root->below_home);
	return 0;
}

static int path_below(const struct root *root, const char *name, char **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *folder = NULL;
	int r = folder_of(root, &folder, err);

	if (r < 0)
		return r;
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s", folder, name);
	r = pctl_path_make_parent(path, err);
	if (r < 0)
		return r;
	*ret = path;
	path = NULL;
	return 0;
}

int pctl_path_cache(const char *name, char **ret, struct pctl_error *err)
{
	return path_below(&cache, name, ret, err);
}

int pctl_path_state(const char *name, char **ret, struct pctl_error *err)
{
	return path_below(&state, name, ret, err);
}

char *pctl_path_state_unmade(const char *name)
{
	PCTL_AUTO(free) char *folder = NULL;

	return folder_of(&state, &folder, NULL) < 0 ? NULL : pctl_xasprintf("%s/%s", folder, name);
}

int pctl_path_runtime(const char *name, char **ret, struct pctl_error *err)
{
	return path_below(&runtime, name, ret, err);
}

char *pctl_path_config(const char *name)
{
	static const struct root config = { "XDG_CONFIG_HOME", NULL, ".config" };
	const char *given = variable_folder(&config);
	const char *home = home_folder();

	if (given)
		return pctl_xasprintf("%s/powerctl/%s", given, name);
	return home ? pctl_xasprintf("%s/.config/powerctl/%s", home, name) : NULL;
}

char *pctl_path_of(const struct pctl_value *v)
{
	const char *text = pctl_value_text(v);
	const char *file = pctl_value_place(v).file;
	const char *home = getenv("HOME");

	if (strncmp(text, "~/", 2) == 0 && home)
		return pctl_xasprintf("%s/%s", home, text + 2);
	if (*text == '/' || !file || !strchr(file, '/'))
		return pctl_xstrdup(text);
	PCTL_AUTO(free) char *dir = pctl_path_dirname(file);
	return pctl_xasprintf("%s/%s", dir, text);
}
