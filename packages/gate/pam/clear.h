/* Clearing memory in a way that no compiler leaves out. */
#ifndef COUNTERSIGN_CLEAR_H
#define COUNTERSIGN_CLEAR_H

#ifdef __APPLE__
#define __STDC_WANT_LIB_EXT1__ 1
#endif
#include <string.h>
#include <strings.h>

static inline void clear(void *what, size_t length)
{
#ifdef __APPLE__
	(void)memset_s(what, length, 0, length);
#else
	explicit_bzero(what, length);
#endif
}

#endif
