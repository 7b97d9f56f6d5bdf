/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can go wrong, as one closed list. Every failure in powerctl, in the core as in a driver, is
 * one of these classes; errors from outside (errno, a CURLcode, a completion code) are turned into
 * one where they enter. Functions that can fail return 0 or a positive result, or a negative
 * PCTL_E_...
 */
#ifndef POWERCTL_ERROR_H
#define POWERCTL_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCTL_API __attribute__((visibility("default")))

enum pctl_err {
	PCTL_E_CONFIG = -1,           /* a setting or the inventory is wrong */
	PCTL_E_UNSUPPORTED = -2,      /* the driver, or the device, has no such ability */
	PCTL_E_AUTH = -3,             /* user or password refused; never tried twice */
	PCTL_E_FORBIDDEN = -4,        /* logged in, but not allowed to do this */
	PCTL_E_TRUST = -5,            /* an identity is not the remembered one, or not ours */
	PCTL_E_CONSENT = -6,          /* somebody at the machine has to agree first */
	PCTL_E_UNREACHABLE = -7,      /* no connection */
	PCTL_E_TIMEOUT = -8,          /* connected, but no answer in time */
	PCTL_E_BUSY = -9,             /* the device cannot take it now */
	PCTL_E_PROTOCOL = -10,        /* the answer makes no sense */
	PCTL_E_REFUSED = -11,         /* the device said no */
	PCTL_E_STATE = -12,           /* not possible in the present power state */
	PCTL_E_OUTCOME_UNKNOWN = -13, /* a change was sent and its answer lost */
	PCTL_E_SKIPPED = -14,         /* deliberately not done (maintenance) */
	PCTL_E_CANCELED = -15,        /* interrupted */
	PCTL_E_INTERNAL = -16,        /* a fault of this program or this host */
};

/* A failure as a person reads it and as a program handles it. Never holds a secret. */
struct pctl_error {
	int code;             /* enum pctl_err; 0: none */
	char device_code[32]; /* the device's own code ("AMT-STATUS 2", "HTTP 503"), or "" */
	char text[320];       /* one line, no full stop, no node name, no address */
	unsigned flags;       /* PCTL_ERROR_: what the core goes by, beside the class */
};

/* Unreachable, timeout: nothing at all was heard of the device. */
#define PCTL_ERROR_SILENT 1u
/* Unreachable: the device is there and says that nobody listens; asking soon again is no use. */
#define PCTL_ERROR_NOT_LISTENING 2u
/* Unreachable: the device is there, and dropped the connection; asking again soon is worth it. */
#define PCTL_ERROR_DROPPED 4u
/* Timeout: the whole request's time was over, not the device's. */
#define PCTL_ERROR_DEADLINE 8u
/* The fault is that of a gateway on the way (`via`): the device has said nothing, nor its login. */
#define PCTL_ERROR_GATEWAY 16u
/* The channel never came about: whatever was written to it, nothing has left for the device. */
#define PCTL_ERROR_NOT_SENT 32u
/* Trust: the device is who it should be, and takes no certificate of ours; the text says more. */
#define PCTL_ERROR_OURS 64u

/*
 * Fills err (which may be NULL) and returns code, so that a failure is one statement. The text is
 * cut at its end if it is too long; line breaks and control characters in it become blanks.
 */
PCTL_API int pctl_error_set(struct pctl_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
PCTL_API int pctl_error_setv(struct pctl_error *err, int code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Adds flags to a filled-in error (which may be NULL) and returns its code; 0 for NULL. */
PCTL_API int pctl_error_flag(struct pctl_error *err, unsigned flags);

/* Adds the device's own code to a filled-in error (which may be NULL); returns its code, or 0. */
PCTL_API int pctl_error_device_code(struct pctl_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The class an errno value (positive) belongs to: ECONNREFUSED is PCTL_E_UNREACHABLE, and so on. */
PCTL_API int pctl_error_from_errno(int errnum);

/*
 * Whether an errno value (positive) says that this host is short of what connections need:
 * descriptors, memory for sockets (EUSERS: that a gateway takes no more at once). err (which may be
 * NULL) then gets PCTL_E_INTERNAL, words that say what mends it and the value's name as its code;
 * else it is left alone. An op that fails with such an error before its commit point does not fail:
 * the core tries it again when another node has ended, and goes on with fewer at once.
 */
PCTL_API bool pctl_error_shortage(struct pctl_error *err, int errnum);

/* Whether err was filled by pctl_error_shortage(). */
PCTL_API bool pctl_error_is_shortage(const struct pctl_error *err);

/* The class's word in output and JSON: "auth", "outcome_unknown". NULL for a number of no class. */
PCTL_API const char *pctl_error_name(int code);

/* What a person can do about this class, or NULL. */
PCTL_API const char *pctl_error_hint(int code);

/* Whether this class may be tried again as long as nothing was committed. */
PCTL_API bool pctl_error_retried(int code);

#ifdef __cplusplus
}
#endif

#endif
