/*
 * More than one CPU: start-up, mail, TLB shootdown.
 */
#pragma once

#include "cpu.h"

void smp_start(void);
_Noreturn void ap_main(void);
void ipi_send(uint32_t cpu);
/* Works off mail, shootdowns and reclaim requests for this CPU. */
void ipi_handle(void);

/* Makes sure that no CPU uses a stale translation of the range. No locks held. */
void tlb_shootdown(struct space *space, vaddr_t va, uint64_t pages);
