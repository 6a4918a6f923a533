/*
 * pam_countersign: tells the daemon of this host that somebody wants to come in, lends it the conversation, and
 * passes its verdict on. No secret and no policy is in here. All that is not the daemon's plain "granted", in
 * time, is a failure.
 */
#define PAM_SM_AUTH

#include "module.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_appl.h>
#include <security/pam_modules.h>
#ifdef OPENPAM
#include <security/openpam.h>
#else
#include <security/pam_ext.h>
#endif

#include "clear.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv);
EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv);

struct attempt {
	pam_handle_t *pamh;
	const char *service;
	struct options options;
	int fd;
	int64_t deadline;
};

__attribute__((format(printf, 3, 4))) static void note(const struct attempt *attempt, int level, const char *format, ...)
{
	char text[256] = "";
	va_list words;

	if (level == LOG_DEBUG && !attempt->options.debug)
		return;
	va_start(words, format);
	(void)vsnprintf(text, sizeof text, format, words);
	va_end(words);
	/* a user's name may be anything that somebody typed: it begins no line of its own */
	defang(text);
	for (char *at = text; (at = strchr(at, '\n')) != NULL;)
		*at = '?';
	syslog(LOG_AUTHPRIV | level, "pam_countersign(%s): %s", attempt->service, text);
}

static const char *item(pam_handle_t *pamh, int which)
{
	const void *value = NULL;

	return pam_get_item(pamh, which, &value) == PAM_SUCCESS ? (const char *)value : NULL;
}

/* Says one thing by the program's own conversation; where `answer` is given, takes what was typed into it. */
static int converse(const struct attempt *attempt, int kind, const char *text, struct frame *answer)
{
	const void *value = NULL;
	const struct pam_conv *conversation = NULL;
	const struct pam_message message = { kind, (char *)(uintptr_t)text };
	const struct pam_message *messages[] = { &message };
	struct pam_response *response = NULL;
	char *typed = NULL;
	size_t length = 0;
	int result = pam_get_item(attempt->pamh, PAM_CONV, &value);

	if (result != PAM_SUCCESS || value == NULL)
		return PAM_CONV_ERR;
	conversation = value;
	if (conversation->conv == NULL)
		return PAM_CONV_ERR;
	result = conversation->conv(1, messages, &response, conversation->appdata_ptr);
	typed = response == NULL ? NULL : response->resp;
	if (typed != NULL)
		length = strlen(typed);
	if (result == PAM_SUCCESS && answer != NULL) {
		if (typed == NULL || length > ANSWER_MOST) {
			result = PAM_CONV_ERR;
		} else {
			memcpy(answer->payload, typed, length);
			answer->length = length;
		}
	}
	if (typed != NULL)
		clear(typed, length);
	free(typed);
	free(response);
	return result == PAM_SUCCESS ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* The one field of a program that shows nothing. Modules further down the stack find what was typed in it. */
static int take_password(const struct attempt *attempt, const char *text, struct frame *answer)
{
	const char *typed = NULL;
	int result = pam_get_authtok(attempt->pamh, PAM_AUTHTOK, &typed, text);

	if (result != PAM_SUCCESS || typed == NULL || strlen(typed) > ANSWER_MOST)
		return PAM_CONV_ERR;
	answer->length = strlen(typed);
	memcpy(answer->payload, typed, answer->length);
	return PAM_SUCCESS;
}

static int ask(const struct attempt *attempt, int kind, const char *text)
{
	bool silent = attempt->options.style == STYLE_SILENT;
	struct frame answer;
	int result = PAM_CONV_ERR;

	frame_clear(&answer);
	answer.type = 'R';
	result = silent ? take_password(attempt, text, &answer) : converse(attempt, kind, text, &answer);
	if (result == PAM_SUCCESS && !frame_write(attempt->fd, &answer, attempt->deadline))
		result = PAM_AUTHINFO_UNAVAIL;
	frame_clear(&answer);
	return result;
}

static int verdict(const struct frame *frame)
{
	static const struct {
		const char *word;
		int result;
	} verdicts[] = {
		{ "granted", PAM_SUCCESS },
		{ "denied", PAM_AUTH_ERR },
		{ "exhausted", PAM_MAXTRIES },
	};

	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (frame->length == strlen(verdicts[i].word) &&
		    memcmp(frame->payload, verdicts[i].word, frame->length) == 0)
			return verdicts[i].result;
	return PAM_AUTHINFO_UNAVAIL;
}

/* Does what the daemon says, until it gives its verdict. */
static int obey(const struct attempt *attempt)
{
	bool silent = attempt->options.style == STYLE_SILENT;
	struct frame frame;
	int result = PAM_AUTHINFO_UNAVAIL;
	bool over = false;

	for (int n = 0; n < FRAMES_MOST && !over; n++) {
		int said = PAM_AUTHINFO_UNAVAIL;

		if (!frame_read(attempt->fd, &frame, attempt->deadline)) {
			note(attempt, LOG_ERR, "the daemon went away, or the time is over");
			break;
		}
		if (frame.type == 'V') {
			result = verdict(&frame);
			break;
		}
		defang(frame.payload);
		switch (frame.type) {
		case 'P':
			said = ask(attempt, PAM_PROMPT_ECHO_ON, frame.payload);
			break;
		case 'S':
			said = ask(attempt, PAM_PROMPT_ECHO_OFF, frame.payload);
			break;
		case 'I':
			said = silent ? PAM_SUCCESS : converse(attempt, PAM_TEXT_INFO, frame.payload, NULL);
			break;
		case 'E':
			said = silent ? PAM_SUCCESS : converse(attempt, PAM_ERROR_MSG, frame.payload, NULL);
			break;
		default:
			note(attempt, LOG_ERR, "the daemon says what this module does not know");
			break;
		}
		over = said != PAM_SUCCESS;
		if (over)
			result = said;
	}
	frame_clear(&frame);
	return result;
}

/* By the codeset in its name, which systems spell in several ways. */
static bool is_utf8(const char *locale)
{
	const char *codeset = locale == NULL ? NULL : strchr(locale, '.');

	return codeset != NULL && (strncasecmp(codeset, ".UTF-8", 6) == 0 || strncasecmp(codeset, ".utf8", 5) == 0);
}

/* ASCII, unless the person's own locale is here to say otherwise; sshd's says nothing of its client. */
static const char *qr_form(const struct options *options)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	if (strcmp(options->qr, "auto") != 0)
		return options->qr;
	for (size_t i = 0; i < 3 && (locale == NULL || *locale == '\0'); i++)
		locale = getenv(variables[i]);
	return options->style == STYLE_INFO && is_utf8(locale) ? "utf8" : "ascii";
}

