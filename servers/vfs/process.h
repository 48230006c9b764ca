/*
 * What the file server knows of a process: descriptors, directories, umask, credentials.
 * Keyed by pid; a slot (one per thread) holds a reference to its process.
 */
#pragma once

#include <lib/server/server.h>
#include <servers/vfs/descriptors.h>
#include <servers/vfs/directory.h>

#define GROUPS_MAX 256u

struct inode;

struct credentials {
    uint32_t uid, gid;             /* those for file access */
    uint32_t group_count;
    uint32_t groups[GROUPS_MAX];   /* supplementary */
};

struct process {
    UT_hash_handle      hh;
    uint32_t            pid;
    uint32_t            refs;      /* slots, and 1 until it exits */
    cap_sel_t           space;     /* its memory; SEL_NONE after exit */
    uint32_t            umask;
    struct inode       *root, *cwd;
    struct descriptors  descriptors;
    struct credentials  credentials;
};

/* The process of the calling thread. */
struct process *call_process(const struct call *call);

struct process *process_find(uint32_t pid);
/* A process with directories at root; takes the capability. NULL: memory is out. */
struct process *process_create(uint32_t pid, struct inode *root, cap_sel_t space);
/* A copy of the parent's state, as fork(2) has it. */
struct process *process_fork(uint32_t pid, const struct process *parent, cap_sel_t space);
/* Closes everything; the rest goes with the last slot. */
void process_exit(struct process *process);
/* execve(2): another address space; closes what is marked so. Takes the capability. */
void process_exec(struct process *process, cap_sel_t space);

/* For struct server. */
int process_on_bind(struct slot *slot);
cap_sel_t process_space_of(struct slot *slot);
