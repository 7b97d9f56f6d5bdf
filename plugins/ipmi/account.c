/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The login's password (specification sections 22.27 to 22.30). The user is found by its name among
 * those that the BMC has. Only the form with 16 bytes is sent: every BMC has it, whatever it is
 * asked by later, and one that cuts the form with 20 bytes would keep everybody out.
 */
#include <string.h>

#include "ipmi.h"

#define USERS_MAX      63u
#define USER_NAME_MAX  16u
#define PASSWORD_MAX   16u
#define CHANNEL_THIS   0x0e
#define OPERATION_SET  2u
#define OPERATION_TEST 3u

static void login(void *data, struct pctl_op *op)
{
	struct ipmi_dev *dev = data;

	ipmi_begin(dev, op);
	ipmi_send(dev, &command_get_device_id, NULL, 0, ipmi_then_end, NULL);
}

/* Call and session have copies, which they wipe however they end. */
static void send_password(struct ipmi_dev *dev, const struct command *command, unsigned operation,
	ipmi_then_fn *then, ipmi_except_fn *except)
{
	const struct account_work *work = &dev->work.account;
	uint8_t bytes[2 + PASSWORD_MAX] = { work->found, (uint8_t)operation };

	memcpy(bytes + 2, pctl_secret_data(work->password), pctl_secret_len(work->password));
	ipmi_send(dev, command, bytes, sizeof(bytes), then, except);
	explicit_bzero(bytes, sizeof(bytes));
}

/* A BMC that cannot compare them has taken it all the same; a login will tell. */
static void not_tested(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	ipmi_end(dev, code == 0x80 || code == 0x81 ? err : NULL);
}

static void on_set(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	pctl_op_taken(dev->call.op);
	send_password(dev, &command_test_user_password, OPERATION_TEST, ipmi_then_end, not_tested);
}

/* --- Which user it is. ------------------------------------------------------------------------ */

static void ask_name(struct ipmi_dev *dev);

static void next_name(struct ipmi_dev *dev)
{
	struct account_work *work = &dev->work.account;

	if (work->id++ < work->last)
		ask_name(dev);
	else if (!work->found)
		ipmi_fail(dev, PCTL_E_UNSUPPORTED,
			"the BMC has no user of this name in its list; a password from elsewhere "
			"(LDAP, RADIUS) is changed there");
	else
		send_password(dev, &command_set_user_password, OPERATION_SET, on_set, NULL);
}

static void on_name(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct account_work *work = &dev->work.account;
	char name[USER_NAME_MAX + 1] = "";

	(void)len;
	memcpy(name, data, USER_NAME_MAX);
	if (strcmp(name, dev->credential.username) != 0 || (!*name && work->id > 1)) {
		next_name(dev);
	} else if (work->found) {
		ipmi_fail(dev, PCTL_E_UNSUPPORTED,
			"the BMC has two users of this name (%u and %u), and which one logs in is "
			"not known; nothing was changed",
			work->found, work->id);
	} else {
		work->found = work->id;
		next_name(dev);
	}
}

/* Some say no to places that nobody has. */
static void no_name(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (ipmi_is_declined(err, code))
		next_name(dev);
	else
		ipmi_end(dev, err);
}

static void ask_name(struct ipmi_dev *dev)
{
	ipmi_send(dev, &command_get_user_name, &dev->work.account.id, 1, on_name, no_name);
}

static void on_access(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)len;
	dev->work.account.last = data[0] & USERS_MAX;
	ask_name(dev);
}

static void set_password(void *data, struct pctl_op *op, const struct pctl_secret *password)
{
	static const uint8_t first[] = { CHANNEL_THIS, 1 };
	struct ipmi_dev *dev = data;

	ipmi_begin(dev, op);
	dev->work.account = (struct account_work){ .password = password, .id = 1 };
	if (pctl_secret_len(password) > PASSWORD_MAX)
		ipmi_fail(dev, PCTL_E_CONFIG, "the new password is longer than IPMI's 16 bytes");
	else
		ipmi_send(dev, &command_get_user_access, first, sizeof(first), on_access, NULL);
}

const struct pctl_account_if ipmi_account = {
	.size = sizeof(ipmi_account),
	.min = 1,
	.max = PASSWORD_MAX,
	.made = PASSWORD_MAX,
	.setting = "password",
	.login = login,
	.set_password = set_password,
};
