/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RMCP+ session set-up: Open Session and RAKP 1 to 4, sections 13.17 to 13.24, 13.28 to 13.32.
 * Each takes a payload and gives the payload of the answer.
 */
#ifndef POWERCTL_BMCSIM_LOGIN_H
#define POWERCTL_BMCSIM_LOGIN_H

#include "util.h"

struct device;

enum {
	LOGIN_REPLY = 96,
	/* Cipher suites by number, bits of knobs.suites. */
	SUITES = 18,
};

/* Bytes put into out[LOGIN_REPLY]; 0: no answer. */
size_t login_open(struct device *dev, const uint8_t *p, size_t n, uint8_t *out);
size_t login_rakp1(struct device *dev, const uint8_t *p, size_t n, uint8_t *out);
size_t login_rakp3(struct device *dev, const uint8_t *p, size_t n, uint8_t *out);

/* All that this program can do. */
uint32_t login_suites(void);
/* The record of a suite as Get Channel Cipher Suites lists it, 22.15.2; 5 bytes. */
size_t login_suite_record(unsigned number, uint8_t *out);

#endif
