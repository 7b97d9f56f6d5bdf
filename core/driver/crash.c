/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/crash.h"

#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <powerctl/powerctl.h>

#include "base/command.h"

#define PLUGINS_MAX 64u
#define NAME_MAX_   32u
#define SEGMENTS    4u
#define STACK_SIZE  ((size_t)64 * 1024)
#define LOOKED_AT   ((uintptr_t)256 * 1024) /* of the stack that crashed */

/* A signal handler reads these: fixed places, and no pointer that somebody may have freed. */
static struct {
	char driver[NAME_MAX_], function[64], node[128];
	char words[256];
	unsigned depth; /* 0: the core is in no driver */
} latest;

struct code {
	uintptr_t from, to;
};

static struct plugin {
	char name[NAME_MAX_];
	struct code code[SEGMENTS];
	size_t n;
} plugins[PLUGINS_MAX];
static size_t plugins_n;

static volatile sig_atomic_t said;

/* Every op comes by here: ten thousand of them take a few hundredths of a second in all. */
static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

void pctl_crash_enter(const char *driver, const char *function, const char *node)
{
	copy(latest.driver, sizeof(latest.driver), driver);
	copy(latest.function, sizeof(latest.function), function);
	copy(latest.node, sizeof(latest.node), node);
	latest.depth++;
	/* The compiler must not move this behind the call that may crash. */
	atomic_signal_fence(memory_order_seq_cst);
}

void pctl_crash_leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	latest.depth--;
}

const char *pctl_crash_latest(void)
{
	if (*latest.driver)
		(void)snprintf(latest.words, sizeof(latest.words), "%s%s%s (driver %s)",
			latest.function, *latest.node ? " of " : "", latest.node, latest.driver);
	return latest.words;
}

void pctl_crash_said(void)
{
	said = 1;
}

/* --- Whose code it is. ------------------------------------------------------------------------ */

struct search {
	uintptr_t part;
	struct plugin *plugin;
};

static int note_code(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *s = data;
	bool mine = false;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && !mine; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		mine = p->p_type == PT_LOAD &&
		       s->part - (info->dlpi_addr + p->p_vaddr) < p->p_memsz;
	}
	for (size_t i = 0; i < info->dlpi_phnum && mine; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && s->plugin->n < SEGMENTS)
			s->plugin->code[s->plugin->n++] = (struct code){ from, from + p->p_memsz };
	}
	return mine;
}

void pctl_crash_plugin(const char *driver, const void *part)
{
	if (plugins_n == PLUGINS_MAX)
		return;
	struct plugin *p = &plugins[plugins_n];
	struct search s = { .part = (uintptr_t)part, .plugin = p };

	p->n = 0;
	(void)snprintf(p->name, sizeof(p->name), "%s", driver);
	(void)dl_iterate_phdr(note_code, &s);
	plugins_n++;
}

const char *pctl_crash_whose(uintptr_t address)
{
	for (size_t i = 0; i < plugins_n; i++)
		for (size_t k = 0; k < plugins[i].n; k++)
			if (address >= plugins[i].code[k].from && address < plugins[i].code[k].to)
				return plugins[i].name;
	return NULL;
}

/* --- The handler: nothing but reading memory and write(). ------------------------------------- */

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNALS];
static uintptr_t stack_top; /* of the thread that asked for this */
static char program_name[NAME_MAX_];
static void (*put_right)(void);

struct place {
	uintptr_t code, stack;
};

static struct place place_of(const void *context)
{
	const ucontext_t *c = context;

#if defined(__x86_64__)
	return (struct place){ (uintptr_t)c->uc_mcontext.gregs[REG_RIP],
		(uintptr_t)c->uc_mcontext.gregs[REG_RSP] };
#elif defined(__aarch64__)
	return (struct place){ c->uc_mcontext.pc, c->uc_mcontext.sp };
#else
	(void)c;
	return (struct place){ 0, 0 };
#endif
}

/*
 * Most crashes happen in a library that the driver called (strlen, free, abort): then its address
 * is among the return addresses. What else lies about on the stack looks the same, so this is a
 * good guess where the core is in no driver.
 */
__attribute__((no_sanitize("address"), no_sanitize("undefined"))) static const char *
caller_on_stack(uintptr_t from)
{
	uintptr_t to = stack_top - from > LOOKED_AT ? from + LOOKED_AT : stack_top;

	for (uintptr_t at = (from + 7) & ~(uintptr_t)7; at + sizeof(uintptr_t) <= to;
		at += sizeof(uintptr_t)) {
		const char *whose = pctl_crash_whose(*(const volatile uintptr_t *)at);

		if (whose)
			return whose;
	}
	return NULL;
}

