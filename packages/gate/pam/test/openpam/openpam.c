/*
 * As much of OpenPAM as one module needs: items, the user's name, the password, and a stack that is one line,
 * whose words stand in HARNESS_WORDS. For tests, and for the fuzzer.
 */
#define PAM_SM_AUTH
#include <security/pam_modules.h>

#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 16 };

struct pam_handle {
	char *texts[PAM_NUM_ITEMS];
	struct pam_conv conversation;
};

static char *copy(const char *text)
{
	size_t size = text == NULL ? 0 : strlen(text) + 1;
	char *made = size == 0 ? NULL : malloc(size);

	if (made != NULL)
		memcpy(made, text, size);
	return made;
}

int pam_start(const char *service, const char *user, const struct pam_conv *conversation, pam_handle_t **pamh)
{
	*pamh = calloc(1, sizeof **pamh);
	if (*pamh == NULL)
		return PAM_BUF_ERR;
	(*pamh)->conversation = *conversation;
	(*pamh)->texts[PAM_SERVICE] = copy(service);
	(*pamh)->texts[PAM_USER] = copy(user);
	return PAM_SUCCESS;
}

int pam_end(pam_handle_t *pamh, int status)
{
	(void)status;
	for (int i = 0; i < PAM_NUM_ITEMS; i++)
		free(pamh->texts[i]);
	free(pamh);
	return PAM_SUCCESS;
}

int pam_get_item(const pam_handle_t *pamh, int which, const void **value)
{
	if (which < 1 || which >= PAM_NUM_ITEMS)
		return PAM_SYMBOL_ERR;
	*value = which == PAM_CONV ? (const void *)&pamh->conversation : pamh->texts[which];
	return PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *pamh, int which, const void *value)
{
	if (which < 1 || which >= PAM_NUM_ITEMS || which == PAM_CONV)
		return PAM_SYMBOL_ERR;
	free(pamh->texts[which]);
	pamh->texts[which] = copy(value);
	return PAM_SUCCESS;
}

static int ask(pam_handle_t *pamh, int which, int kind, const char *prompt, const char **value)
{
	const struct pam_message message = { kind, prompt };
	const struct pam_message *messages[] = { &message };
	struct pam_response *response = NULL;
	int result = PAM_SUCCESS;

	if (pamh->texts[which] == NULL) {
		result = pamh->conversation.conv(1, messages, &response, pamh->conversation.appdata_ptr);
		if (result == PAM_SUCCESS && (response == NULL || response->resp == NULL))
			result = PAM_CONV_ERR;
		if (result == PAM_SUCCESS)
			pamh->texts[which] = response->resp;
		free(response);
	}
	*value = pamh->texts[which];
	return result;
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	return ask(pamh, PAM_USER, PAM_PROMPT_ECHO_ON, prompt == NULL ? "Login: " : prompt, user);
}

int pam_get_authtok(pam_handle_t *pamh, int which, const char **password, const char *prompt)
{
	return ask(pamh, which, PAM_PROMPT_ECHO_OFF, prompt == NULL ? "Password:" : prompt, password);
}

const char *pam_strerror(const pam_handle_t *pamh, int number)
{
	(void)pamh;
	return number == PAM_SUCCESS ? "success" : "failure";
}

int pam_authenticate(pam_handle_t *pamh, int flags)
{
	const char *words[WORDS_MOST] = { NULL };
	char *line = copy(getenv("HARNESS_WORDS"));
	char *rest = NULL;
	int count = 0;
	int result = PAM_OPEN_ERR;

	for (char *word = strtok_r(line == NULL ? (char[]){ "" } : line, " ", &rest); word != NULL && count < WORDS_MOST;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	result = pam_sm_authenticate(pamh, flags, count, words);
	free(line);
	return result;
}

int pam_setcred(pam_handle_t *pamh, int flags)
{
	return pam_sm_setcred(pamh, flags, 0, NULL);
}
