/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "workaround.h"

#include <stddef.h>

const char *const workaround_names[] = {
	[WORKAROUND_AUTHCAP] = "authcap",
	[WORKAROUND_IDZERO] = "idzero",
	[WORKAROUND_FORCEPERMSG] = "forcepermsg",
	[WORKAROUND_UNEXPECTEDAUTH] = "unexpectedauth",
	[WORKAROUND_ENDIANSEQ] = "endianseq",
	[WORKAROUND_NOAUTHCODECHECK] = "noauthcodecheck",
	[WORKAROUND_NOCHECKSUMCHECK] = "nochecksumcheck",
	[WORKAROUND_INTEL20] = "intel20",
	[WORKAROUND_SUPERMICRO20] = "supermicro20",
	[WORKAROUND_SUN20] = "sun20",
	[WORKAROUND_OPENSESSPRIV] = "opensesspriv",
	[WORKAROUND_INTEGRITYCHECKVALUE] = "integritycheckvalue",
	[WORKAROUND_IPMIPING] = "ipmiping",
	[WORKAROUND_SOLPAYLOADSIZE] = "solpayloadsize",
	[WORKAROUND_SOLPORT] = "solport",
	[WORKAROUND_SOLSTATUS] = "solstatus",
	[WORKAROUND_SOLCHANNELSUPPORT] = "solchannelsupport",
	[WORKAROUND_SERIALALERTSDEFERRED] = "serialalertsdeferred",
	[WORKAROUND_SOLPACKETSEQ] = "solpacketseq",
	[WORKAROUND_COUNT] = NULL,
};
