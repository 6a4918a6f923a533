/* Frames, and the time that they may take. */
#include "module.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clear.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SO_NOSIGPIPE is set on the socket there */
#endif

int64_t clock_now(void)
{
	struct timespec now = { 0, 0 };

	/* Where there is no clock, all time is over. */
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return INT64_MAX;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until something can be read or written; signals do not lengthen the wait. */
static bool wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_now();
		struct pollfd one = { .fd = fd, .events = events, .revents = 0 };
		int ready = 0;

		if (left <= 0)
			return false;
		ready = poll(&one, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

static bool read_all(int fd, char *into, size_t length, int64_t deadline)
{
	while (length > 0) {
		ssize_t got = 0;

		if (!wait_for(fd, POLLIN, deadline))
			return false;
		got = recv(fd, into, length, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
			continue;
		if (got <= 0)
			return false;
		into += got;
		length -= (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const char *from, size_t length, int64_t deadline)
{
	while (length > 0) {
		ssize_t sent = 0;

		if (!wait_for(fd, POLLOUT, deadline))
			return false;
		sent = send(fd, from, length, MSG_NOSIGNAL);
		if (sent < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
			continue;
		if (sent <= 0)
			return false;
		from += sent;
		length -= (size_t)sent;
	}
	return true;
}

bool frame_read(int fd, struct frame *frame, int64_t deadline)
{
	unsigned char head[3] = { 0, 0, 0 };

	frame_clear(frame);
	if (!read_all(fd, (char *)head, sizeof head, deadline))
		return false;
	frame->type = (char)head[0];
	frame->length = (size_t)head[1] << 8 | head[2];
	if (frame->length > FRAME_PAYLOAD || !read_all(fd, frame->payload, frame->length, deadline)) {
		frame_clear(frame);
		return false;
	}
	frame->payload[frame->length] = '\0';
	return true;
}

bool frame_write(int fd, const struct frame *frame, int64_t deadline)
{
	const char head[3] = { frame->type, (char)(frame->length >> 8), (char)(frame->length & 0xff) };

	return write_all(fd, head, sizeof head, deadline) && write_all(fd, frame->payload, frame->length, deadline);
}

bool frame_add(struct frame *frame, const char *name, const char *value)
{
	size_t name_length = strlen(name);
	size_t value_length = value == NULL ? 0 : strlen(value);
	size_t room = FRAME_PAYLOAD - frame->length;
	char *to = frame->payload + frame->length;

	if (value == NULL)
		return true;
	if (value_length > FRAME_PAYLOAD || name_length + value_length + 2 > room)
		return false;
	memcpy(to, name, name_length);
	to[name_length] = '=';
	memcpy(to + name_length + 1, value, value_length + 1);
	frame->length += name_length + value_length + 2;
	return true;
}

void frame_clear(struct frame *frame)
{
	clear(frame, sizeof *frame);
}
