/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct class
{
	const char *name;
	bool retried;
	const char *hint;
};

/* Indexed by the negated code. */
static const struct class classes[] = {
	[-PCTL_E_CONFIG] = { "config", false,
		"`powerctl check` names every mistake of the inventory" },
	[-PCTL_E_UNSUPPORTED] = { "unsupported", false,
		"`powerctl caps NODE` lists what the node can do" },
	[-PCTL_E_AUTH] = { "auth", false,
		"check the user and the password of the credential; where wrong ones were tried, "
		"the account may be locked for some minutes" },
	[-PCTL_E_FORBIDDEN] = { "forbidden", false,
		"this user may not do that; use another or widen its rights" },
	[-PCTL_E_TRUST] = { "trust", false,
		"`powerctl trust NODE` shows what changed; --accept takes it over" },
	[-PCTL_E_CONSENT] = { "consent", false, NULL },
	[-PCTL_E_UNREACHABLE] = { "unreachable", true,
		"check power, network and address of the management processor" },
	[-PCTL_E_TIMEOUT] = { "timeout", true, "the device is slow; --timeout gives it longer" },
	[-PCTL_E_BUSY] = { "busy", true, "try again in a moment" },
	[-PCTL_E_PROTOCOL] = { "protocol", false,
		"run again with --trace and report what the device answered" },
	[-PCTL_E_REFUSED] = { "refused", false, NULL },
	[-PCTL_E_STATE] = { "state", false, "`powerctl status NODE` shows the present state" },
	[-PCTL_E_OUTCOME_UNKNOWN] = { "outcome_unknown", false,
		"`powerctl status NODE` shows what became of it" },
	[-PCTL_E_SKIPPED] = { "skipped", false, NULL },
	[-PCTL_E_CANCELED] = { "canceled", false, NULL },
	[-PCTL_E_INTERNAL] = { "internal", false, NULL },
};

static const struct class *find(int code)
{
	size_t i = (size_t)-code;

	if (code >= 0 || i >= sizeof(classes) / sizeof(classes[0]))
		return NULL;
	return &classes[i];
}

int pctl_error_setv(struct pctl_error *err, int code, const char *fmt, va_list ap)
{
	if (!err)
		return code;
	err->code = code;
	err->device_code[0] = '\0';
	err->flags = 0;
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	for (char *c = err->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return code;
}

int pctl_error_set(struct pctl_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int pctl_error_flag(struct pctl_error *err, unsigned flags)
{
	if (!err)
		return 0;
	err->flags |= flags;
	return err->code;
}

int pctl_error_device_code(struct pctl_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(err->device_code, sizeof(err->device_code), fmt, ap);
	va_end(ap);
	return err->code;
}

int pctl_error_from_errno(int errnum)
{
	switch (errnum) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ENETDOWN:
	case EPIPE:
	case ETIMEDOUT: /* of connect() or TCP itself: the peer is gone, not slow */
		return PCTL_E_UNREACHABLE;
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EACCES:
	case EPERM:
		return PCTL_E_CONFIG;
	case EAGAIN:
	case EBUSY:
		return PCTL_E_BUSY;
	case ECANCELED:
		return PCTL_E_CANCELED;
	default:
		return PCTL_E_INTERNAL;
	}
}

static const struct {
	int errnum;
	const char *name, *text;
} shortages[] = {
	{ EMFILE, "EMFILE", "too many open files: lower --fanout or raise `ulimit -n`" },
	{ ENFILE, "ENFILE",
		"this host has too many open files: lower --fanout or raise the sysctl "
		"fs.file-max" },
	{ ENOBUFS, "ENOBUFS", "this host is out of buffers for connections: lower --fanout" },
	{ ENOMEM, "ENOMEM", "this host is out of memory for connections: lower --fanout" },
	{ EUSERS, "EUSERS", "the gateway takes no more connections at once: lower --fanout" },
};

bool pctl_error_shortage(struct pctl_error *err, int errnum)
{
	for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
		if (shortages[i].errnum != errnum)
			continue;
		pctl_error_set(err, PCTL_E_INTERNAL, "%s", shortages[i].text);
		if (err)
			pctl_error_device_code(err, "%s", shortages[i].name);
		return true;
	}
	return false;
}

bool pctl_error_is_shortage(const struct pctl_error *err)
{
	for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++)
		if (err->code == PCTL_E_INTERNAL &&
			strcmp(err->device_code, shortages[i].name) == 0)
			return true;
	return false;
}

const char *pctl_error_name(int code)
{
	const struct class *c = find(code);

	return c ? c->name : NULL;
}

const char *pctl_error_hint(int code)
{
	const struct class *c = find(code);

	return c ? c->hint : NULL;
}

bool pctl_error_retried(int code)
{
	const struct class *c = find(code);

	return c && c->retried;
}
