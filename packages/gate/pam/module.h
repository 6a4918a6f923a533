/* What the parts of pam_countersign share. The frames are those of spec/pam-daemon.md. */
#ifndef COUNTERSIGN_MODULE_H
#define COUNTERSIGN_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How a service can speak with a person. */
enum style { STYLE_AUTO, STYLE_PROMPT, STYLE_INFO, STYLE_SILENT };

struct options {
	const char *mode;
	const char *socket;
	const char *qr;
	const char *user_prompt;
	enum style style;
	uid_t owner;
	int timeout; /* seconds */
	bool debug;
};

/* Reads the words of the stack's line. On false, *wrong is the word that was not understood. */
bool options_read(struct options *options, int argc, const char **argv, const char **wrong);
enum style style_of_service(const char *service);
const char *style_name(enum style style);

/* Milliseconds of a clock that nobody sets. */
int64_t clock_now(void);

/* A connection to the daemon that `owner` started, or -1 with errno. Deadlines are in milliseconds of clock_now. */
int daemon_connect(const char *path, uid_t owner, int64_t deadline);

enum {
	FRAME_PAYLOAD = 4096,
	/* Frames that a daemon may send in one attempt. */
	FRAMES_MOST = 16,
	/* Bytes of what a person types: PAM_MAX_RESP_SIZE of Linux-PAM and OpenPAM. */
	ANSWER_MOST = 512
};

/* One frame. The payload has a zero behind it, whatever came. */
struct frame {
	char type;
	size_t length;
	char payload[FRAME_PAYLOAD + 1];
};

bool frame_read(int fd, struct frame *frame, int64_t deadline);
bool frame_write(int fd, const struct frame *frame, int64_t deadline);
/* Adds `name=value` and a zero; false where it does not fit. A value of NULL adds nothing. */
bool frame_add(struct frame *frame, const char *name, const char *value);
void frame_clear(struct frame *frame);

/* The words that started this process, and where; false where they cannot be had or do not fit. */
bool add_command(struct frame *frame);

/* Makes harmless, in place, what would act on a terminal. New lines stay. */
void defang(char *text);

#endif