static const char *who(const siginfo_t *info, const void *context)
{
	struct place at = place_of(context);
	uintptr_t touched = (uintptr_t)info->si_addr;
	bool overflow =
		info->si_signo == SIGSEGV && touched - (at.stack - 65536) < (uintptr_t)2 * 65536;
	const char *whose = pctl_crash_whose(at.code);

	if (!whose && !overflow && at.stack < stack_top && stack_top - at.stack < (1u << 23))
		whose = caller_on_stack(at.stack);
	return whose;
}

struct line {
	char text[1024];
	size_t n;
};

static void add(struct line *l, const char *text)
{
	for (; *text && l->n < sizeof(l->text); text++)
		l->text[l->n++] = *text;
}

static void add_number(struct line *l, int n)
{
	char digits[4] = { (char)('0' + n / 10 % 10), (char)('0' + n % 10), '\0', '\0' };

	add(l, n < 10 ? digits + 1 : digits);
}

static void add_call(struct line *l)
{
	add(l, latest.function);
	add(l, *latest.node ? " of " : "");
	add(l, latest.node);
}

static void add_what(struct line *l, int sig, const char *whose)
{
	bool in_call = latest.depth > 0 && (!whose || strcmp(whose, latest.driver) == 0);

	if (in_call)
		whose = latest.driver;
	add(l, whose ? "driver " : "");
	add(l, whose ? whose : "it");
	add(l, " crashed");
	if (in_call) {
		add(l, " in ");
		add_call(l);
	}
	add(l, " (signal ");
	add_number(l, sig);
	add(l, ")");
	if (in_call || !*latest.driver)
		return;
	add(l, whose ? " in a callback" : ", as far as can be told in no driver");
	add(l, "; what a driver was asked last is ");
	add_call(l);
	add(l, " (driver ");
	add(l, latest.driver);
	add(l, ")");
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	struct line l = { .n = 0 };
	const char *whose = who(info, context);

	if (put_right)
		put_right();
	add(&l, program_name);
	add(&l, ": ");
	add_what(&l, sig, whose);
	add(&l, whose || latest.depth ? ": please report it to whoever makes that driver"
				      : ": please report it");
	add(&l, "; what was printed holds, of other nodes nothing is known\n");
	if (!said)
		(void)!write(STDERR_FILENO, l.text, l.n);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before[i], NULL);
	/* A fault happens again as soon as this returns; a signal that was sent does not. */
	if (info->si_code <= 0)
		(void)raise(sig);
}

/* --- What ends the program or holds it up without a crash. ------------------------------------ */

static bool ends; /* main() has ended, and exit() is its own */

static void say_latest(const char *how)
{
	struct line l = { .n = 0 };

	if (put_right)
		put_right();
	add(&l, program_name);
	add(&l, ": ");
	add(&l, *latest.driver ? "driver " : "it");
	add(&l, latest.driver);
	add(&l, how);
	add_call(&l);
	add(&l, *latest.driver ? ": please report it to whoever makes that driver"
			       : ": please report it");
	add(&l, "; what was printed holds, of other nodes nothing is known\n");
	(void)!write(STDERR_FILENO, l.text, l.n);
}

static void on_exit_of_others(void)
{
	if (ends || !*latest.driver)
		return;
	say_latest(latest.depth ? " ended the program in "
				: " or a library ended the program; it was asked last for ");
	_exit(EXIT_FAILURE);
}

void pctl_name_blocked(void)
{
	say_latest(!*latest.driver ? " is held up, and no driver was asked for anything"
		   : latest.depth  ? " does not return from "
				   : " does not return from what it does for ");
}

void pctl_program_ends(void)
{
	ends = true;
}

static void say_interrupted(const char *name)
{
	(void)fprintf(stderr, "%s: interrupted while '%s' ran\n", program_name, name);
	(void)fflush(stderr);
}

void pctl_name_crashes(const char *program, void (*first)(void))
{
	static char stack[STACK_SIZE];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	char here;

	stack_top = (uintptr_t)&here;
	put_right = first;
	(void)atexit(on_exit_of_others);
	pctl_command_on_interrupt(say_interrupted);
	(void)snprintf(program_name, sizeof(program_name), "%s", program);
	(void)sigemptyset(&action.sa_mask);
	if (sigaltstack(&own, NULL) < 0)
		action.sa_flags &= ~SA_ONSTACK;
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &action, &before[i]);
}
