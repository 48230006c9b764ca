#include <errno.h>
#include <lib/server/codec.h>
#include <string.h>

/* Where word number index of a message is. */
static uint64_t *word_at(struct ipc_message *message, unsigned index)
{
    return index < REGISTER_WORDS ? &message->word[index] : &message->extra[index - REGISTER_WORDS];
}

static unsigned words_beyond_registers(unsigned words)
{
    return words > REGISTER_WORDS ? words - REGISTER_WORDS : 0;
}

/* ---- encoding ---------------------------------------------------------------------- */

void encode_begin(struct encoder *encoder, struct ipc_message *message, unsigned words)
{
    message->items = 0;
    message->extra_words = 0;
    *encoder = (struct encoder){ .message = message, .blob_word = words_beyond_registers(words) };
}

void encode_word(struct encoder *encoder, uint64_t value)
{
    *word_at(encoder->message, encoder->next_word++) = value;
}

void encode_bytes(struct encoder *encoder, const void *from, size_t bytes, size_t max)
{
    unsigned words = (unsigned)((bytes + 7) / 8);

    if (bytes > max || encoder->blob_word + words > UTCB_WORDS) {
        encoder->error = encoder->error ? encoder->error : -EINVAL;
        bytes = words = 0;
    }
    encode_word(encoder, bytes);
    if (!words)
        return;
    encoder->message->extra[encoder->blob_word + words - 1] = 0; /* the padding */
    memcpy(&encoder->message->extra[encoder->blob_word], from, bytes);
    encoder->blob_word += words;
}

void encode_string(struct encoder *encoder, const char *string, size_t max)
{
    size_t length = strnlen(string, max);

    if (length == max) {
        encoder->error = encoder->error ? encoder->error : -ENAMETOOLONG;
        length = 0;
        string = "";
    }
    encode_bytes(encoder, string, length + 1, max);
}

void encode_cap(struct encoder *encoder, cap_sel_t sel, unsigned rights)
{
    struct ipc_message *message = encoder->message;

    if (sel == SEL_NONE) {
        encoder->cap_ended = true;
    } else if (encoder->cap_ended || message->items == UTCB_ITEMS) {
        encoder->error = encoder->error ? encoder->error : -EINVAL;
    } else {
        message->cap[message->items] = sel;
        message->cap_rights[message->items++] = (uint16_t)rights;
    }
}

int encode_end(struct encoder *encoder)
{
    encoder->message->extra_words = (uint16_t)encoder->blob_word;
    return encoder->error;
}

void encode_reply_end(struct encoder *encoder)
{
    struct ipc_message *message = encoder->message;

    message->label = 0;
    if (encode_end(encoder)) {
        message->extra_words = 0;
        message->items = 0;
        message->word[0] = (uint64_t)(int64_t)-EIO;
    }
}

/* ---- decoding ---------------------------------------------------------------------- */

void decode_begin(struct decoder *decoder, struct ipc_message *message, unsigned words)
{
    unsigned beyond = words_beyond_registers(words);
    bool     whole = message->extra_words >= beyond && message->extra_words <= UTCB_WORDS;

    *decoder = (struct decoder){ .message = message, .blob_word = beyond };
    decoder->error = whole ? 0 : -EINVAL;
}

uint64_t decode_word(struct decoder *decoder)
{
    return decoder->error ? 0 : *word_at(decoder->message, decoder->next_word++);
}

uint64_t decode_unsigned(struct decoder *decoder, uint64_t max)
{
    uint64_t value = decode_word(decoder);

    if (value <= max)
        return value;
    decoder->error = -EINVAL;
    return 0;
}

int64_t decode_signed(struct decoder *decoder, int64_t max)
{
    int64_t value = (int64_t)decode_word(decoder);

    if (value <= max && value >= -max - 1)
        return value;
    decoder->error = -EINVAL;
    return 0;
}

void decode_bytes(struct decoder *decoder, void *to, size_t capacity, size_t *bytes)
{
    uint64_t length = decode_word(decoder);
    unsigned room = decoder->message->extra_words - decoder->blob_word;

    *bytes = 0;
    if (decoder->error)
        return;
    if (length > capacity || (length + 7) / 8 > room) {
        decoder->error = -EINVAL;
        return;
    }
    if (length)
        memcpy(to, &decoder->message->extra[decoder->blob_word], length);
    decoder->blob_word += (unsigned)((length + 7) / 8);
    *bytes = length;
}

void decode_string(struct decoder *decoder, char *to, size_t capacity)
{
    size_t bytes;

    decode_bytes(decoder, to, capacity, &bytes);
    if (!decoder->error && (bytes == 0 || strnlen(to, bytes) != bytes - 1))
        decoder->error = -EINVAL;
}

cap_sel_t decode_cap(struct decoder *decoder)
{
    struct ipc_message *message = decoder->message;
    cap_sel_t           sel = SEL_NONE;

    if (decoder->next_cap < message->items)
        sel = message->cap[decoder->next_cap++];
    return sel;
}

int decode_end(struct decoder *decoder)
{
    cap_sel_t sel;

    while ((sel = decode_cap(decoder)) != SEL_NONE)
        ipc_cap_drop(sel);
    return decoder->error;
}

void decode_refuse(struct ipc_message *message)
{
    struct decoder decoder;
    struct encoder reply;

    decode_begin(&decoder, message, 0);
    (void)!decode_end(&decoder);
    encode_begin(&reply, message, 1);
    encode_word(&reply, (uint64_t)(int64_t)-ENOSYS);
    encode_reply_end(&reply);
}

/* ---- the client's side ---------------------------------------------------------------- */

int64_t decode_reply_begin(struct decoder *decoder, struct ipc_message *message, int64_t failure,
                           unsigned words)
{
    int64_t result;

    if (failure) {
        message->items = 0;
        message->extra_words = 0;
    }
    decode_begin(decoder, message, words);
    result = (int64_t)message->word[0];
    decoder->next_word = 1;
    if (failure)
        decoder->error = -EIO;
    return failure ? failure : result;
}

void decode_reply_cap(struct decoder *decoder, cap_sel_t *sel)
{
    cap_sel_t received = decode_cap(decoder);

    if (sel)
        *sel = received;
    else if (received != SEL_NONE)
        ipc_cap_drop(received);
}

/* A server that refuses an operation sends the errno alone, so a reply that is
 * too short is wrong only when it claims success. */
int64_t decode_reply_end(struct decoder *decoder, int64_t result)
{
    int error = decode_end(decoder);

    return error && result >= 0 ? -EIO : result;
}
