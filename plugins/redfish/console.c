/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial console, of which Redfish only tells where it is: over SSH, Telnet or IPMI. Where that
 * is SSH it is opened by the system's ssh, with the Redfish login; of the others this says what
 * opens them. Source: DSP0268, ComputerSystem and Manager, SerialConsole; ManagerNetworkProtocol.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/ssh.h>

#include "redfish.h"

enum way { WAY_IPMI = 1, WAY_SSH = 2, WAY_TELNET = 4 };

static const struct {
	const char *word;
	enum way way;
} ways[] = { { "IPMI", WAY_IPMI }, { "SSH", WAY_SSH }, { "Telnet", WAY_TELNET } };
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* Each protocol is an object of its own. */
static unsigned ways_of_system(const json_t *serial)
{
	unsigned found = 0;

	for (size_t i = 0; i < WAYS; i++)
		if (doc_is_true(doc_at(serial, ways[i].word), "ServiceEnabled"))
			found |= ways[i].way;
	return found;
}

/* The older form: one list of words. */
static unsigned ways_of_manager(const json_t *serial)
{
	unsigned found = 0;

	if (!doc_is_true(serial, "ServiceEnabled"))
		return 0;
	for (size_t i = 0; i < WAYS; i++)
		if (doc_lists(serial, "ConnectTypesSupported", ways[i].word, false))
			found |= ways[i].way;
	return found;
}

/* --- One that is being opened. ---------------------------------------------------------------- */

struct job {
	struct pctl_session **ret_session;
	struct pctl_ssh *ssh; /* NULL: not begun, or over */
	unsigned found;
	uint16_t port; /* 0: the service names none */
	bool steal;
	bool of_manager;                        /* the older form, which names no command */
	char command[REDFISH_CONSOLE_MAX + 1];  /* what is typed after the login; "": nothing */
	char hot_keys[REDFISH_CONSOLE_MAX + 1]; /* what leaves it, as the service says; "" */
};

static void drop_job(void *data)
{
	struct job *job = data;

	if (job->ssh)
		pctl_ssh_abort(job->ssh);
}

bool redfish_console_is_line(const char *text)
{
	const char *c = text;

	while (*c >= ' ' && *c <= '~')
		c++;
	return !*c && c - text <= (ptrdiff_t)REDFISH_CONSOLE_MAX;
}

/* What is there and can be shown to a terminal, else "". */
static void copy_line(const json_t *doc, const char *name, char out[REDFISH_CONSOLE_MAX + 1])
{
	const char *text = doc_text(doc, name);

	if (text && redfish_console_is_line(text))
		memcpy(out, text, strlen(text) + 1);
}

