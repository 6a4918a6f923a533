/* symbols MODULE: the module loads, and shows the two entries that PAM calls and nothing else of its own. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	static const char *const hidden[] = { "daemon_connect", "frame_read", "options_read", "defang", "clock_now" };
	void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;

	if (module == NULL || dlsym(module, "pam_sm_authenticate") == NULL || dlsym(module, "pam_sm_setcred") == NULL)
		return 1;
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (dlsym(module, hidden[i]) != NULL) {
			printf("%s is seen from outside\n", hidden[i]);
			return 1;
		}
	return 0;
}
