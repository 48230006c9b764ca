/*
 * What every file of the kernel needs: assertions, lists, the register frame.
 */
#pragma once

#include <abi/status.h>
#include <abi/types.h>

#define KERNEL_BASE 0xffffffff80000000ull
#define DIRECT_BASE 0xffff800000000000ull /* all physical memory */
#define DEVICE_BASE 0xffffffffffc00000ull /* local and I/O APICs, not cached */

#define MAX_PHYS (1ull << 40) /* covered by the direct map at most */

#define PACKED_STATUS __attribute__((warn_unused_result))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_COUNT(a) (sizeof(a) / sizeof *(a))
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Stays on in release builds. */
#define assert(condition)                                                                         \
    do {                                                                                          \
        if (unlikely(!(condition)))                                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                 \
    } while (0)

static inline void *phys_ptr(phys_t phys) { return (void *)(DIRECT_BASE + phys); }

/* Physical address of a pointer into the direct map or the kernel image. */
static inline phys_t ptr_phys(const void *ptr)
{
    uint64_t va = (uint64_t)ptr;

    return va >= KERNEL_BASE ? va - KERNEL_BASE : va - DIRECT_BASE;
}

/* ---- memory and strings (format.c) ------------------------------------------ */

void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
/* Clears one page. */
void page_clear(void *page);

/* ---- doubly linked lists ------------------------------------------------------ */

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head) { head->next = head->prev = head; }
static inline bool list_empty(const struct list *head) { return head->next == head; }

static inline void list_insert(struct list *before, struct list *node)
{
    node->prev = before->prev;
    node->next = before;
    before->prev->next = node;
    before->prev = node;
}

/* Leaves the node as a list of its own, so that removing it again is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* ---- the saved registers of an execution context -------------------------------- */

/* Pushed from the end downwards: by the processor (ss to rip), by the stubs of
 * entry.S (the rest). entry.S knows the offsets. */
struct regs {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) == 176, "known to entry.S");
