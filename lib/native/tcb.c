#include <lib/native/runtime.h>

static uint64_t canary;

void tcb_set_canary(uint64_t value) { canary = value; }

void tcb_init(struct tcb *tcb, void *stack_end, struct utcb *utcb)
{
    tcb->self = tcb;
    tcb->canary = canary;
    tcb->utcb = utcb;
    tcb->stack_end = stack_end;
    *tcb->stack_end = STACK_MAGIC;
}

void stack_check(void)
{
    must(*tcb_self()->stack_end == STACK_MAGIC);
}

struct utcb *utcb_self(void) { return tcb_self()->utcb; }
