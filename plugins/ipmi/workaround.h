/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FreeIPMI's workarounds for what real BMCs get wrong, by the names that its users know
 * (freeipmi.conf(5), ipmipower(8), ipmiconsole(8)).
 */
#ifndef POWERCTL_IPMI_WORKAROUND_H
#define POWERCTL_IPMI_WORKAROUND_H

#include <stdint.h>

enum workaround {
	WORKAROUND_AUTHCAP,             /* do not believe what the BMC says it can do */
	WORKAROUND_IDZERO,              /* 1.5: accept answers with session id 0 */
	WORKAROUND_FORCEPERMSG,         /* 1.5: authenticate each packet, whatever the BMC says */
	WORKAROUND_UNEXPECTEDAUTH,      /* 1.5: accept authenticated answers where none are due */
	WORKAROUND_ENDIANSEQ,           /* 1.5: sequence numbers come in the wrong byte order */
	WORKAROUND_NOAUTHCODECHECK,     /* 1.5: do not check that answers are authentic */
	WORKAROUND_NOCHECKSUMCHECK,     /* do not check checksums */
	WORKAROUND_INTEL20,             /* padded user name, other RAKP lengths */
	WORKAROUND_SUPERMICRO20,        /* RAKP codes one byte too long */
	WORKAROUND_SUN20,               /* the same, with the privilege in Open Session */
	WORKAROUND_OPENSESSPRIV,        /* Open Session asks for the privilege itself */
	WORKAROUND_INTEGRITYCHECKVALUE, /* suite 0: a check value in RAKP 4 where none is due */
	WORKAROUND_IPMIPING,            /* nothing to do: nothing is ever pinged here */
	WORKAROUND_SOLPAYLOADSIZE,
	WORKAROUND_SOLPORT,
	WORKAROUND_SOLSTATUS,
	WORKAROUND_SOLCHANNELSUPPORT,
	WORKAROUND_SERIALALERTSDEFERRED,
	WORKAROUND_SOLPACKETSEQ,
	WORKAROUND_COUNT,
};

/* In the order of the enum; NULL-terminated. */
extern const char *const workaround_names[];

#define WORKAROUND_BIT(workaround) ((uint64_t)1 << (workaround))

#endif
