/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial console, of which Redfish only tells where it is: over SSH, Telnet or IPMI. So this
 * opens none, and says what does. Source: DSP0268, ComputerSystem and Manager, SerialConsole.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define COMMAND_MAX 80u
/* What a shell takes as it is. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+"

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

/* What is typed after the login; "" where nothing is, or what no terminal should be shown. */
static const char *entry_command(const json_t *ssh)
{
	const char *command = doc_text(ssh, "ConsoleEntryCommand");

	for (const char *c = command; c && *c; c++)
		if (*c < ' ' || *c > '~')
			return "";
	return command && strlen(command) <= COMMAND_MAX ? command : "";
}

static void say_ssh(const struct redfish_dev *dev, struct pctl_buf *text)
{
	const json_t *ssh = doc_at(dev->host, "SerialConsole/SSH");
	const json_t *port = doc_at(ssh, "Port");
	const char *user = pctl_setting_text(dev->device, "username");
	const char *command = entry_command(ssh);

	pctl_buf_adds(text, "ssh ");
	if (json_is_integer(port) && json_integer_value(port) > 0 &&
		json_integer_value(port) < 65536 && json_integer_value(port) != 22)
		pctl_buf_addf(text, "-p %d ", (int)json_integer_value(port));
	if (!user[strspn(user, PLAIN)])
		pctl_buf_addf(text, "-l %s ", user);
	pctl_buf_adds(text, pctl_device_host(dev->device));
	if (*command)
		pctl_buf_addf(text, ", and there: %s", command);
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

static unsigned of_system(const struct redfish_dev *dev)
{
	return ways_of_system(doc_at(dev->host, "SerialConsole"));
}

static void got_manager(struct redfish_dev *dev, const struct reply *reply)
{
	tell(dev, of_system(dev) | ways_of_manager(doc_at(reply->doc, "SerialConsole")));
}

static void no_manager(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err))
		tell(dev, of_system(dev));
	else
		redfish_end(dev, err);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	unsigned found = of_system(dev);
	const char *manager = redfish_manager(dev);

	(void)reply;
	/* IPMI is what powerctl can use: a manager may tell of it where the system does not. */
	if (found & WAY_IPMI || !manager)
		tell(dev, found);
	else
		redfish_get(dev, manager, 0, got_manager, no_manager);
}

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct redfish_dev *dev = data;

	(void)flags, (void)ret_session;
	redfish_begin(dev, op, false);
	redfish_read_system(dev, got_system);
}

const struct pctl_console_if redfish_console = {
	.size = sizeof(redfish_console),
	.open = open_console,
	.flags = PCTL_CONSOLE_ELSEWHERE,
};
