/* SPDX-License-Identifier: Apache-2.0 */
#include "knobs.h"

#include "device.h"
#include "redir_ider.h"
#include "redir_sol.h"
#include "sim.h"
#include "store.h"

const size_t web_offset = offsetof(struct device, web);

static bool set_power(struct device *dev, struct str value)
{
	char word[16];
	unsigned state = str_copy(value, word, sizeof(word)) ? power_of_word(word) : 0;

	if (!state)
		return false;
	power_set(dev, state);
	return true;
}

static void show_power(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(power_word(dev->power.state)));
}

static bool set_os_saving(struct device *dev, struct str value)
{
	uint64_t n;

	if (!parse_uint(value, 3, &n))
		return false;
	dev->power.os_saving = (uint8_t)n;
	return true;
}

static void show_os_saving(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->power.os_saving);
}

static bool set_profile(struct device *dev, struct str value)
{
	char name[8];
	const struct profile *p = str_copy(value, name, sizeof(name)) ? profile_find(name) : NULL;

	if (!p)
		return false;
	dev->profile = p;
	device_identify(dev);
	web_sync(dev);
	return true;
}

static void show_profile(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->profile->name));
}

static bool set_password(struct device *dev, struct str value)
{
	if (!value.n || !str_copy(value, dev->password, sizeof(dev->password)))
		return false;
	device_identify(dev);
	return true;
}

static void show_password(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->password));
}

static bool set_refuse(struct device *dev, struct str value)
{
	struct str action;
	uint64_t number = 0, code = POWER_NOT_READY;

	if (str_is(value, "no") || str_is(value, "0")) {
		dev->knobs.refuse_value = dev->knobs.refuse_action = 0;
		return true;
	}
	if (!str_split(&value, ':', &action))
		return false;
	if (!str_is(action, "any") && !parse_uint(action, 17, &number))
		return false;
	if (value.p && (!parse_uint(value, UINT32_MAX, &code) || !code))
		return false;
	dev->knobs.refuse_action = (uint32_t)number;
	dev->knobs.refuse_value = (uint32_t)code;
	return true;
}

static void show_refuse(const struct device *dev, struct buf *out)
{
	if (!dev->knobs.refuse_value)
		buf_text(out, "\"no\"");
	else if (!dev->knobs.refuse_action)
		buf_fmt(out, "\"any:%u\"", dev->knobs.refuse_value);
	else
		buf_fmt(out, "\"%u:%u\"", dev->knobs.refuse_action, dev->knobs.refuse_value);
}

static bool set_forget(struct device *dev, struct str value)
{
	if (!str_is(value, "1"))
		return false;
	device_forget_nonces(dev);
	return true;
}

static void show_forget(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->nonce_epoch);
}

static bool set_state(struct device *dev, struct str value)
{
	uint64_t n;

	if (!parse_uint(value, 32771, &n) || n < 32768)
		return false;
	dev->redir.state = (uint32_t)n;
	return true;
}

static void show_state(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->redir.state);
}

static bool set_kvm(struct device *dev, struct str value)
{
	uint64_t n;

	if (!parse_uint(value, 1, &n))
		return false;
	dev->redir.kvm = n;
	redir_sync(dev);
	return true;
}

static void show_kvm(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->redir.kvm);
}

static bool set_listener(struct device *dev, struct str value)
{
	if (!str_is(value, "0") && !str_is(value, "1"))
		return false;
	dev->redir.listening = str_is(value, "1");
	redir_sync(dev);
	return true;
}

static void show_listener(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->redir.listening);
}

static bool set_events(struct device *dev, struct str value)
{
	uint64_t n;

	if (!parse_uint(value, LOGS_EVENTS_MAX, &n))
		return false;
	logs_add_starts(dev, (unsigned)n);
	return true;
}

static void show_events(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->logs.nevents);
}

static bool set_drop(struct device *dev, struct str value)
{
	if (!str_is(value, "1"))
		return false;
	for (int kind = 0; kind < REDIR_KINDS; kind++)
		(void)redir_end(dev, (enum redir_kind)kind);
	return true;
}

static void show_sessions(const struct device *dev, struct buf *out)
{
	unsigned n = 0;

	for (int kind = 0; kind < REDIR_KINDS; kind++)
		n += dev->redir.sessions[kind] != NULL;
	buf_uint(out, n);
}

static bool set_absent(struct device *dev, struct str value)
{
	return str_copy(str_is(value, "no") ? STR("") : value, dev->absent, sizeof(dev->absent));
}

static void show_absent(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->absent[0] ? dev->absent : "no"));
}

