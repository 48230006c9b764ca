/*
 * The programs of the manifest: from a row to a running program.
 */
#include "root.h"
#include <string.h>

#define MANIFEST_PATH "boot/manifest"

/* How long a program may take until it publishes its portal, by the clock of the
 * machine. Generous: under emulation this clock may run much faster than the work. */
#define PUBLISH_LIMIT_SECONDS 60u
#define QUANTUM_MS            10u

#define MAIN_STACK_ORDER 4u
_Static_assert(PAGE_BYTES << MAIN_STACK_ORDER == MAIN_STACK_BYTES, "the stack is one block");

static struct {
    const struct kernel_info *info;
    struct manifest manifest;
    struct program programs[MANIFEST_MAX_PROGRAMS];
    cap_sel_t published; /* semaphore: up when a program has published */
    int64_t realtime_offset_ns;
} boot;

/* ---- errors: all end the system ------------------------------------------------------------ */

static _Noreturn void manifest_fail(unsigned line, const char *text)
{
    if (line)
        log_line(MANIFEST_PATH ", line %u: %s", line, text);
    else
        log_line(MANIFEST_PATH ": %s", text);
    system_fail();
}

static _Noreturn void start_fail(const struct program *program, const char *why)
{
    log_line("program %s (" MANIFEST_PATH ", line %u): %s", program->row->name, program->row->line,
             why);
    system_fail();
}

static void start_check(const struct program *program, enum status status, const char *what)
{
    if (status == ST_OK)
        return;
    log_line("program %s: can't create %s: status %d", program->row->name, what, status);
    system_fail();
}

/* ---- frames that programs see ------------------------------------------------------------------
 */

static enum status frames_map(struct program *to, phys_t phys, unsigned order)
{
    return with_program_memory(
        to, hc_map_phys(to->pd, phys, WINDOW_VA + phys, 1ull << order, MEM_R | MEM_W));
}

static void frames_hide(struct program *program, uint32_t mask, phys_t phys, unsigned order)
{
    for (unsigned i = 0; i < boot.manifest.count; i++) {
        enum status status;

        if (!(mask & 1u << i) || boot.programs[i].pd == SEL_NONE)
            continue;
        status = hc_protect(boot.programs[i].pd, WINDOW_VA + phys, 1ull << order, 0);
        if (status != ST_OK)
            log_line("can't unmap frames of %s: status %d", program->row->name, status);
    }
}

bool program_show_frames(struct program *program, phys_t phys, unsigned order, bool show)
{
    uint32_t mask = program->row->shares | 1u << program->index, mapped = 0;

    if (!show) {
        frames_hide(program, mask, phys, order);
        return true;
    }
    for (unsigned i = 0; i < boot.manifest.count; i++) {
        if (!(mask & 1u << i) || boot.programs[i].pd == SEL_NONE)
            continue;
        mapped |= 1u << i;
        if (frames_map(&boot.programs[i], phys, order) != ST_OK) {
            frames_hide(program, mapped, phys, order);
            return false;
        }
    }
    return true;
}

bool program_kernel_memory(struct program *program, uint64_t pages)
{
    struct kmem_stat stat;

    kernel_memory_stat(&stat);
    if (pages == 0 || pages > memory_free_frames() + stat.pages_free)
        return false;
    if (stat.pages_free < 2 * pages && !memory_donate(pages))
        return false;
    return hc_pd(program->pd, PD_OP_ADD_QUOTA, pages, 0, 0) == ST_OK;
}

static void module_show(struct program *program)
{
    phys_t page = boot.info->module_base & -PAGE_BYTES;
    phys_t end = boot.info->module_base + boot.info->module_bytes;

    if (program->row->flags & PROGRAM_MODULE)
        start_check(program,
                    with_program_memory(
                        program, hc_map_phys(program->pd, page, WINDOW_VA + page,
                                             (end - page + PAGE_BYTES - 1) >> PAGE_SHIFT, MEM_R)),
                    "its view of the boot module");
}

/* ---- parts of a program
 * -------------------------------------------------------------------------- */