static uint16_t port_of(const json_t *ssh)
{
	const json_t *port = doc_at(ssh, "Port");
	json_int_t n = json_is_integer(port) ? json_integer_value(port) : 0;

	return n > 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

static const char *command_of(const struct redfish_dev *dev)
{
	const struct job *job = redfish_kept(dev);
	const char *own = pctl_setting_text(dev->device, "console_command");

	return own ? own : job->command;
}

static struct pctl_ssh_options ssh_options(const struct redfish_dev *dev)
{
	const struct job *job = redfish_kept(dev);

	return (struct pctl_ssh_options){
		.size = sizeof(struct pctl_ssh_options),
		.port = job->port,
		.username = pctl_setting_text(dev->device, "username"),
		.password = pctl_setting_secret(dev->device, "password"),
		.command = command_of(dev),
	};
}

/* --- In words. -------------------------------------------------------------------------------- */

static void say_ssh(const struct redfish_dev *dev, struct pctl_buf *text)
{
	const struct pctl_ssh_options options = ssh_options(dev);
	PCTL_AUTO(free) char *typed = pctl_ssh_typed(dev->device, &options);

	pctl_buf_adds(text, typed);
	if (*options.command)
		pctl_buf_addf(text, ", and there: %s", options.command);
}

static void tell(struct redfish_dev *dev, unsigned found)
{
	struct pctl_buf text;

	pctl_buf_init(&text, 1000);
	if (found & WAY_IPMI)
		pctl_buf_adds(&text, "its serial console is reached over IPMI: give the node "
				     "`console: {driver: ipmi, credential: NAME}`");
	if ((found & WAY_IPMI) && (found & WAY_SSH))
		pctl_buf_adds(&text, "; or type: ");
	else if (found & WAY_SSH)
		pctl_buf_adds(&text, "its serial console is reached over SSH; type: ");
	if (found & WAY_SSH)
		say_ssh(dev, &text);
	if (found == WAY_TELNET)
		pctl_buf_adds(&text, "its serial console is reached over Telnet only, which "
				     "encrypts nothing");
	if (!found)
		pctl_buf_adds(&text, "the service names no serial console that is enabled");
	PCTL_AUTO(free) char *words = pctl_buf_steal(&text);
	redfish_fail(dev, PCTL_E_UNSUPPORTED, "%s", words);
}

/* --- Over SSH. -------------------------------------------------------------------------------- */

/* What a person at the console should know; NULL: nothing. free() it. */
static char *note_of(const struct redfish_dev *dev)
{
	const struct job *job = redfish_kept(dev);

	if (*job->hot_keys)
		return pctl_xasprintf("its own way to leave, as it says: %s", job->hot_keys);
	if (job->of_manager && !*command_of(dev))
		return pctl_xstrdup("the service names no command that enters the console: this "
				    "may be the BMC's own command line; the setting "
				    "console_command names one");
	return NULL;
}

static void on_opened(void *data, struct pctl_session *session, const struct pctl_error *err)
{
	struct redfish_dev *dev = data;
	struct job *job = redfish_kept(dev);
	PCTL_AUTO(free) char *note = session ? note_of(dev) : NULL;

	job->ssh = NULL;
	if (!session) {
		redfish_end(dev, err);
		return;
	}
	session->facts = pctl_value_new_map();
	pctl_value_set_text(session->facts, "kind", "ssh");
	if (note)
		pctl_value_set_text(session->facts, "note", note);
	*job->ret_session = session;
	redfish_end(dev, NULL);
}

static void log_in(struct redfish_dev *dev)
{
	struct job *job = redfish_kept(dev);
	const struct pctl_ssh_options options = ssh_options(dev);
	struct pctl_error err;
	int r = pctl_ssh_open(dev->device, &options, on_opened, dev, &job->ssh, &err);

	if (r == PCTL_E_UNSUPPORTED)
		tell(dev, job->found);
	else if (r < 0)
		redfish_end(dev, &err);
}

/* --- Where it is. ----------------------------------------------------------------------------- */

static void decide(struct redfish_dev *dev)
{
	const struct job *job = redfish_kept(dev);

	if (!(job->found & WAY_SSH))
		tell(dev, job->found);
	else if (job->steal)
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"over SSH nobody's console is ended for another one: leave out --steal");
	else
		log_in(dev);
}

static void got_protocols(struct redfish_dev *dev, const struct reply *reply)
{
	struct job *job = redfish_kept(dev);
	const json_t *ssh = doc_at(reply->doc, "SSH");

	if (json_is_false(doc_at(ssh, "ProtocolEnabled")))
		job->found &= ~(unsigned)WAY_SSH;
	job->port = port_of(ssh);
	decide(dev);
}

/* What the service lacks says nothing; any other failure is the op's. */
static void go_without(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err))
		decide(dev);
	else
		redfish_end(dev, err);
}

static void got_manager(struct redfish_dev *dev, const struct reply *reply)
{
	struct job *job = redfish_kept(dev);
	const char *protocols = doc_link(reply->doc, "NetworkProtocol");

	job->found |= ways_of_manager(doc_at(reply->doc, "SerialConsole"));
	job->of_manager = true;
	if (job->found & WAY_SSH && protocols)
		redfish_get(dev, protocols, 0, got_protocols, go_without);
	else
		decide(dev);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct job *job = redfish_kept(dev);
	const json_t *serial = doc_at(dev->host, "SerialConsole");
	const char *manager = redfish_manager(dev);

	(void)reply;
	job->found = ways_of_system(serial);
	if (job->found & WAY_SSH) {
		const json_t *ssh = doc_at(serial, "SSH");

		job->port = port_of(ssh);
		copy_line(ssh, "ConsoleEntryCommand", job->command);
		copy_line(ssh, "HotKeySequenceDisplay", job->hot_keys);
	}
	/* A manager may tell of what can be used where the system does not. */
	if (job->found & (WAY_IPMI | WAY_SSH) || !manager)
		decide(dev);
	else
		redfish_get(dev, manager, 0, got_manager, go_without);
}

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct redfish_dev *dev = data;
	struct job *job;

	redfish_begin(dev, op, false);
	job = redfish_keep(dev, sizeof(*job), drop_job);
	job->steal = flags & PCTL_CONSOLE_STEAL;
	job->ret_session = ret_session;
	redfish_read_system(dev, got_system);
}

const struct pctl_console_if redfish_console = {
	.size = sizeof(redfish_console),
	.open = open_console,
};
