/* SPDX-License-Identifier: Apache-2.0 */
/* Users: who there is, and their passwords (sections 22.27 to 22.30). */
#include "request.h"

#include <string.h>

enum {
	CHANNEL_THIS = 0x0E,
	CHANNEL = 1,
	FIRST = 2, /* 1 is the user without a name */
	LONG_FORM = 0x80,
	OP_SET = 2,
	OP_TEST = 3,
	CC_WRONG_PASSWORD = 0x80,
	CC_WRONG_SIZE = 0x81,
};

static struct user *user_of(const struct device *dev, unsigned id)
{
	return id >= FIRST && id - FIRST < dev->users->count ? &dev->users->user[id - FIRST] : NULL;
}

static uint8_t get_access(struct request *rq)
{
	const struct device *dev = rq->dev;
	const struct user *user = user_of(dev, rq->in[1] & 0x3F);

	if ((rq->in[0] & 0x0F) != CHANNEL_THIS && (rq->in[0] & 0x0F) != CHANNEL)
		return CC_INVALID_DATA;
	put8(rq, dev->users->count + 1);
	put8(rq, dev->users->count);
	put8(rq, 1);
	put8(rq, user ? 0x30U | user->privilege : 0x0F);
	return CC_OK;
}

static uint8_t get_name(struct request *rq)
{
	const struct user *user = user_of(rq->dev, rq->in[0] & 0x3F);
	uint8_t name[SIM_NAME] = { 0 };

	if (!user && (rq->in[0] & 0x3F) != 1)
		return CC_INVALID_DATA;
	if (user)
		memcpy(name, user->name, strlen(user->name));
	put_bytes(rq, name, sizeof(name));
	return CC_OK;
}

/* Of its own from now on: others of the fleet keep theirs. Sessions go on with the same user. */
static void own_users(struct device *dev)
{
	struct users *own;

	if (dev->users != &dev->sim->users)
		return;
	own = xcalloc(1, sizeof(*own));
	*own = *dev->users;
	for (size_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i] && dev->sessions[i]->user)
			dev->sessions[i]->user =
				&own->user[dev->sessions[i]->user - dev->users->user];
	dev->users = own;
}

static uint8_t test(const struct request *rq, const struct user *user, size_t n)
{
	uint8_t given[SIM_SECRET] = { 0 };

	memcpy(given, rq->in + 2, n);
	if (user->password_n > 16 && n == 16)
		return CC_WRONG_SIZE;
	return memcmp(given, user->password, sizeof(given)) == 0 ? CC_OK : CC_WRONG_PASSWORD;
}

static uint8_t set(struct request *rq, unsigned id, size_t n)
{
	struct device *dev = rq->dev;
	struct user *user;

	dev->counters.passwords_asked++;
	rq->silent = dev->knobs.passwd == PASSWD_LOSE || dev->knobs.passwd == PASSWD_HANG;
	if (dev->knobs.passwd == PASSWD_REFUSE)
		return CC_UNSPECIFIED;
	if (dev->knobs.passwd != PASSWD_DO && dev->knobs.passwd != PASSWD_LOSE)
		return CC_OK;
	own_users(dev);
	user = user_of(dev, id);
	if (!user)
		return CC_INVALID_DATA;
	memset(user->password, 0, sizeof(user->password));
	memcpy(user->password, rq->in + 2, n);
	user->password_n = (uint8_t)strnlen((const char *)user->password, n);
	dev->counters.passwords_set++;
	return CC_OK;
}

static uint8_t set_password(struct request *rq)
{
	const struct user *user = user_of(rq->dev, rq->in[0] & 0x3F);
	size_t n = rq->in[0] & LONG_FORM ? 20 : 16;
	unsigned operation = rq->in[1] & 3;

	if (!user || operation < OP_SET)
		return CC_INVALID_DATA;
	if (rq->in_n != 2 + n)
		return CC_LENGTH;
	if (operation == OP_SET)
		return set(rq, rq->in[0] & 0x3F, n);
	return rq->dev->knobs.passwd == PASSWD_LIE ? CC_OK : test(rq, user, n);
}

static const struct command table[] = {
	{ NETFN_APP, 0x44, PRIV_OPERATOR, 2, 2, get_access },
	{ NETFN_APP, 0x46, PRIV_OPERATOR, 1, 1, get_name },
	{ NETFN_APP, 0x47, PRIV_ADMIN, 2, 22, set_password },
};

const struct commands commands_user = { table, COUNT(table) };
