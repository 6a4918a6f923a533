/*
 * OpenPAM's programming interface, as far as the module and its tests use it, in words of our own: the names,
 * shapes and numbers are those that OpenPAM documents in pam(3) and openpam(3) (X/Open XSSO), and differ from
 * Linux-PAM's.
 */
#ifndef HARNESS_PAM_APPL_H
#define HARNESS_PAM_APPL_H

#include <stddef.h>

/* By this OpenPAM is told from Linux-PAM. */
#define OPENPAM

struct pam_message {
	int msg_style;
	const char *msg;
};

struct pam_response {
	char *resp;
	int resp_retcode;
};

struct pam_conv {
	int (*conv)(int, const struct pam_message **, struct pam_response **, void *);
	void *appdata_ptr;
};

typedef struct pam_handle pam_handle_t;

enum {
	PAM_SUCCESS = 0,
	PAM_OPEN_ERR = 1,
	PAM_SYMBOL_ERR = 2,
	PAM_SERVICE_ERR = 3,
	PAM_SYSTEM_ERR = 4,
	PAM_BUF_ERR = 5,
	PAM_CONV_ERR = 6,
	PAM_PERM_DENIED = 7,
	PAM_MAXTRIES = 8,
	PAM_AUTH_ERR = 9,
	PAM_AUTHINFO_UNAVAIL = 12,
	PAM_USER_UNKNOWN = 13
};

enum { PAM_PROMPT_ECHO_OFF = 1, PAM_PROMPT_ECHO_ON = 2, PAM_ERROR_MSG = 3, PAM_TEXT_INFO = 4 };

enum {
	PAM_SERVICE = 1,
	PAM_USER = 2,
	PAM_TTY = 3,
	PAM_RHOST = 4,
	PAM_CONV = 5,
	PAM_AUTHTOK = 6,
	PAM_OLDAUTHTOK = 7,
	PAM_RUSER = 8,
	PAM_USER_PROMPT = 9,
	PAM_NUM_ITEMS = 12
};

int pam_authenticate(pam_handle_t *, int);
int pam_end(pam_handle_t *, int);
int pam_get_item(const pam_handle_t *, int, const void **);
int pam_get_user(pam_handle_t *, const char **, const char *);
int pam_set_item(pam_handle_t *, int, const void *);
int pam_setcred(pam_handle_t *, int);
int pam_start(const char *, const char *, const struct pam_conv *, pam_handle_t **);
const char *pam_strerror(const pam_handle_t *, int);

#endif
