/*
 * A program with a scripted conversation, for either PAM: converse SERVICE USER [NAME=VALUE...] [-- ANSWER...].
 * USER - asks for it. Names are tty, rhost, ruser. Prints, as JSON lines, each message, then the result.
 */
#include <security/pam_appl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct script {
	char **answers;
	int left;
};

static void print_json(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == '"' || c == '\\')
			printf("\\u%04x", (unsigned)c);
		else
			putchar(c);
	}
	putchar('"');
}

static const char *kind_name(int kind)
{
	if (kind == PAM_PROMPT_ECHO_ON)
		return "prompt";
	if (kind == PAM_PROMPT_ECHO_OFF)
		return "secret";
	return kind == PAM_TEXT_INFO ? "info" : kind == PAM_ERROR_MSG ? "error" : "unknown";
}

static int answer(struct script *script, struct pam_response *response)
{
	const char *text = script->left > 0 ? *script->answers : NULL;

	if (text == NULL || strcmp(text, "!") == 0)
		return PAM_CONV_ERR;
	script->answers++;
	script->left--;
	if (strcmp(text, "!null") == 0)
		return PAM_SUCCESS;
	/* A longer one than any person types. */
	response->resp = strcmp(text, "!long") == 0 ? malloc(5000) : strdup(text);
	if (response->resp != NULL && strcmp(text, "!long") == 0) {
		memset(response->resp, 'x', 4999);
		response->resp[4999] = '\0';
	}
	return response->resp == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	struct pam_response *made = calloc((size_t)count, sizeof *made);
	int result = made == NULL ? PAM_BUF_ERR : PAM_SUCCESS;

	for (int i = 0; i < count && result == PAM_SUCCESS; i++) {
		int kind = messages[i]->msg_style;

		printf("{\"kind\":\"%s\",\"text\":", kind_name(kind));
		print_json(messages[i]->msg);
		puts("}");
		(void)fflush(stdout);
		if (kind == PAM_PROMPT_ECHO_ON || kind == PAM_PROMPT_ECHO_OFF)
			result = answer(data, made + i);
	}
	if (result == PAM_SUCCESS) {
		*responses = made;
	} else {
		free(made);
	}
	return result;
}

static const char *result_name(int result)
{
	switch (result) {
	case PAM_SUCCESS:
		return "success";
	case PAM_AUTH_ERR:
		return "auth-err";
	case PAM_AUTHINFO_UNAVAIL:
		return "authinfo-unavail";
	case PAM_MAXTRIES:
		return "maxtries";
	case PAM_CONV_ERR:
		return "conv-err";
	case PAM_SERVICE_ERR:
		return "service-err";
	case PAM_USER_UNKNOWN:
		return "user-unknown";
	default:
		return "other";
	}
}

static void set(pam_handle_t *pamh, const char *pair)
{
	static const struct {
		const char *name;
		int item;
	} items[] = { { "tty=", PAM_TTY }, { "rhost=", PAM_RHOST }, { "ruser=", PAM_RUSER } };

	for (size_t i = 0; i < sizeof items / sizeof *items; i++)
		if (strncmp(pair, items[i].name, strlen(items[i].name)) == 0)
			(void)pam_set_item(pamh, items[i].item, pair + strlen(items[i].name));
}

int main(int argc, char **argv)
{
	struct script script = { NULL, 0 };
	struct pam_conv conversation = { converse, &script };
	struct timespec from;
	struct timespec to;
	pam_handle_t *pamh = NULL;
	int at = 3;
	int result = 0;

	if (argc < 3)
		return 2;
	if (pam_start(argv[1], strcmp(argv[2], "-") == 0 ? NULL : argv[2], &conversation, &pamh) != PAM_SUCCESS)
		return 2;
	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		set(pamh, argv[at]);
	if (at < argc) {
		script.answers = argv + at + 1;
		script.left = argc - at - 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	result = pam_authenticate(pamh, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	printf("{\"result\":\"%s\",\"ms\":%ld}\n", result_name(result),
	       (long)(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	if (result == PAM_SUCCESS && pam_setcred(pamh, 0) != PAM_SUCCESS)
		puts("{\"result\":\"setcred failed\"}");
	(void)pam_end(pamh, result);
	return result == PAM_SUCCESS ? 0 : 1;
}
