/* SPDX-License-Identifier: Apache-2.0 */
/* WS-Management: what an envelope asks for, who does it, and the envelope of the answer. */
#ifndef POWERCTL_AMTSIM_WSMAN_H
#define POWERCTL_AMTSIM_WSMAN_H

#include "util.h"

struct device;

enum wsman_result {
	/* The answer, or a fault, is in sim->body. */
	WSMAN_OK,
	WSMAN_FAULT,
	WSMAN_MALFORMED,
	/* An HTML page and status 400 instead of a fault. */
	WSMAN_NO_CLASS_PAGE,
	/* Done, but there shall be no answer. */
	WSMAN_LOST,
};

/* Runs one authenticated request. */
enum wsman_result wsman_answer(struct device *dev, struct str body);

#endif
