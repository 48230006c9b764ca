/*
 * The file server: start.
 */
#include <servers/vfs/server.h>

#include <lib/native/native.h>

#include "gen/console_client.h"
#include "gen/linux_calls_vfs.h"
#include "gen/vfs_server.h"

/* The console driver, if the manifest grants it. */
static void console_connect(void)
{
    struct server_ref driver = { .portal = portal_find("console") };
    cap_sel_t         input = SEL_NONE;

    if (driver.portal == SEL_NONE)
        log_line("no console: programs have no input and output");
    else if (console_input_semaphore(&driver, &input) < 0)
        log_line("the console driver gives no semaphore: no input");
    vfs_use_console(&driver, input);
}

int native_main(const struct startup *startup)
{
    const void *archive = startup->module_bytes ? frame_ptr(startup->module_base) : NULL;

    vfs_init(archive, startup->module_bytes, startup->realtime_offset_ns);
    console_connect();
    server_run(&vfs_server);
}
