/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into an sshd without rights, which only lets in whom it runs as: that user has the
 * name, the password and the shell that the test says.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct passwd *getpwuid(uid_t uid)
{
	static struct passwd who;

	who.pw_name = getenv("SSHD_USER");
	who.pw_passwd = (char *)"x";
	who.pw_uid = uid;
	who.pw_gid = getegid();
	who.pw_gecos = (char *)"";
	who.pw_dir = getenv("SSHD_FOLDER");
	who.pw_shell = getenv("SSHD_SHELL");
	return &who;
}

struct passwd *getpwnam(const char *name)
{
	return strcmp(name, getenv("SSHD_USER")) == 0 ? getpwuid(geteuid()) : NULL;
}

/* Terminals are to stay of the group they have: who has no rights cannot give them another. */
struct group *getgrnam(const char *name)
{
	(void)name;
	return NULL;
}

struct spwd *getspnam(const char *name)
{
	static struct spwd shadow;

	if (strcmp(name, getenv("SSHD_USER")) != 0)
		return NULL;
	shadow.sp_namp = getenv("SSHD_USER");
	shadow.sp_pwdp = getenv("SSHD_HASH");
	shadow.sp_lstchg = 1;
	shadow.sp_min = shadow.sp_max = shadow.sp_warn = shadow.sp_inact = shadow.sp_expire = -1;
	return &shadow;
}
