/*
 * What the server kit needs from below: the kernel (lib/native), or fakes of it
 * (lib/host).
 */
#pragma once

#include <abi/hypercall.h>
#include <abi/status.h>

/* hc_copy: op COPY_FROM, COPY_TO or COPY_STRING; done: bytes copied, in any case. */
enum status backend_copy(cap_sel_t space, unsigned op, void *local, uint64_t remote, uint64_t bytes,
                         uint64_t *done);
/* Signals a semaphore of the router; it may have ceased to exist. */
void backend_signal(cap_sel_t sem);
/* Gives back what is only cached, so that leak tests see what is in use. */
void backend_trim(void);
