/* The way to the daemon, and whose it is. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Whoever began to listen on the other end: with socket activation that is systemd, as root. */
static bool peer_uid(int fd, uid_t *uid)
{
#ifdef SO_PEERCRED
	struct ucred peer = { 0, 0, 0 };
	socklen_t length = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || length != sizeof peer)
		return false;
	*uid = peer.uid;
	return true;
#else
	gid_t gid = 0;

	return getpeereid(fd, uid, &gid) == 0;
#endif
}

/* A socket that blocks nobody, is not inherited, and is none of the numbers that a program writes to unasked. */
static int quiet_socket(void)
{
	int first = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd = first;
	int flags = 0;

	if (first >= 0 && first < 3) {
		fd = fcntl(first, F_DUPFD, 3);
		(void)close(first);
	}
	if (fd < 0)
		return -1;
#ifdef SO_NOSIGPIPE
	flags = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &flags, sizeof flags);
#endif
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int daemon_connect(const char *path, uid_t owner, int64_t deadline)
{
	const struct timespec pause = { 0, 20 * 1000000 };
	struct sockaddr_un address;
	uid_t uid = (uid_t)-1;
	int fd = -1;
	int connected = -1;
	int problem = 0;

	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	fd = quiet_socket();
	if (fd < 0)
		return -1;
	for (;;) {
		connected = connect(fd, (const struct sockaddr *)&address, sizeof address);
		/* EAGAIN: the daemon has more callers than it has taken yet. */
		if (connected == 0 || (errno != EAGAIN && errno != EINTR) || clock_now() >= deadline)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (connected != 0)
		problem = errno;
	else if (!peer_uid(fd, &uid) || uid != owner)
		problem = EPERM;
	if (problem != 0) {
		(void)close(fd);
		errno = problem;
		return -1;
	}
	return fd;
}
