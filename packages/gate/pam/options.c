/* The words that stand behind pam_countersign.so in a stack. */
#include "module.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *service;
	enum style style;
} services[] = {
	/* shows what is said only together with a prompt (OpenSSH bug 2876) */
	{ "sshd", STYLE_PROMPT },
	{ "login", STYLE_INFO },
	{ "su", STYLE_INFO },
	{ "su-l", STYLE_INFO },
	{ "sudo", STYLE_INFO },
	{ "sudo-i", STYLE_INFO },
	{ "xscreensaver", STYLE_INFO },
	/* show nothing, and have one field */
	{ "ftpd", STYLE_SILENT },
	{ "i3lock", STYLE_SILENT },
	{ "lightdm", STYLE_SILENT },
	{ "vsftpd", STYLE_SILENT },
};

static const char *const style_names[] = { "auto", "prompt", "info", "silent" };

enum style style_of_service(const char *service)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (strcmp(services[i].service, service) == 0)
			return services[i].style;
	return STYLE_PROMPT;
}

const char *style_name(enum style style)
{
	return style_names[style];
}

static bool number(const char *text, long least, long most, long *value)
{
	char *end = NULL;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *value >= least && *value <= most;
}

static bool one_of(const char *text, const char *const *words, size_t count, size_t *at)
{
	for (*at = 0; *at < count; (*at)++)
		if (strcmp(text, words[*at]) == 0)
			return true;
	return false;
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool option_read(struct options *options, const char *name, size_t length, const char *value)
{
	static const char *const modes[] = { "gate", "push" };
	static const char *const qrs[] = { "none", "auto", "ascii", "utf8" };
	size_t at = 0;
	long n = 0;

#define IS(word) (length == sizeof(word) - 1 && memcmp(name, word, length) == 0)
	if (IS("mode") && one_of(value, modes, 2, &at))
		options->mode = modes[at];
	else if (IS("conv") && one_of(value, style_names, 4, &at))
		options->style = (enum style)at;
	else if (IS("qr") && one_of(value, qrs, 4, &at))
		options->qr = qrs[at];
	else if (IS("socket") && value[0] == '/')
		options->socket = value;
	else if (IS("user_prompt") && is_plain(value))
		options->user_prompt = value;
	else if (IS("timeout") && number(value, 1, 600, &n))
		options->timeout = (int)n;
	else if (IS("owner") && number(value, 0, INT_MAX, &n))
		options->owner = (uid_t)n;
	else
		return false;
#undef IS
	return true;
}

bool options_read(struct options *options, int argc, const char **argv, const char **wrong)
{
	*options = (struct options){
		.mode = "gate",
		.socket = "/run/countersign/pam.sock",
		.qr = "none",
		.user_prompt = NULL,
		.style = STYLE_AUTO,
		.owner = 0,
		.timeout = 90,
		.debug = false,
	};
	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');

		*wrong = argv[i];
		if (equals == NULL && strcmp(argv[i], "debug") == 0)
			options->debug = true;
		else if (equals == NULL || !option_read(options, argv[i], (size_t)(equals - argv[i]), equals + 1))
			return false;
	}
	return true;
}
