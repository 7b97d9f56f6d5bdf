/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's ways of saying no, in our classes and in words: return values of methods, internal
 * status numbers (PT_STATUS), and subcodes of SOAP faults.
 */
#ifndef POWERCTL_AMT_STATUS_H
#define POWERCTL_AMT_STATUS_H

#include <stdint.h>

#include <powerctl/error.h>

/*
 * How a method's ReturnValue is read. Methods of CIM classes have small numbers of their own and
 * give internal ones as 32768 + PT_STATUS; methods of AMT_ and IPS_ classes give PT_STATUS as it
 * is, but for the power method of IPS_PowerManagementService, which follows CIM's, and those of
 * IPS_OptInService.
 */
enum status_kind {
	STATUS_POWER,      /* RequestPowerStateChange, RequestOSPowerSavingStateChange */
	STATUS_BOOT_ORDER, /* ChangeBootOrder */
	STATUS_BOOT_ROLE,  /* SetBootConfigRole */
	STATUS_LOG,        /* the methods of AMT_MessageLog, whose numbers are its own */
	STATUS_OPT_IN,     /* methods of IPS_OptInService: numbers of its own */
	STATUS_PLAIN,      /* PT_STATUS as it is */
	STATUS_STATE,      /* RequestStateChange */
	STATUS_WIFI,       /* AddWiFiSettings, UpdateWiFiSettings */
	STATUS_OTHER,      /* a method that nobody here knows, of a CIM class */
};

/*
 * Each returns its class and fills err, which has the device's own code then. what names the
 * request in the text ("ChangeBootOrder"), or is NULL where there is no doubt.
 */

/* 0 if the value means that the device took the request. */
int status_return(enum status_kind kind, uint64_t value, const char *what, struct pctl_error *err);

/* The n of "AMT-STATUS n" in a fault. */
int status_internal(uint64_t n, const char *what, struct pctl_error *err);

/* subcode has no prefix; reason is the device's own text or "". */
int status_fault(const char *subcode, const char *reason, const char *what, struct pctl_error *err);

#endif
