/*
 * A fake of the kernel: it counts what exists.
 */
#include "world_fakes.h"

#include <lib/server/backend.h>
#include <servers/syscall-router/app_space.h>
#include <string.h>

static unsigned selectors, objects;
static bool exists[MAX_CAPS];
static struct ec_state last_state;
static unsigned recall_count;
static struct thread *by_slot[MAX_SLOTS]; /* whose portals were made */
static struct { cap_sel_t ec; uint64_t badge; } last_ec;
static struct thread *last_started;
static unsigned delegated[MAX_CAPS]; /* event portals in the PD besides the main thread's */

static int object_make(cap_sel_t sel)
{
    if (fails())
        return -ENOMEM;
    assert_true(sel < MAX_CAPS && !exists[sel]);
    exists[sel] = true;
    objects++;
    return 0;
}

cap_sel_t kernel_sel_alloc(unsigned count)
{
    if (fails())
        return SEL_NONE;
    selectors += count;
    return cap_alloc(count);
}

void kernel_drop(cap_sel_t first, unsigned count)
{
    if (first == SEL_NONE)
        return;
    for (unsigned i = 0; i < count; i++) {
        objects -= exists[first + i];
        exists[first + i] = false;
        delegated[first + i] = 0;
    }
    selectors -= count;
    cap_free(first, count);
}

static cap_sel_t object_new(void)
{
    cap_sel_t sel = kernel_sel_alloc(1);

    if (sel != SEL_NONE && object_make(sel)) {
        kernel_drop(sel, 1);
        return SEL_NONE;
    }
    return sel;
}

cap_sel_t kernel_handler_create(unsigned cpu)
{
    (void)cpu;
    return object_new();
}

cap_sel_t kernel_portal_create(struct portal *portal, cap_sel_t handler)
{
    assert_true(exists[handler]);
    assert_non_null(portal->handle);
    by_slot[((struct thread *)portal)->slot] = (struct thread *)portal;
    return object_new();
}

cap_sel_t kernel_sem_create(void) { return object_new(); }

int kernel_mint(cap_sel_t from, cap_sel_t to, uint64_t badge)
{
    (void)from;
    assert_true(badge > 0 && badge < MAX_SLOTS);
    return object_make(to);
}

int kernel_delegate(cap_sel_t sel, cap_sel_t to_pd, cap_sel_t to, unsigned rights)
{
    (void)rights;
    assert_true(exists[sel] && exists[to_pd]);
    if (fails())
        return -ENOMEM;
    delegated[to_pd] += to >= APP_SEL_EVENTS;
    return 0;
}

void kernel_undelegate(cap_sel_t pd, cap_sel_t first, unsigned count)
{
    assert_true(exists[pd] && count > 0);
    if (first >= APP_SEL_EVENTS && delegated[pd] > 0)
        delegated[pd]--;
}

int kernel_pd_create(cap_sel_t sel) { return object_make(sel); }

bool kernel_pd_feed(cap_sel_t pd)
{
    assert_true(exists[pd]);
    return false;
}

int kernel_pd_set_pager(cap_sel_t pd, cap_sel_t pager)
{
    (void)pager;
    assert_true(exists[pd]);
    return 0;
}

int kernel_pd_set_route(cap_sel_t pd, unsigned first, unsigned count, cap_sel_t portal)
{
    assert_true(exists[pd] && portal >= APP_SEL_VFS && portal <= APP_SEL_MEM);
    for (unsigned nr = first; nr < first + count; nr++)
        assert_true(linux_routes[nr].flags & LINUX_DIRECT);
    return fails() ? -ENOMEM : 0;
}

int kernel_ec_create(cap_sel_t sel, cap_sel_t pd, unsigned cpu, cap_sel_t event, vaddr_t utcb,
                     uint64_t badge)
{
    (void)cpu;
    assert_true(exists[pd] && badge > 0 && badge < MAX_SLOTS);
    assert_true(event == APP_SEL_EVENT ? utcb == APP_UTCB_VA
                                       : utcb == APP_UTCB_VA + badge * PAGE_BYTES);
    last_ec.ec = sel;
    last_ec.badge = badge;
    return object_make(sel);
}

int kernel_sc_create(cap_sel_t sel, cap_sel_t pd, cap_sel_t ec)
{
    int error = object_make(sel);

    assert_true(exists[pd] && exists[ec] && ec == last_ec.ec);
    last_started = error ? NULL : by_slot[last_ec.badge];
    return error;
}

int kernel_ec_get_state(cap_sel_t ec, struct ec_state *state)
{
    (void)ec;
    *state = last_state;
    return 0;
}

int kernel_ec_set_state(cap_sel_t ec, const struct ec_state *state)
{
    (void)ec;
    last_state = *state;
    return 0;
}

int kernel_ec_get_fpu(cap_sel_t ec, void *area, size_t *bytes)
{
    assert_true(exists[ec] && *bytes >= 16);
    memset(area, 0x5a, 16);
    *bytes = 16;
    return fails() ? -EINVAL : 0;
}

size_t kernel_fpu_bytes(void) { return 16; }
uint64_t kernel_fpu_features(void) { return 3; }

int kernel_ec_set_fpu(cap_sel_t ec, const void *area, size_t bytes)
{
    const uint8_t *byte = area;

    assert_true(exists[ec]);
    assert_true(bytes == 16 && byte[0] == 0x5a && byte[15] == 0x5a);
    return fails() ? -ENOMEM : 0;
}

void kernel_ec_recall(cap_sel_t ec)
{
    (void)ec;
    recall_count++;
}

void kernel_sem_up(cap_sel_t sem) { (void)sem; }

bool kernel_sem_wait(cap_sel_t sem, uint64_t deadline_ns)
{
    assert_int_equal(sem, the_thread->sem);
    assert_non_null(world_on_wait);
    return world_on_wait(the_thread, deadline_ns);
}

void kernel_yield(void) {}
uint64_t kernel_ticks(void) { return 0; }
unsigned kernel_cpu_count(void) { return 1; }

int64_t kernel_copy(cap_sel_t pd, unsigned op, void *local, uint64_t remote, size_t bytes)
{
    uint64_t done = 0;
    enum status status = backend_copy(pd, op, local, remote, bytes, &done);

    return status == ST_OK || status == ST_FAULT ? (int64_t)done : -EIO;
}

/* Of the runtime: messages of programs bring no capabilities here. */
void portal_receive(const struct portal_frame *frame, struct ipc_message *message)
{
    (void)frame;
    ipc_message_init(message, 0);
}

void threads_lock(void) {}
void threads_unlock(void) {}

const struct ec_state *state_of_ec(void) { return &last_state; }
unsigned recalls(void) { return recall_count; }
struct thread *world_started(void) { return last_started; }

void kernel_holdings(struct holdings *held)
{
    held->selectors = selectors;
    held->objects = objects;
    for (unsigned i = 0; i < MAX_CAPS; i++)
        held->delegated += delegated[i];
}

void kernel_setup(void) { recall_count = 0; }
