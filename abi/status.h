/*
 * What a hypercall answers.
 */
#pragma once

enum status {
    ST_OK          = 0, /* done */
    ST_TIMEOUT     = 1, /* the deadline passed before the semaphore was signalled */
    ST_ABORTED     = 2, /* the handler of this call ceased to exist */
    ST_BAD_CALL    = 3, /* no such hypercall or no such operation of it */
    ST_BAD_CAP     = 4, /* selector out of range, empty, or of another type */
    ST_BAD_RIGHTS  = 5, /* the capability does not carry the right needed */
    ST_BAD_PARAM   = 6, /* address, length, alignment or flag not valid */
    ST_BAD_CPU     = 7, /* no such CPU, or the object is bound to another one */
    ST_BAD_STATE   = 8, /* the object is in a state that does not allow this */
    ST_EXISTS      = 9, /* the destination selector is in use */
    ST_NO_MEMORY   = 10, /* kernel memory or the quota of the PD is exhausted */
    ST_FAULT       = 11, /* a page of the remote side is not there or not so accessible */
    ST_FAULT_LOCAL = 12, /* a page of the caller's side is not there or not so accessible */
    ST_DECLINED    = 13, /* the handler declined (native calls only) */
    ST_COUNT
};
