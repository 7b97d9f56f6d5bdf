/* SPDX-License-Identifier: Apache-2.0 */
/* What the classes about TLS have made of a device: the certificate it shows, whom it lets in. */
#ifndef POWERCTL_AMTSIM_OWN_TLS_H
#define POWERCTL_AMTSIM_OWN_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "util.h"

struct device;

/* InstanceID of the certificate that is chosen; empty: none is. */
struct str own_tls_certificate(struct device *dev);

/* What is set holds from the next connection on. */
void own_tls_commit(struct device *dev);
/* Nothing is set: it shows what it was made with. */
void own_tls_forget(struct device *dev);

/*
 * Gives a new connection the device's own certificate, and has it ask for the client's where that
 * is set. False: it has no certificate of its own.
 */
bool own_tls_dress(struct device *dev, SSL *ssl);

#endif