/* Who wants to come in, from where, and to what. */
static bool describe(const struct attempt *attempt, const char *user, struct frame *frame)
{
	static const char version[] = "countersign-pam/1";
	char timeout[16] = "";
	bool good = false;

	frame_clear(frame);
	frame->type = 'A';
	memcpy(frame->payload, version, sizeof version);
	frame->length = sizeof version;
	(void)snprintf(timeout, sizeof timeout, "%d", attempt->options.timeout);
	good = frame_add(frame, "service", attempt->service) && frame_add(frame, "user", user) &&
	       frame_add(frame, "mode", attempt->options.mode) &&
	       frame_add(frame, "conv", style_name(attempt->options.style)) &&
	       frame_add(frame, "qr", qr_form(&attempt->options)) && frame_add(frame, "timeout", timeout) &&
	       frame_add(frame, "tty", item(attempt->pamh, PAM_TTY)) &&
	       frame_add(frame, "rhost", item(attempt->pamh, PAM_RHOST)) &&
	       frame_add(frame, "ruser", item(attempt->pamh, PAM_RUSER));
	if (good && strncmp(attempt->service, "sudo", 4) == 0)
		good = add_command(frame);
	return good;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int result = PAM_AUTHINFO_UNAVAIL;
	struct attempt attempt = { .pamh = pamh, .service = item(pamh, PAM_SERVICE), .fd = -1 };
	struct frame first;
	const char *user = NULL;
	const char *wrong = NULL;

	(void)flags; /* sudo says PAM_SILENT and shows everything */
	frame_clear(&first);
	if (attempt.service == NULL)
		attempt.service = "unknown";
	if (!options_read(&attempt.options, argc, argv, &wrong)) {
		note(&attempt, LOG_ERR, "not understood: %s", wrong);
		result = PAM_SERVICE_ERR;
		goto done;
	}
	if (attempt.options.style == STYLE_AUTO)
		attempt.options.style = style_of_service(attempt.service);
	result = pam_get_user(pamh, &user, attempt.options.user_prompt);
	if (result != PAM_SUCCESS)
		goto done;
	result = PAM_AUTHINFO_UNAVAIL;
	if (user == NULL || *user == '\0')
		goto done;
	attempt.deadline = clock_now() + (int64_t)attempt.options.timeout * 1000;
	if (!describe(&attempt, user, &first)) {
		note(&attempt, LOG_ERR, "the names or the command are too long to be shown to anybody");
		goto done;
	}
	attempt.fd = daemon_connect(attempt.options.socket, attempt.options.owner, attempt.deadline);
	if (attempt.fd < 0) {
		note(&attempt, LOG_ERR, "no daemon at %s: %s", attempt.options.socket, strerror(errno));
		goto done;
	}
	if (!frame_write(attempt.fd, &first, attempt.deadline)) {
		note(&attempt, LOG_ERR, "the daemon does not listen");
		goto done;
	}
	result = obey(&attempt);
	note(&attempt, LOG_DEBUG, "user %s, conv %s: %s", user, style_name(attempt.options.style),
	     pam_strerror(pamh, result));
done:
	if (attempt.fd >= 0)
		(void)close(attempt.fd);
	frame_clear(&first);
	return result;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
