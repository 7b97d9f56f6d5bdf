/* SPDX-License-Identifier: Apache-2.0 */
#include "sol.h"

void sol_receive(struct device *dev, struct session *s, const uint8_t *p, size_t n)
{
	(void)dev;
	(void)s;
	(void)p;
	(void)n;
}

void sol_session_gone(struct device *dev, struct session *s)
{
	(void)dev;
	(void)s;
}
