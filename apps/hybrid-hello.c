/*
 * A hybrid program: a Linux program that also makes native calls.
 *
 * It creates a semaphore and, as a handler, an execution context and a portal of
 * its own, and calls itself through the portal. On another Linux it says so and
 * does the Linux half only.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <lib/native/hypercall.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The auxiliary vector entry that holds the address of the thread's UTCB. */
#define AT_POLYHEDRON_UTCB 0x70686c79

/* For further UTCBs; Linux's mmap never hands out addresses there. */
#define HANDLER_UTCB_VA 0x00007fffff001000ull

enum {
    SEL_PD        = 1,  /* our own protection domain */
    SEL_SEMAPHORE = 16, /* selectors from 16 on are ours */
    SEL_HANDLER,
    SEL_PORTAL,
};
enum { PORTAL_ID = 7, SUM_LABEL = 3, STACK_BYTES = 16384 };

static _Alignas(16) char handler_stack[STACK_BYTES];
static struct utcb *utcb;

/* The next system call of this thread goes to the kernel, not to Linux. */
#define NATIVE(call) (utcb->native_call = 1, (call))

static void expect(enum status status, const char *what)
{
    if (status == ST_OK)
        return;
    fprintf(stderr, "native: %s: status %d\n", what, status);
    exit(1);
}

/* What the handler does with words 0 and 1 of a message and the identity of the
 * portal. It has no thread-local storage, so it keeps away from libc. */
__attribute__((used)) static uint64_t handler_add(uint64_t a, uint64_t b, uint64_t id)
{
    return a + b + id;
}

/* Where the portal is entered (abi/message.h): rdi, rsi words 0 and 1, r12 its
 * identity, rsp as given when the handler was created. The handler is a native
 * context, so its system calls are native without further ado. */
__attribute__((naked, used)) static void handler_entry(void)
{
    __asm__("mov %%r12, %%rdx\n\t"
            "call handler_add\n\t"
            "mov %%rax, %%rdi\n\t"
            "mov %0, %%eax\n\t"
            "syscall\n\t"
            "ud2" : : "i"(HC_REPLY));
}

static void use_semaphore(void)
{
    expect(NATIVE(hc_create_sm(SEL_SEMAPHORE, SEL_PD, 0)), "creating a semaphore");
    expect(NATIVE(hc_sm_up(SEL_SEMAPHORE)), "semaphore up");
    expect(NATIVE(hc_sm_down(SEL_SEMAPHORE, 0)), "semaphore down");
    printf("native: a semaphore of our own went up and down\n");
}

static void create_portal(unsigned cpu)
{
    vaddr_t stack_top = (vaddr_t)(handler_stack + STACK_BYTES);

    /* A handler runs on its caller's time, and its stack must be there: no pager serves it. */
    memset(handler_stack, 0, sizeof handler_stack);
    expect(NATIVE(hc_create_ec(SEL_HANDLER, SEL_PD, EC_LOCAL, cpu, 0, HANDLER_UTCB_VA, stack_top,
                               0, 0)),
           "creating a handler");
    expect(NATIVE(hc_create_pt(SEL_PORTAL, SEL_PD, SEL_HANDLER, (vaddr_t)handler_entry,
                               PORTAL_ID)),
           "creating a portal");
}

static void call_portal(uint64_t a, uint64_t b)
{
    struct hc_words words = { { a, b } };
    uint64_t ctl = ctl_make(HC_CALL, 0, SEL_PORTAL) | ctl_message(SUM_LABEL, 0, 0);

    expect((enum status)(NATIVE(hc_raw(ctl, &words)) & 0xff), "calling the portal");
    printf("native: portal %d answered %" PRIu64 " + %" PRIu64 " + %d = %" PRIu64 "\n", PORTAL_ID,
           a, b, PORTAL_ID, words.w[0]);
}

static void greet_linux(void)
{
    struct utsname name;

    if (uname(&name))
        exit(1);
    printf("Linux: hello from process %d on %s\n", (int)getpid(), name.sysname);
}

int main(void)
{
    int cpu = sched_getcpu();

    greet_linux();
    utcb = (struct utcb *)getauxval(AT_POLYHEDRON_UTCB);
    if (!getenv("POLYHEDRON") || !utcb) {
        printf("native: this is not Polyhedron, so no native calls\n");
    } else {
        fflush(stdout);
        use_semaphore();
        create_portal(cpu < 0 ? 0 : (unsigned)cpu);
        call_portal(30, 5);
        call_portal(1, 2);
    }
    greet_linux();
    return 0;
}
