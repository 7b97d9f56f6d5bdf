/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_image.h"

#include <string.h>
#include <strings.h>

enum kind { KIND_NONE, KIND_APPLICATION, KIND_ISO, KIND_DISK };

/* Firmware compares the whole field, without regard to case. */
static const struct {
	enum kind kind;
	const char *type, *end;
} kinds[] = {
	{ KIND_APPLICATION, "application/efi", ".efi" },
	{ KIND_ISO, "application/vnd.efi-iso", ".iso" },
	{ KIND_DISK, "application/vnd.efi-img", ".img" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* PE/COFF: offsets and numbers of the specification, section 3. */
enum {
	PE_AT = 0x3c,
	PE_MACHINE = 4,
	PE_OPTIONAL = 24, /* the optional header, and in it: */
	OPTIONAL_SUBSYSTEM = 68,
	OPTIONAL_DIRECTORIES = 108, /* how many there are, then 8 bytes for each */
	OPTIONAL_SIGNATURES = 112 + 8 * 4 + 4,
	OPTIONAL_LEN = OPTIONAL_SIGNATURES + 4,
	MAGIC_64 = 0x20b,
	MACHINE_X64 = 0x8664,
	SUBSYSTEM_APPLICATION = 10,
};
enum { ISO_NAME_AT = 0x8001, BOOT_MARK_AT = 510 };

static size_t kind_of(const struct boot_image *image)
{
	size_t len = strcspn(image->url, "?#");
	size_t i = 0;

	while (i < KINDS && strcasecmp(image->content_type, kinds[i].type) != 0)
		i++;
	if (i < KINDS)
		return i;
	for (i = 0; i < KINDS; i++) {
		size_t end = strlen(kinds[i].end);

		if (len > end && strncasecmp(image->url + len - end, kinds[i].end, end) == 0)
			break;
	}
	return i;
}

static uint32_t le(const unsigned char *p, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static int refuse(struct pctl_error *err, const char *why)
{
	return pctl_error_set(err, PCTL_E_REFUSED, "--url: %s", why);
}

static int check_application(const struct boot_image *image, struct pctl_error *err)
{
	const unsigned char *p = image->head;

	if (image->len < PE_AT + 4 || memcmp(p, "MZ", 2) != 0)
		return refuse(err, "what is there is no EFI application: it does not begin as one");
	size_t at = le(p + PE_AT, 4);
	if (at > BOOT_IMAGE_HEAD - PE_OPTIONAL - OPTIONAL_LEN)
		return 0; /* lawful, and further on than was asked for */
	if (image->len < at + PE_OPTIONAL + OPTIONAL_LEN || memcmp(p + at, "PE\0\0", 4) != 0)
		return refuse(err, "what is there is no EFI application: it has no PE header");
	const unsigned char *optional = p + at + PE_OPTIONAL;
	if (le(p + at + PE_MACHINE, 2) != MACHINE_X64 || le(optional, 2) != MAGIC_64)
		return refuse(err, "what is there is made for another processor than x86-64");
	if (le(optional + OPTIONAL_SUBSYSTEM, 2) != SUBSYSTEM_APPLICATION)
		return refuse(err, "what is there is a program, but no EFI application");
	bool is_signed = le(optional + OPTIONAL_DIRECTORIES, 4) > 4 &&
			 le(optional + OPTIONAL_SIGNATURES, 4) > 0;
	if (image->secure_boot && !is_signed)
		return refuse(err,
			"the application there is not signed, and Secure Boot will hold for it "
			"(secure_boot: true)");
	return 0;
}

static int check_content(enum kind kind, const struct boot_image *image, struct pctl_error *err)
{
	const unsigned char *p = image->head;

	switch (kind) {
	case KIND_APPLICATION:
		return check_application(image, err);
	case KIND_ISO:
		if (image->len < ISO_NAME_AT + 5 || memcmp(p + ISO_NAME_AT, "CD001", 5) != 0)
			return refuse(err, "what is there is no ISO 9660 image");
		return 0;
	case KIND_DISK:
		if (image->len < BOOT_MARK_AT + 2 || p[BOOT_MARK_AT] != 0x55 ||
			p[BOOT_MARK_AT + 1] != 0xaa)
			return refuse(err, "what is there is no disk image: its first sector "
					   "has no boot mark");
		return 0;
	case KIND_NONE:
		break;
	}
	return 0;
}

int boot_image_check(const struct boot_image *image, struct pctl_error *err)
{
	size_t i = kind_of(image);

	if (i == KINDS)
		return pctl_error_set(err, PCTL_E_REFUSED,
			"--url: the firmware cannot tell what this is: its name ends with none of "
			".efi, .iso and .img, and the server calls it '%.60s' rather than "
			"application/efi, application/vnd.efi-iso or application/vnd.efi-img",
			image->content_type);
	return check_content(kinds[i].kind, image, err);
}
