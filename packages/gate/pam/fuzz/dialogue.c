/*
 * Fuzzes the module through its real entry. An input is what a stack's line says, up to the first new line, then
 * what a daemon says. The first byte picks the service, the second how the program answers.
 *
 * Two things are held beside what sanitizers see: nothing but a whole frame of `granted` opens, and no text that
 * reaches the program has a control character in it but a new line.
 *
 *   dialogue FILE...   runs the inputs (or, built by afl-clang-fast, is AFL++'s own)
 */
#define PAM_SM_AUTH
#include <security/pam_modules.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../module.h"

enum { INPUT_MOST = 65536 };

static char stream[INPUT_MOST];
static size_t stream_length;
static unsigned char manner;

/* In place of the way to the daemon: the input, and its end. */
int daemon_connect(const char *path, uid_t owner, int64_t deadline)
{
	int ends[2] = { -1, -1 };
	size_t sent = 0;

	(void)path;
	(void)owner;
	(void)deadline;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		abort();
	while (sent < stream_length) {
		ssize_t one = send(ends[1], stream + sent, stream_length - sent, MSG_DONTWAIT);

		if (one <= 0)
			break;
		sent += (size_t)one;
	}
	(void)shutdown(ends[1], SHUT_WR);
	/* Kept open for what the module writes; ends[1] is the next one's number to close. */
	if (dup2(ends[1], 200) < 0)
		abort();
	(void)close(ends[1]);
	return ends[0];
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	static const char *const answers[] = { "", "123456", "a longer answer than that, with spaces in it" };

	(void)data;
	*responses = NULL;
	for (int i = 0; i < count; i++)
		for (const unsigned char *at = (const unsigned char *)messages[i]->msg; *at != '\0'; at++)
			if ((*at < 0x20 && *at != '\n') || *at == 0x7f)
				abort();
	if (manner % 8 == 7)
		return PAM_CONV_ERR;
	if (manner % 8 == 6)
		return PAM_SUCCESS;
	*responses = calloc((size_t)count, sizeof **responses);
	for (int i = 0; i < count && *responses != NULL; i++) {
		if (manner % 8 < 3)
			(*responses)[i].resp = strdup(answers[manner % 8]);
		if (manner % 8 == 3 && ((*responses)[i].resp = malloc(2000)) != NULL) {
			memset((*responses)[i].resp, 'x', 1999);
			(*responses)[i].resp[1999] = '\0';
		}
	}
	return PAM_SUCCESS;
}

static void one(const char *input, size_t length)
{
	static const char *const services[] = { "su", "sshd", "vsftpd", "sudo", "imap" };
	static const char granted[] = { 'V', 0, 7, 'g', 'r', 'a', 'n', 't', 'e', 'd' };
	struct pam_conv conversation = { converse, NULL };
	pam_handle_t *pamh = NULL;
	char words[1024] = "";
	const char *end = length < 2 ? NULL : memchr(input + 2, '\n', length - 2);
	int result = PAM_SUCCESS;

	if (end == NULL || (size_t)(end - input) - 2 >= sizeof words)
		return;
	memcpy(words, input + 2, (size_t)(end - input) - 2);
	manner = (unsigned char)input[1];
	stream_length = length - (size_t)(end - input) - 1;
	memcpy(stream, end + 1, stream_length);
	if (setenv("HARNESS_WORDS", words, 1) != 0)
		return;
	if (pam_start(services[(unsigned char)input[0] % 5], manner & 0x10 ? NULL : "alice", &conversation, &pamh) !=
	    PAM_SUCCESS)
		abort();
	result = pam_authenticate(pamh, 0);
	if (result == PAM_SUCCESS && memmem(stream, stream_length, granted, sizeof granted) == NULL)
		abort();
	(void)pam_end(pamh, result);
	(void)close(200);
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();

int main(void)
{
	unsigned char *input = NULL;

	__AFL_INIT();
	input = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000)) {
		size_t length = (size_t)__AFL_FUZZ_TESTCASE_LEN;

		one((const char *)input, length > INPUT_MOST ? INPUT_MOST : length);
	}
	return 0;
}
#else
int main(int argc, char **argv)
{
	static char input[INPUT_MOST];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t length = 0;

		if (file == NULL)
			return 1;
		length = fread(input, 1, sizeof input, file);
		(void)fclose(file);
		one(input, length);
		puts(argv[i]);
	}
	return 0;
}
#endif