static void pd_create(struct program *program)
{
    unsigned flags = program->row->flags & PROGRAM_IO_PORTS ? PD_IO_PORTS : 0;
    cap_sel_t pd = cap_alloc(1);

    must(pd != SEL_NONE);
    start_check(program,
                with_kernel_memory(hc_create_pd(pd, ROOT_SEL_PD, program->row->quota_pages, flags)),
                "its protection domain");
    program->pd = pd;
}

static cap_sel_t give(struct program *program, cap_sel_t from, cap_sel_t to, unsigned rights)
{
    start_check(
        program,
        with_program_memory(program, hc_delegate(SEL_SELF, from, program->pd, to, 1, rights)),
        "a capability");
    return to;
}

static unsigned pd_rights(const struct program *program)
{
    unsigned rights =
        PD_CREATE_EC | PD_CREATE_SC | PD_CREATE_PT | PD_CREATE_SM | PD_MAP | PD_COPY | PD_CAPS;

    if (program->row->flags & PROGRAM_CREATE_PD)
        rights |= PD_CREATE_PD | PD_CTRL;
    return rights;
}

/* Gives the program the portals of those that it uses; fills the startup page's table. */
static cap_sel_t portals_give(struct program *program, struct startup *startup)
{
    cap_sel_t to = PROGRAM_SEL_PORTALS;
    struct startup_portal *entry = startup->portals;

    strcpy(entry->name, "root");
    entry++->sel = give(program, service_portal_mint(program->index), to++, PT_CALL);
    for (unsigned i = 0; i < program->index; i++) {
        const struct program *used = &boot.programs[i];

        if (!(program->row->uses & 1u << i))
            continue;
        if (used->portal == SEL_NONE)
            start_fail(program, "a program that it uses has not published its portal");
        strcpy(entry->name, used->row->name);
        entry++->sel = give(program, used->portal, to++, PT_CALL);
    }
    startup->portal_count = (uint32_t)(entry - startup->portals);
    return to;
}
_Static_assert(MANIFEST_MAX_PROGRAMS < STARTUP_MAX_PORTALS, "one for each, and root's");

static void args_fill(struct program *program, char *args)
{
    size_t used = strlen(program->row->args),
           rest = strnlen(boot.info->cmdline, INFO_CMDLINE_BYTES);

    memcpy(args, program->row->args, used);
    if (used > 0 && rest > 0 && used + 1 < STARTUP_ARGS_BYTES)
        args[used++] = ' ';
    if (rest > STARTUP_ARGS_BYTES - 1 - used)
        rest = STARTUP_ARGS_BYTES - 1 - used;
    memcpy(args + used, boot.info->cmdline, rest);
}

static void startup_fill(struct program *program, struct startup *startup)
{
    bool module = program->row->flags & PROGRAM_MODULE;

    startup->magic = STARTUP_MAGIC;
    strcpy(startup->name, program->row->name);
    startup->sel_pd = give(program, program->pd, PROGRAM_SEL_PD, pd_rights(program));
    startup->sel_event =
        give(program, crash_portal_create(program->index), PROGRAM_SEL_EVENT, PT_CALL);
    startup->sel_ec = PROGRAM_SEL_EC;
    startup->sel_sc = PROGRAM_SEL_SC;
    startup->sel_free = portals_give(program, startup);
    startup->priority = program->row->priority;
    startup->cpu_count = boot.info->cpu_count;
    startup->module_base = module ? boot.info->module_base : 0;
    startup->module_bytes = module ? boot.info->module_bytes : 0;
    startup->realtime_offset_ns = boot.realtime_offset_ns;
    args_fill(program, startup->args);
}

/* Startup page, information page and stack. */
static void fixed_pages_place(struct program *program)
{
    struct startup *startup = pages_place(program, STARTUP_VA, 0, MEM_R);
    struct kernel_info *info = pages_place(program, INFO_VA, 0, MEM_R);
    void *stack =
        pages_place(program, MAIN_STACK_TOP - MAIN_STACK_BYTES, MAIN_STACK_ORDER, MEM_R | MEM_W);

    if (!startup || !info || !stack)
        start_fail(program, "there is not enough memory for it");
    *info = *boot.info;
    startup_fill(program, startup);
}

