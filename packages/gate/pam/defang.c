/* Text of the daemon, before a terminal gets it. */
#include "module.h"

#include <string.h>

void defang(char *text)
{
	unsigned char *at = (unsigned char *)text;

	for (; *at != '\0'; at++) {
		if ((*at < 0x20 && *at != '\n') || *at == 0x7f)
			*at = '?';
		/* the second set of control characters, as UTF-8 writes it */
		else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
			at[0] = at[1] = '?';
	}
}
