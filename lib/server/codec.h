/*
 * Messages as streams of words, bytes and capabilities: what the stubs made by
 * tools/protogen.py consist of. The layout is described there.
 *
 * Errors are sticky: after the first one nothing more is read or written, and
 * encode_end or decode_end answers it.
 */
#pragma once

#include <lib/server/ipc.h>

#define REGISTER_WORDS 6u

struct encoder {
    struct ipc_message *message;
    unsigned next_word; /* of the words at the start */
    unsigned blob_word; /* index in extra where the next bytes go */
    bool     cap_ended; /* a capability was left out; no other may follow */
    int      error;
};

/* words: how many words the message starts with (scalars and lengths). The
 * message loses the words and capabilities that it had. */
void encode_begin(struct encoder *encoder, struct ipc_message *message, unsigned words);
void encode_word(struct encoder *encoder, uint64_t value);
/* -EINVAL: more than max bytes. */
void encode_bytes(struct encoder *encoder, const void *from, size_t bytes, size_t max);
/* max counts the zero byte. -ENAMETOOLONG. */
void encode_string(struct encoder *encoder, const char *string, size_t max);
/* sel SEL_NONE: nothing is sent; -EINVAL if another capability follows. */
void encode_cap(struct encoder *encoder, cap_sel_t sel, unsigned rights);
/* Returns 0 or a negative errno. */
int encode_end(struct encoder *encoder) __attribute__((warn_unused_result));
/* For a server's answer: an error is turned into a reply of -EIO. */
void encode_reply_end(struct encoder *encoder);

struct decoder {
    struct ipc_message *message;
    unsigned next_word;
    unsigned blob_word;
    unsigned next_cap;
    int      error;
};

/* -EINVAL: the message has fewer words. */
void decode_begin(struct decoder *decoder, struct ipc_message *message, unsigned words);
uint64_t decode_word(struct decoder *decoder);
/* -EINVAL: the value is greater than max, or (signed) not from -max - 1 to max. */
uint64_t decode_unsigned(struct decoder *decoder, uint64_t max);
int64_t decode_signed(struct decoder *decoder, int64_t max);
/* Sets *bytes to the length. -EINVAL: longer than capacity, or not all there. */
void decode_bytes(struct decoder *decoder, void *to, size_t capacity, size_t *bytes);
/* -EINVAL also when it has no zero byte at its end, or one before that. */
void decode_string(struct decoder *decoder, char *to, size_t capacity);
/* The next capability, or SEL_NONE. */
cap_sel_t decode_cap(struct decoder *decoder);
/* Drops capabilities that nobody took. Returns 0 or -EINVAL. */
int decode_end(struct decoder *decoder) __attribute__((warn_unused_result));
/* The answer to an operation that does not exist: -ENOSYS. */
void decode_refuse(struct ipc_message *message);

/* The client's side: failure is what encoding or ipc_call answered (0: none).
 * Returns the result that the server gave, or failure. After a failure all
 * values decoded are 0. */
int64_t decode_reply_begin(struct decoder *decoder, struct ipc_message *message, int64_t failure,
                           unsigned words);
/* *sel: the capability or SEL_NONE. sel NULL: it is dropped. */
void decode_reply_cap(struct decoder *decoder, cap_sel_t *sel);
/* Returns result, or -EIO when the reply was not as the protocol says. */
int64_t decode_reply_end(struct decoder *decoder, int64_t result);
