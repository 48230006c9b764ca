/*
 * A native program: it talks to the console driver and to the roottask, and to
 * nothing of Linux. native-hello.manifest starts it.
 */
#include "gen/console_client.h"
#include "gen/root_client.h"
#include <lib/native/hypercall.h>
#include <lib/native/native.h>
#include <string.h>

/* Writes all of the text to channel 0, standard output. */
static bool console_say(const struct server_ref *console, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        int64_t taken = console_write(console, 0, text, left);

        if (taken < 0)
            return false;
        if (taken == 0)
            hc_yield();
        text += taken;
        left -= (size_t)taken;
    }
    return true;
}

int native_main(const struct startup *startup)
{
    const struct server_ref console = { .portal = portal_find("console") };
    const struct server_ref root = { .portal = portal_find("root") };
    bool said;

    log_line("started with priority %u on one of %u CPUs", startup->priority, startup->cpu_count);
    said = console.portal != SEL_NONE && console_say(&console, "Hello from a native program!\n");
    must(root_shutdown(&root, said ? 0 : 1) == 0);
    return 0;
}
