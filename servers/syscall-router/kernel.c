/*
 * The router's requests to the kernel.
 */
#include "kernel.h"

#include "router.h"

#include <errno.h>
#include <gen/root_client.h>
#include <lib/native/runtime.h>
#include <string.h>

#define HANDLER_STACK_BYTES 16384u
#define APP_PRIORITY 8u
#define FXSAVE_BYTES 512u
#define QUANTUM_PER_SECOND 100u
/* Kernel memory of a program (page tables, capabilities, objects): a limit, raised when
 * it is reached. It counts towards our own as well. */
#define APP_QUOTA_PAGES 512u
#define APP_QUOTA_STEP_PAGES 128u

static struct lock table_lock;

void kernel_init(void) { lock_init(&table_lock); }
void threads_lock(void) { lock_acquire(&table_lock); }
void threads_unlock(void) { lock_release(&table_lock); }

static int status_errno(enum status status)
{
    switch (status) {
    case ST_OK: return 0;
    case ST_NO_MEMORY: return -ENOMEM;
    case ST_FAULT:
    case ST_FAULT_LOCAL: return -EFAULT;
    case ST_BAD_CPU: return -EINVAL;
    default: return -EIO;
    }
}

/* ---- capabilities ---------------------------------------------------------------- */

cap_sel_t kernel_sel_alloc(unsigned count) { return cap_alloc(count); }

void kernel_drop(cap_sel_t first, unsigned count)
{
    if (first == SEL_NONE)
        return;
    hc_revoke(first, count, REVOKE_SELF);
    cap_free(first, count);
}

int kernel_mint(cap_sel_t from, cap_sel_t to, uint64_t badge)
{
    return status_errno(with_kernel_memory(hc_mint(from, to, PT_CALL, badge)));
}

int kernel_delegate(cap_sel_t sel, cap_sel_t to_pd, cap_sel_t to, unsigned rights)
{
    return status_errno(with_kernel_memory(hc_delegate(SEL_SELF, sel, to_pd, to, 1, rights)));
}

void kernel_undelegate(cap_sel_t pd, cap_sel_t first, unsigned count)
{
    hc_revoke_in(pd, first, count, REVOKE_SELF);
}

/* ---- objects ----------------------------------------------------------------------- */

cap_sel_t kernel_handler_create(unsigned cpu) { return handler_create(cpu, HANDLER_STACK_BYTES); }

cap_sel_t kernel_portal_create(struct portal *portal, cap_sel_t handler)
{
    return portal_create(portal, handler);
}

cap_sel_t kernel_sem_create(void) { return semaphore_create(0); }

int kernel_pd_create(cap_sel_t sel)
{
    const cap_sel_t parent = startup_info()->sel_pd; /* the manifest gives it the right */

    return status_errno(with_kernel_memory(hc_create_pd(sel, parent, APP_QUOTA_PAGES, 0)));
}

/* Whether a step would not fit under the PD's limit. */
static bool quota_is_short(cap_sel_t pd)
{
    struct hc_words words = { { 0 } };
    uint64_t rax = hc_raw(ctl_make(HC_PD, PD_OP_QUOTA, pd), &words);

    return (rax & 0xff) == ST_OK && words.w[0] + APP_QUOTA_STEP_PAGES > words.w[1];
}

bool kernel_pd_feed(cap_sel_t pd)
{
    if (quota_is_short(startup_info()->sel_pd) &&
        root_kernel_memory(&server_root, APP_QUOTA_STEP_PAGES) < 0)
        return false;
    return quota_is_short(pd) && hc_pd(pd, PD_OP_ADD_QUOTA, APP_QUOTA_STEP_PAGES, 0, 0) == ST_OK;
}

int kernel_pd_set_pager(cap_sel_t pd, cap_sel_t pager)
{
    return status_errno(hc_pd(pd, PD_OP_SET_PAGER, pager, 0, 0));
}

int kernel_pd_set_route(cap_sel_t pd, unsigned first, unsigned count, cap_sel_t portal)
{
    return status_errno(with_kernel_memory(hc_pd(pd, PD_OP_SET_ROUTE, first, count, portal)));
}

