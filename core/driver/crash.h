/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was at work when the program crashed. The core says here which function of which driver it
 * enters; the loop calls drivers back without passing through the core, so that is all it knows of
 * for certain. For callbacks there is the code's address: each plugin's is kept.
 */
#ifndef POWERCTL_CORE_CRASH_H
#define POWERCTL_CORE_CRASH_H

#include <stdint.h>

/* Texts are copied, and cut. node: "" where none is concerned. */
void pctl_crash_enter(const char *driver, const char *function, const char *node);
void pctl_crash_leave(void);

/* A driver was loaded: part is the address of anything in it. */
void pctl_crash_plugin(const char *driver, const void *part);
/* The driver whose code an address belongs to, or NULL. */
const char *pctl_crash_whose(uintptr_t address);

/* "power.get of nuc1 (driver x)": the latest that was entered; "" before that. */
const char *pctl_crash_latest(void);

/* The program is about to end itself and has said why: the handler keeps quiet. */
void pctl_crash_said(void);

#endif