static bool set_refuse_call(struct device *dev, struct str value)
{
	struct str name;
	uint64_t code = 1;

	if (str_is(value, "no") || str_is(value, "0")) {
		dev->refuse_call[0] = '\0';
		return true;
	}
	if (!str_split(&value, ':', &name) || !name.n)
		return false;
	if (value.p && (!parse_uint(value, UINT32_MAX, &code) || !code))
		return false;
	dev->knobs.refuse_call_value = (uint32_t)code;
	return str_copy(name, dev->refuse_call, sizeof(dev->refuse_call));
}

static void show_refuse_call(const struct device *dev, struct buf *out)
{
	if (!dev->refuse_call[0])
		buf_text(out, "\"no\"");
	else
		buf_fmt(out, "\"%s:%u\"", dev->refuse_call, dev->knobs.refuse_call_value);
}

static bool set_firmware(struct device *dev, struct str value)
{
	return str_copy(value, dev->firmware, sizeof(dev->firmware));
}

static void show_firmware(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->firmware));
}

static bool set_package(struct device *dev, struct str value)
{
	uint64_t n;

	if (!parse_uint(value, 1, &n))
		return false;
	store_of(dev)->scheme = (uint32_t)n;
	return true;
}

static void show_package(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->store ? dev->store->scheme : 0);
}

static bool set_lose_call(struct device *dev, struct str value)
{
	return str_copy(
		str_is(value, "no") ? STR("") : value, dev->lose_call, sizeof(dev->lose_call));
}

static void show_lose_call(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->lose_call[0] ? dev->lose_call : "no"));
}

#define ANY  UINT32_MAX
#define NUM  KNOB_NUM
#define WORD KNOB_CHOICE
#define OWN  KNOB_CUSTOM

