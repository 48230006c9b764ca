/*
 * Instances of epoll(7): sets of open files, of which those that may be ready form a list.
 *
 * A file's wait queues put its items on the list; what a wait reports is found by looking at
 * the list only. An item that turns out not to be ready leaves it; one that is level-triggered
 * goes back to its end after it was reported.
 */
#pragma once

#include <servers/vfs/file.h>

#include <linux/eventpoll.h>

#define EPOLL_EVENTS_AT_ONCE 1024u /* the most that one wait reports */

struct epoll;
struct epoll_item;

extern const struct file_ops epoll_ops;

/* NULL: memory is out. epoll_use follows. */
struct epoll *epoll_create_set(void);
void epoll_destroy(struct epoll *epoll);
/* The file whose data the instance is. */
void epoll_use(struct epoll *epoll, struct file *file);

/* EPOLL_CTL_ADD, _DEL, _MOD. The file has a poll function. Return 0, -EEXIST, -ENOENT,
 * -ENOMEM; -EINVAL for what EPOLLEXCLUSIVE does not allow; -ELOOP for instances in a circle or
 * more than 5 deep. */
int epoll_add(struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_modify(struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_remove(struct epoll *epoll, struct file *file, int fd);
/* The last reference to the file goes: it is removed everywhere. */
void epoll_forget(struct file *file);

/* Up to max (EPOLL_EVENTS_AT_ONCE) files that are ready; changes nothing that a caller could
 * see. Returns how many. */
size_t epoll_collect(struct epoll *epoll, struct epoll_event *events, size_t max);
/* What the last epoll_collect found has been reported. Nothing may have happened since. */
void epoll_reported(struct epoll *epoll);
/* Waits until an item may have become ready, or the call's deadline. Returns 0 or -ENOMEM. */
int64_t epoll_wait_ready(struct call *call, struct epoll *epoll);
/* The file's deadline has changed, see file_deadline_changed. */
void epoll_deadline_changed(struct file *file);