int kernel_ec_create(cap_sel_t sel, cap_sel_t pd, unsigned cpu, cap_sel_t event, vaddr_t utcb,
                      uint64_t badge)
{
    return status_errno(
        with_kernel_memory(hc_create_ec(sel, pd, EC_FOREIGN, cpu, event, utcb, 0, 0, badge)));
}

int kernel_sc_create(cap_sel_t sel, cap_sel_t pd, cap_sel_t ec)
{
    const struct startup *startup = startup_info();
    unsigned priority = startup->priority < APP_PRIORITY ? startup->priority : APP_PRIORITY;
    uint64_t quantum = kernel_info()->tsc_hz / QUANTUM_PER_SECOND;

    return status_errno(with_kernel_memory(hc_create_sc(sel, pd, ec, priority, quantum)));
}

/* ---- threads ------------------------------------------------------------------------- */

int kernel_ec_get_state(cap_sel_t ec, struct ec_state *state)
{
    enum status status = hc_ec(ec, EC_OP_GET_STATE, 0);

    memcpy(state, utcb_self()->data, sizeof *state);
    return status_errno(status);
}

int kernel_ec_set_state(cap_sel_t ec, const struct ec_state *state)
{
    memcpy(utcb_self()->data, state, sizeof *state);
    return status_errno(hc_ec(ec, EC_OP_SET_STATE, 0));
}

int kernel_ec_get_fpu(cap_sel_t ec, void *area, size_t *bytes)
{
    struct hc_words words = { { 0 } };
    enum status status = hc_raw(ctl_make(HC_EC, EC_OP_GET_FPU, ec), &words) & 0xff;

    if (status == ST_OK && words.w[0] > *bytes)
        return -EIO;
    *bytes = status == ST_OK ? words.w[0] : 0;
    memcpy(area, utcb_self()->data, *bytes);
    return status_errno(status);
}

int kernel_ec_set_fpu(cap_sel_t ec, const void *area, size_t bytes)
{
    must(bytes <= UTCB_DATA_BYTES);
    memcpy(utcb_self()->data, area, bytes);
    return status_errno(with_kernel_memory(hc_ec(ec, EC_OP_SET_FPU, 0)));
}

uint64_t kernel_fpu_features(void)
{
    uint32_t low, high;

    if (!(kernel_info()->cpu_features & CPU_XSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Intel SDM volume 1, 13.2: leaf 0x0d of CPUID. */
size_t kernel_fpu_bytes(void)
{
    static _Atomic uint32_t known;
    uint32_t eax = 0x0d, ebx, ecx = 0, edx;

    if (known)
        return known;
    if (!(kernel_info()->cpu_features & CPU_XSAVE))
        return FXSAVE_BYTES;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    known = ebx;
    return ebx;
}

/* An EC that is just ending can't be recalled, and need not be. */
void kernel_ec_recall(cap_sel_t ec)
{
    enum status status = hc_ec(ec, EC_OP_RECALL, 0);

    (void)status;
}

void kernel_sem_up(cap_sel_t sem) { hc_sm_up(sem); }

bool kernel_sem_wait(cap_sel_t sem, uint64_t deadline_ns)
{
    return hc_sm_zero(sem, deadline_ns ? clock_ns_to_tsc(deadline_ns) : 0) != ST_TIMEOUT;
}

void kernel_yield(void) { hc_yield(); }
uint64_t kernel_ticks(void) { return __builtin_ia32_rdtsc(); }
unsigned kernel_cpu_count(void) { return startup_info()->cpu_count; }

/* ---- memory of programs ------------------------------------------------------------------ */

int64_t kernel_copy(cap_sel_t pd, unsigned op, void *local, uint64_t remote, size_t bytes)
{
    uint64_t done = 0;
    enum status status = hc_copy(pd, op, local, remote, bytes, &done);

    return status == ST_OK || status == ST_FAULT ? (int64_t)done : -EIO;
}
