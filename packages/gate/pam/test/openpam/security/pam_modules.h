/* See pam_appl.h. */
#ifndef HARNESS_PAM_MODULES_H
#define HARNESS_PAM_MODULES_H

#include <security/openpam.h>
#include <security/pam_appl.h>

#ifdef PAM_SM_AUTH
int pam_sm_authenticate(pam_handle_t *, int, int, const char **);
int pam_sm_setcred(pam_handle_t *, int, int, const char **);
#endif

#endif