static void image_place(struct program *program, uint64_t *entry)
{
    const char *why = NULL;
    uint64_t bytes;
    const void *file = archive_file(program->row->path, &bytes);

    if (!file) {
        log_line("there is no file '%s' in the archive", program->row->path);
        start_fail(program, "it is missing");
    }
    *entry = image_load(program, file, bytes, &why);
    if (!*entry) {
        log_line("'%s': %s", program->row->path, why);
        start_fail(program, "it can't be loaded");
    }
}

static void threads_create(struct program *program, uint64_t entry)
{
    unsigned cpu = program->row->cpu % boot.info->cpu_count;
    uint64_t quantum = boot.info->tsc_hz / 1000 * QUANTUM_MS;

    program->ec = cap_alloc(2);
    must(program->ec != SEL_NONE);
    start_check(program,
                with_program_memory(program, hc_create_ec(program->ec, program->pd, 0, cpu,
                                                          PROGRAM_SEL_EVENT, UTCB_AREA_VA,
                                                          MAIN_STACK_TOP - TCB_BYTES, entry,
                                                          program->index + 1)),
                "its thread");
    give(program, program->ec, PROGRAM_SEL_EC, EC_ALL);
    start_check(program,
                with_program_memory(program, hc_create_sc(program->ec + 1, program->pd, program->ec,
                                                          program->row->priority, quantum)),
                "its scheduling context");
    give(program, program->ec + 1, PROGRAM_SEL_SC, SC_ALL);
}

/* ---- the start --------------------------------------------------------------------------------
 */

static void program_start(struct program *program)
{
    uint64_t entry;

    pd_create(program);
    image_place(program, &entry);
    fixed_pages_place(program);
    module_show(program);
    threads_create(program, entry);
}

static void publish_wait(struct program *program)
{
    uint64_t deadline = __builtin_ia32_rdtsc() + boot.info->tsc_hz * PUBLISH_LIMIT_SECONDS;
    enum status status;

    if (program->row->flags & PROGRAM_NO_PORTAL || program->index == boot.manifest.count - 1)
        return;
    do
        status = hc_sm_down(boot.published, deadline);
    while (status == ST_OK && program->portal == SEL_NONE);
    if (status == ST_OK)
        return;
    log_line("program %s has not published a portal within %u seconds", program->row->name,
             PUBLISH_LIMIT_SECONDS);
    start_fail(program, "it does not start");
}

bool program_publish(struct program *program, cap_sel_t portal)
{
    if (program->portal != SEL_NONE)
        return false;
    program->portal = portal;
    hc_sm_up(boot.published);
    return true;
}

struct program *program_get(uint64_t index)
{
    return index < boot.manifest.count ? &boot.programs[index] : NULL;
}

static void manifest_read(void)
{
    struct manifest_error error;
    uint64_t bytes;
    const char *text = archive_file(MANIFEST_PATH, &bytes);

    if (!text)
        manifest_fail(0, "it is missing in the boot archive");
    if (!manifest_parse(&boot.manifest, text, bytes, &error))
        manifest_fail(error.line, error.text);
    for (unsigned i = 0; i < boot.manifest.count; i++) {
        const struct manifest_program *row = &boot.manifest.programs[i];

        if (!archive_file(row->path, &bytes)) {
            log_line(MANIFEST_PATH ", line %u: there is no file '%s' in the archive", row->line,
                     row->path);
            system_fail();
        }
        boot.programs[i] = (struct program){
            .row = row, .index = i, .pd = SEL_NONE, .ec = SEL_NONE, .portal = SEL_NONE
        };
    }
}

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, whose zero is the entry into the kernel. */
static int64_t realtime_offset(const struct kernel_info *info)
{
    int64_t seconds = rtc_seconds();
    uint64_t ticks = __builtin_ia32_rdtsc() - info->boot_tsc;

    return seconds * 1000000000ll -
           (int64_t)((unsigned __int128)ticks * 1000000000u / info->tsc_hz);
}

void programs_start(const struct kernel_info *info)
{
    boot.info = info;
    boot.realtime_offset_ns = realtime_offset(info);
    boot.published = semaphore_create(0);
    must(boot.published != SEL_NONE);
    manifest_read();
    for (unsigned i = 0; i < boot.manifest.count; i++) {
        program_start(&boot.programs[i]);
        publish_wait(&boot.programs[i]);
    }
}
