/* What sudo was told to run: PAM does not say, the process's own words do. */
#include "module.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "clear.h"

#ifdef __linux__
/* All of a small file; false where it is larger than the room, since a part of a command is another command. */
static bool read_small(const char *path, char *into, size_t room, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	*length = 0;
	if (fd < 0)
		return false;
	while (*length < room && (got = read(fd, into + *length, room - *length)) > 0)
		*length += (size_t)got;
	(void)close(fd);
	return got == 0;
}

bool add_command(struct frame *frame)
{
	char words[FRAME_PAYLOAD + 1];
	char folder[PATH_MAX];
	size_t length = 0;
	bool good = read_small("/proc/self/cmdline", words, FRAME_PAYLOAD, &length) && length > 0 &&
	            words[length - 1] == '\0';

	for (size_t at = 0; good && at < length; at += strlen(words + at) + 1)
		good = frame_add(frame, "arg", words + at);
	if (good && getcwd(folder, sizeof folder) != NULL)
		good = frame_add(frame, "cwd", folder);
	clear(words, sizeof words);
	return good;
}
#else
bool add_command(struct frame *frame)
{
	(void)frame;
	return true;
}
#endif
