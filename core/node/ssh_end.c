/* SPDX-License-Identifier: Apache-2.0 */
/* How a login ended, in words. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "node/gateway.h"
#include "node/ssh_login.h"

/* ssh's last words where all is well; where the far side was killed it ends with 255 all the same.
 */
static bool was_closed(const char *said)
{
	const char *line = NULL;

	for (const char *at = said; (at = strstr(at, "Connection to ")) != NULL; at++)
		line = at;
	return line && strstr(line, " closed.") && !strstr(said, "closed by remote host") &&
	       !strstr(said, "not responding");
}

static int explain_ssh(const struct pctl_ssh_end *end, struct pctl_error *err)
{
	int status = end->status;

	*err = (struct pctl_error){ 0 };
	if (WIFEXITED(status) && (WEXITSTATUS(status) != 255 || was_closed(end->said)))
		return 0;
	if (WIFSIGNALED(status))
		return pctl_error_set(
			err, PCTL_E_UNREACHABLE, "ssh was killed by signal %d", WTERMSIG(status));
	return pctl_gateway_explain(end->said, end->spot, err);
}

/* What the device takes: "(publickey,password)" of "Permission denied", or "". */
static void read_methods(const char *said, char *ret, size_t size)
{
	static const char words[] = "Permission denied (";
	const char *found = NULL;

	for (const char *at = said; (at = strstr(at, words)) != NULL;)
		found = at += sizeof(words) - 1;
	size_t len = found ? strspn(found, "abcdefghijklmnopqrstuvwxyz0123456789-,@.") : 0;
	(void)snprintf(ret, size, "%.*s", (int)len, found ? found : "");
}

static void explain_refusal(const struct pctl_ssh_end *end, struct pctl_error *err)
{
	char methods[80];

	read_methods(end->said, methods, sizeof(methods));
	if (end->password == PCTL_SSH_PASSWORD_TAKEN)
		pctl_error_set(err, PCTL_E_AUTH,
			"over SSH it takes neither a key of yours nor the password");
	else if (end->no_password)
		pctl_error_set(err, PCTL_E_AUTH,
			"over SSH it takes no key of yours, and ssh was given no password: %s",
			end->no_password);
	else if (end->password == PCTL_SSH_PASSWORD_NONE)
		pctl_error_set(err, PCTL_E_AUTH, "over SSH it takes no key of yours");
	else if (*methods && !strstr(methods, "password") && !strstr(methods, "keyboard"))
		pctl_error_set(err, PCTL_E_AUTH,
			"over SSH it takes no password, only %s, and no key of yours", methods);
	else
		pctl_error_set(err, PCTL_E_AUTH,
			"over SSH it takes no key of yours, and ssh did not ask for the password: "
			"see PasswordAuthentication and PreferredAuthentications in ~/.ssh/config");
}

/* Who has had the password and did not let us in is not asked again: accounts get locked. */
static void explain_login(const struct pctl_ssh_end *end, int code, struct pctl_error *err)
{
	bool taken = end->password == PCTL_SSH_PASSWORD_TAKEN, shown = *end->shown;
	const struct pctl_error why = *err;

	if (code == PCTL_E_AUTH) {
		explain_refusal(end, err);
		return;
	}
	bool over = code == 0 || (taken && pctl_error_retried(code));
	pctl_error_set(err, over ? PCTL_E_REFUSED : code, "%s%s%.200s%s%s%s",
		over ? "the login over SSH ended before there was a console" : "over SSH",
		*why.text ? ": " : "", why.text, shown ? "; its last words: '" : "", end->shown,
		shown ? "'" : "");
}

int pctl_ssh_explain_end(const struct pctl_ssh_end *end, struct pctl_error *err)
{
	int code = explain_ssh(end, err);
	const struct pctl_error why = *err;

	if (!end->open)
		explain_login(end, code, err);
	else if (code != 0)
		pctl_error_set(err, code, "over SSH: %.250s", why.text);
	return pctl_error_flag(err, why.flags | PCTL_ERROR_GATEWAY);
}