static const struct knob table[] = {
	OWN("power", "on, off, sleep, hibernate or a number", "the host's state, set at once",
		set_power, show_power),
	OWN("os_saving", "0 to 3", "OSPowerSavingState: 2 full power, 3 modern standby",
		set_os_saving, show_os_saving),
	OWN("profile", "8, 11, 12, 15 or 16.1", "firmware generation", set_profile, show_profile),
	OWN("password", "text", "of the account", set_password, show_password),
	WEB_KNOB_ROWS,
	NUM(e503_every, ANY, 0, "every N-th request is answered 503"),
	NUM(cut_every, ANY, 0, "every N-th 200 or fault stops in the middle of its body"),
	{ .name = "stagger",
		.kind = KNOB_NUMBER,
		.at = offsetof(struct knobs, stagger),
		.max = 1,
		.help = "each device counts N from elsewhere: not all have it at once",
		.changed = device_start_faults },
	WORD(hang, "no all auth", "never answer: any request, or only those that logged in", NULL),
	NUM(chunk, SIM_CHUNK_MAX, 0, "bytes in a chunk; 0: 544, then 762, as recorded"),
	NUM(pretty, 1, 0, "line breaks and blanks between the elements of an answer"),
	NUM(html, 1, 0, "200 with an HTML page instead of SOAP"),
	NUM(huge, 4096, 0, "200 with this many MB of an endless envelope"),
	NUM(deep, 1000000, 0, "200 with this many elements inside each other"),
	NUM(bomb, 1, 0, "200 with a document type of exploding entities"),
	NUM(truncate, 1, 0, "200 whose XML ends in the middle, correctly framed"),
	NUM(stale_every, ANY, 0, "every N-th good login is refused with a new nonce"),
	WORD(stale_word, "false true", "what stale= says then", NULL),
	NUM(nonce_uses, ANY, 0, "a nonce is stale after this many requests; 0: never"),
	NUM(lock_after, ANY, 0, "this many bad logins lock the account; 0: never"),
	NUM(lock_within_s, 86400, 60, "... if they come within this many seconds"),
	NUM(lock_s, 86400, 60, "... for this many seconds"),
	{ .name = "wrong_realm",
		.kind = KNOB_NUMBER,
		.at = offsetof(struct knobs, wrong_realm),
		.max = ANY,
		.help = "not 0: another machine answers: other realm, UUID and nonces",
		.changed = device_identify },
	OWN("forget_nonces", "1", "no nonce given so far is known any more; reads: how often",
		set_forget, show_forget),
	WEB_KNOB_NEWCERT,
	WEB_KNOB_CERT_ENDS,
	NUM(me_sleep_drop, 1000, 0, "the first N connections after a quiet time are reset"),
	NUM(me_sleep_ms, 86400000, 60000, "... a quiet time being this long"),
	NUM(lie_state, 65535, 0, "PowerState always reads this; 0: the truth"),
	NUM(transition_ms, 3600000, 0, "a change takes that long and reads as the old state"),
	NUM(transition_state, 65535, 0, "... or as this state"),
	NUM(power_busy_ms, 3600000, 0,
		"a further power request within this time is refused with 2"),
	OWN("refuse_action", "no, any:VALUE or ACTION:VALUE",
		"power requests return VALUE and do nothing", set_refuse, show_refuse),
	NUM(lose_power_answer, ANY, 0, "the next N accepted power requests act but get no answer"),
	NUM(os_agent, 1, 1, "0: no driver in the OS: 4, 12 and 14 do nothing, 7 ends off"),
	NUM(no_agent_value, 65535, 0, "... or all four return this"),
	NUM(redirection_open, 1, 0,
		"as if a redirection session were open: 5 and 8 are refused with 2"),
	WORD(redirection_login, "digest digest_old plain any",
		"logins that the redirection ports offer: type 4, 3, 1 or all of them", NULL),
	NUM(redirection_status, 255, 0, "a redirection session is refused with this status"),
	NUM(redirection_realm, ANY, 0,
		"not 0: another realm in the challenge of a redirection login"),
	WORD(redirection_fault, "no truncate oversize interleave unknown drip close silent empty",
		"what becomes of that challenge", NULL),
	NUM(redirection_linger, 1, 0,
		"who has a session that another ends is hung up on when that one has logged in"),
	NUM(redirection_locked, 1, 0, "the BIOS forbids to switch redirection on: PT_STATUS 16"),
	{ .name = "redirection_deaf",
		.kind = KNOB_NUMBER,
		.at = offsetof(struct knobs, redirection_deaf),
		.max = 1,
		.help = "nobody listens on the redirection ports, whatever ListenerEnabled says",
		.changed = redir_sync },
	OWN("redirection_state", "32768 to 32771", "EnabledState: 1 more for IDER, 2 for SOL",
		set_state, show_state),
	OWN("redirection_listener", "0 or 1", "ListenerEnabled", set_listener, show_listener),
	OWN("redirection_drop", "1",
		"hangs up on all redirection sessions; reads: how many there are", set_drop,
		show_sessions),
	NUM(sol_heartbeat_ms, 600000, 0, "how often SOL beats; 0: as often as it was asked"),
	NUM(sol_quiet_ms, 600000, 0,
		"SOL ends when quiet for so long; 0: for as long as was asked"),
	NUM(sol_chunk, 65535, 0, "bytes in one frame of SOL; 0: as many as the client takes"),
	OWN("sol_send",
		"ping, overflow, power_off, power_on, loopback, unknown, truncate, interleave, "
		"oversize, close or TEXT",
		"an open SOL session sends that now; reads: no", sol_set_send, sol_show_send),
	OWN("kvm", "0 or 1", "KVM is enabled", set_kvm, show_kvm),
	NUM(picture, ANY, 0, "KVM's picture stays at this frame; 0: it moves"),
	NUM(kvm_width, 7680, 720,
		"how wide KVM's screen is; viewers hear of it with their next update"),
	NUM(kvm_height, 4320, 400, "... and how high"),
	NUM(kvm_limit, ANY, 9216000,
		"a picture of more bytes ends the session where its pixels are chosen"),
	NUM(kvm_screens, 4, 1, "how many displays there are"),
	WORD(kvm_fault,
		"no rectangle zlib truncate garbage drop close_init silent security empty "
		"frame_unknown frame_interleave frame_truncate frame_refused",
		"what becomes of a picture, or of what comes before it", NULL),
	WORD(ider_script, "full once none",
		"what the machine does with redirected drives: all it can, reading the CD once, "
		"nothing",
		NULL),
	NUM(ider_readbfr, 65535, 0, "bytes it takes in one frame of IDER; 0: 8192"),
	NUM(ider_dma, 1, 1, "commands of IDER use DMA, or else PIO"),
	NUM(ider_blocks, 256, 0, "blocks in one read; 0: 32"),
	NUM(ider_queue, 64, 0, "reads that are under way at a time; 0: one"),
	NUM(ider_delay_ms, 60000, 0, "the machine waits so long before each command"),
	NUM(ider_reset_at, ANY, 0, "once so many bytes of the CD were read it is reset, once"),
	NUM(ider_drop_at, ANY, 0, "once so many bytes of the CD were read IDER hangs up, once"),
	NUM(ider_lenient, 1, 0,
		"it takes of a client what machines are known to take, and lists it in \"odd\""),
	OWN("ider_send",
		"ping, heartbeat, error, close, unknown, truncate, interleave, oversize, flood, "
		"drain, number, eject or load",
		"an open IDER session sends that now (drain: reads on after a flood); reads: no",
		ider_set_send, sol_show_send),
	NUM(keep_source, 1, 0, "the boot source survives the boot"),
	NUM(diag_source, 1, 0, "there is a boot source for diagnostics"),
	NUM(secure_boot_off, 1, 0, "OCR boot to PBA and WinRE is refused with 2"),
	NUM(http_fetch, 1, 0, "the image of an HTTPS boot is loaded for real, as firmware does"),
	NUM(no_https_boot, 1, 0, "the BIOS does not allow HTTPS boot"),
	NUM(strict_order, 1, 1, "parameters and Put fields must come in the documented order"),
	WORD(provisioning, "post in pre", "what a presence pong says of it", NULL),
	NUM(no_pong, 1, 0, "presence pings get no answer"),
	WORD(consent, "none kvm all", "what the user's consent is needed for", NULL),
	NUM(consent_lies, 1, 0, "boot calls without consent return 0 and change nothing"),
	NUM(consent_block_ms, 3600000, 60000, "StartOptIn is blocked so long after 3 wrong codes"),
	NUM(consent_display_s, 86400, 300, "a code is shown so long"),
	NUM(consent_idle_s, 900, 120, "an agreement holds so long without a session"),
	NUM(consent_show_ms, 3600000, 0, "the screen takes so long until it shows the code"),
	NUM(consent_starts, ANY, 0, "so many StartOptIn in a minute, then blocked; 0: any"),
	NUM(consent_wrong_value, 65535, 5, "what SendOptInCode returns for a wrong code"),
	NUM(ccm, 1, 0, "client control mode: consent is always needed for all"),
	NUM(pull_batch, 1000, 0, "items in one Pull; 0: as many as asked for"),
	WORD(pull_style, "normal both late",
		"the last Pull: end only; end and a context; an empty one more", NULL),
	NUM(no_software_identity, 1, 0, "CIM_SoftwareIdentity is answered 400 with an HTML page"),
	WORD(passwd, "do refuse ignore lose mute hang",
		"a new password is set; not; not, but answered well; set, and the connection "
		"dropped; set, and never answered; not, and never answered",
		NULL),
	NUM(no_kvm, 1, 0, "there is no CIM_KVMRedirectionSAP"),
	NUM(no_hardware, 1, 0, "there are no classes of parts"),
	NUM(no_processor, 1, 0, "there is no CIM_Processor, as on AMT 21"),
	NUM(unfilled, 1, 0, "serial numbers are those that nobody filled in"),
	OWN("events", "a number", "adds so many events of a start; reads: how many there are",
		set_events, show_events),
	WORD(log_iterator, "normal stuck endless",
		"GetRecords: stays where it is, or begins anew, and never says it was the last",
		NULL),
	WORD(log_records, "good base64 short unknown",
		"records of both logs that are no base64, too short, or (events) of no known kind",
		NULL),
	NUM(log_batch, 390, 0, "records in one answer of GetRecords; 0: as many as asked for"),
	NUM(log_oldest_first, 1, 0, "GetRecords begins with the oldest"),
	WORD(audit, "clear read forbidden absent", "what the account may do with the audit log",
		NULL),
	NUM(audit_batch, 100, 10, "records in one answer of ReadRecords"),
	NUM(audits, 2000, 25, "records that the audit log has when it is first looked at"),
	NUM(no_wifi, 1, 0, "there is no Wi-Fi: neither its classes nor its port"),
	OWN("absent", "no or CLASS", "a class that the firmware does not have", set_absent,
		show_absent),
	OWN("refuse_call", "no, METHOD:STATUS or CLASS.METHOD:STATUS",
		"a method, Put, Create or Delete is refused with that PT_STATUS", set_refuse_call,
		show_refuse_call),
	NUM(refuse_skip, ANY, 0, "... but so many of them are done before that"),
	NUM(refuse_count, ANY, 0, "... and after so many are refused all are done; 0: never"),
	OWN("lose_call", "no, METHOD or CLASS.METHOD",
		"the next such change of a setting acts but gets no answer", set_lose_call,
		show_lose_call),
	NUM(flash_writes, ANY, 0, "after this many changes of settings they are refused with 38"),
	NUM(mp_servers, 6, 6, "so many servers to which it connects by itself it takes"),
	NUM(audit_full, 1, 0, "what has to be written to the audit log is refused with 2075"),
	NUM(ipv6, 1, 0, "IPv6 is on at its wired port"),
	NUM(clock_unset, 1, 0, "its clock was never set: it counts from 2004"),
	NUM(clock_behind, 1000000000, 0, "seconds by which its clock is behind"),
	NUM(told_realm, 1, 0, "AMT_GeneralSettings tells a Digest realm that is none of AMT's"),
	OWN("firmware", "text", "version of the firmware that is told; empty: the profile's",
		set_firmware, show_firmware),
	OWN("power_package", "0 or 1", "which power package is in use", set_package, show_package),
	NUM(tls_only, 1, 0, "HTTP without TLS cannot be opened"),
};

const struct knob_table knobs_table = { table, COUNT(table), offsetof(struct device, knobs) };
