/* See pam_appl.h. The real one, too, makes PAM_SM_AUTH anew. */
#ifndef HARNESS_OPENPAM_H
#define HARNESS_OPENPAM_H

#include <security/pam_appl.h>

#undef PAM_SM_AUTH
#define PAM_SM_AUTH

int pam_get_authtok(pam_handle_t *, int, const char **, const char *);

#endif
