/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/advisories.h"

#include <string.h>

/* Firmware from first on is open to it, up to fixed, which is not any more. */
struct range {
	const struct advisory *advisory;
	struct version first, fixed; /* fixed major 0: nothing of that line was mended */
	struct version end;          /* of a line without fixed: where it ends */
};

/* CVE-2017-5689: an empty Digest response logs in. */
static const struct advisory sa00075 = { "INTEL-SA-00075", true };
/* CVE-2017-5711, -5712: overflows in AMT's firmware, for who is administrator. */
static const struct advisory sa00086 = { "INTEL-SA-00086", false };
/* CVE-2018-3628: an overflow in its HTTP, from the same subnet. */
static const struct advisory sa00112 = { "INTEL-SA-00112", true };
/* CVE-2018-3616, -3658: keys of TLS sessions, denial of service. */
static const struct advisory sa00141 = { "INTEL-SA-00141", false };
/* CVE-2019-0096: for who has a login, in the same subnet. */
static const struct advisory sa00213 = { "INTEL-SA-00213", false };
/* CVE-2019-11131: over the network. */
static const struct advisory sa00241 = { "INTEL-SA-00241", true };
/* CVE-2020-0594, -0595: over the network, by IPv6 (Ripple20). */
static const struct advisory sa00295 = { "INTEL-SA-00295", true };
/* CVE-2020-8752: over the network, by IPv6. */
static const struct advisory sa00391 = { "INTEL-SA-00391", true };
/* CVE-2020-8758: over the network. */
static const struct advisory sa00404 = { "INTEL-SA-00404", true };

/* Of one advisory the lines do not overlap. 11.10 and 11.20 are lines of their own. */
static const struct range ranges[] = {
	{ &sa00075, { 6, 0, 0 }, { 6, 2, 61 }, { 0 } },
	{ &sa00075, { 7, 0, 0 }, { 7, 1, 91 }, { 0 } },
	{ &sa00075, { 8, 0, 0 }, { 8, 1, 71 }, { 0 } },
	{ &sa00075, { 9, 0, 0 }, { 9, 1, 41 }, { 0 } },
	{ &sa00075, { 9, 5, 0 }, { 9, 5, 61 }, { 0 } },
	{ &sa00075, { 10, 0, 0 }, { 10, 0, 55 }, { 0 } },
	{ &sa00075, { 11, 0, 0 }, { 11, 0, 25 }, { 0 } },
	{ &sa00075, { 11, 1, 0 }, { 11, 6, 27 }, { 0 } },
	/* Which builds of 8 to 10 have it is not among what Intel's advisory tells. */
	{ &sa00086, { 11, 0, 0 }, { 11, 8, 0 }, { 0 } },
	{ &sa00086, { 11, 10, 0 }, { 11, 11, 0 }, { 0 } },
	{ &sa00086, { 11, 20, 0 }, { 11, 21, 0 }, { 0 } },
	/* 9 to 11 were mended, in builds that nobody names; 3 to 8 were out of maintenance. */
	{ &sa00112, { 3, 0, 0 }, { 0, 0, 0 }, { 9, 0, 0 } },
	{ &sa00141, { 12, 0, 0 }, { 12, 0, 5 }, { 0 } },
	{ &sa00213, { 11, 0, 0 }, { 11, 8, 65 }, { 0 } },
	{ &sa00213, { 11, 10, 0 }, { 11, 11, 65 }, { 0 } },
	{ &sa00213, { 11, 20, 0 }, { 11, 22, 65 }, { 0 } },
	{ &sa00213, { 12, 0, 0 }, { 12, 0, 35 }, { 0 } },
	{ &sa00241, { 11, 0, 0 }, { 11, 8, 70 }, { 0 } },
	{ &sa00241, { 11, 10, 0 }, { 11, 11, 70 }, { 0 } },
	{ &sa00241, { 11, 20, 0 }, { 11, 22, 70 }, { 0 } },
	{ &sa00241, { 12, 0, 0 }, { 12, 0, 45 }, { 0 } },
	{ &sa00295, { 11, 0, 0 }, { 11, 8, 77 }, { 0 } },
	{ &sa00295, { 11, 10, 0 }, { 11, 11, 77 }, { 0 } },
	{ &sa00295, { 11, 20, 0 }, { 11, 22, 77 }, { 0 } },
	{ &sa00295, { 12, 0, 0 }, { 12, 0, 64 }, { 0 } },
	{ &sa00391, { 11, 0, 0 }, { 11, 8, 80 }, { 0 } },
	{ &sa00391, { 11, 10, 0 }, { 11, 12, 80 }, { 0 } },
	{ &sa00391, { 11, 20, 0 }, { 11, 22, 80 }, { 0 } },
	{ &sa00391, { 12, 0, 0 }, { 12, 0, 70 }, { 0 } },
	{ &sa00391, { 14, 0, 0 }, { 14, 0, 45 }, { 0 } },
	{ &sa00404, { 11, 0, 0 }, { 11, 8, 79 }, { 0 } },
	{ &sa00404, { 11, 10, 0 }, { 11, 12, 79 }, { 0 } },
	{ &sa00404, { 11, 20, 0 }, { 11, 22, 79 }, { 0 } },
	{ &sa00404, { 12, 0, 0 }, { 12, 0, 68 }, { 0 } },
	{ &sa00404, { 14, 0, 0 }, { 14, 0, 39 }, { 0 } },
};

static bool is_in(const struct version *version, const struct range *range)
{
	const struct version *end = range->fixed.major ? &range->fixed : &range->end;

	return !version_before(version, &range->first) && version_before(version, end);
}

unsigned advisories_find(const struct version *version, bool open, struct pctl_buf *ret,
	struct advisories_end *ret_end)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];

		if (r->advisory->open != open || !is_in(version, r))
			continue;
		pctl_buf_addf(ret, "%s%s", n++ ? ", " : "", r->advisory->id);
		if (!r->fixed.major)
			ret_end->never = true;
		else if (version_before(&ret_end->fixed, &r->fixed))
			ret_end->fixed = r->fixed;
	}
	return n;
}
