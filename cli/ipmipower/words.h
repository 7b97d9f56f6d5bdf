/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ipmipower says of a host, letter by letter: MAAS and others look for these words. In
 * ipmipower's order, in which it folds them too.
 */
#ifndef POWERCTL_CLI_IPMIPOWER_WORDS_H
#define POWERCTL_CLI_IPMIPOWER_WORDS_H

#include <powerctl/powerctl.h>

enum ipmipower_word {
	IPMIPOWER_ON,
	IPMIPOWER_OFF,
	IPMIPOWER_OK,
	IPMIPOWER_UNKNOWN, /* from here on it is a failure */
	IPMIPOWER_USERNAME,
	IPMIPOWER_PASSWORD,
	IPMIPOWER_KG,
	IPMIPOWER_NO_PRIVILEGE,
	IPMIPOWER_LITTLE_PRIVILEGE,
	IPMIPOWER_OPERATION,
	IPMIPOWER_AUTH_TYPE,
	IPMIPOWER_CIPHER_SUITE,
	IPMIPOWER_PASSWORD_TIMEOUT,
	IPMIPOWER_CONNECTION_TIMEOUT,
	IPMIPOWER_SESSION_TIMEOUT,
	IPMIPOWER_HOSTNAME,
	IPMIPOWER_UNCONFIGURED,
	IPMIPOWER_RESOURCES,
	IPMIPOWER_NO_IPMI20,
	IPMIPOWER_BUSY,
	IPMIPOWER_ERROR,
	IPMIPOWER_WORDS,
};

const char *ipmipower_word_text(enum ipmipower_word word);

/* *ret_plain: the words say all that is known, so that there is nothing to add. */
enum ipmipower_word ipmipower_word_of_error(const struct pctl_error *err, bool *ret_plain);
enum ipmipower_word ipmipower_word_of(const struct pctl_result *result, bool *ret_plain);

#endif
