/*
 * Thousands of random calls on a small tree of files, with their results, and the tree from
 * time to time: the same on every Linux for the same seed.
 *
 *     file-calls COUNT SEED
 *
 * Among the calls is chdir(".."), so it first makes a folder of its own its root directory,
 * and does not run without the privilege for that.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BASE        "/tmp/file-calls"
#define FILES       8
#define NAMES_MAX   500
#define TREE_PERIOD 500

/* Few names, so that calls meet; all the odd ways to write a path. */
static const char *const paths[] = {
    "a",        "b",     "c",      "a/x",   "a/y",    "b/x",   "b/y",   "a/x/p",
    "a/x/q",    "l1",    "l2",     "a/l",   "b/l",    "a/",    "b/",    "l1/",
    "a/.",      "a/..",  "b/x/",   "./a",   "a//x",   "../w/a", "a/x/..", "l2/x",
    "l1/x",     ".",     "..",     "a/l/x", "",       "nope/x", "a/x/p/z", "b/../a/x",
};
#define PATH_COUNT (sizeof paths / sizeof paths[0])

static uint32_t state;
static int      files[FILES];
static char     buffer[70000];

static unsigned below(unsigned limit)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static const char *any_path(void) { return paths[below(PATH_COUNT)]; }

static void report(const char *call, const char *one, const char *two, long result)
{
    if (result < 0)
        printf("%s %s %s: error %d\n", call, one, two, errno);
    else
        printf("%s %s %s: %ld\n", call, one, two, result);
}

/* ---- the tree ------------------------------------------------------------------- */

static unsigned content_hash(const char *path)
{
    unsigned hash = 5381;
    int      fd = open(path, O_RDONLY);
    ssize_t  count = fd < 0 ? 0 : read(fd, buffer, sizeof buffer);

    for (ssize_t i = 0; i < count; i++)
        hash = hash * 33 + (unsigned char)buffer[i];
    if (fd >= 0)
        close(fd);
    return hash;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void show_node(const char *path, const struct stat *st)
{
    printf("  %s %o", path, st->st_mode);
    if (!S_ISDIR(st->st_mode))
        printf(" links %lu", (unsigned long)st->st_nlink);
    if (S_ISREG(st->st_mode))
        printf(" bytes %ld hash %u", (long)st->st_size, content_hash(path));
    if (S_ISLNK(st->st_mode)) {
        ssize_t count = readlink(path, buffer, 1000);

        printf(" -> %.*s", count > 0 ? (int)count : 0, buffer);
    }
    putchar('\n');
}

static void show_tree(const char *path)
{
    char       *names[NAMES_MAX];
    size_t      count = 0;
    struct stat st;
    DIR        *dir;

    if (lstat(*path ? path : "/", &st))
        return;
    show_node(path, &st);
    dir = S_ISDIR(st.st_mode) ? opendir(*path ? path : "/") : NULL;
    if (!dir)
        return;
    for (struct dirent *e = readdir(dir); e && count < NAMES_MAX; e = readdir(dir))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            names[count++] = strdup(e->d_name);
    closedir(dir);
    qsort(names, count, sizeof names[0], compare_names);
    for (size_t i = 0; i < count; i++) {
        char below_it[1000];

        snprintf(below_it, sizeof below_it, "%s/%s", path, names[i]);
        show_tree(below_it);
        free(names[i]);
    }
}

/* ---- calls on names ------------------------------------------------------------- */

static void two_names(void)
{
    const char *from = any_path(), *to = any_path();

    switch (below(7)) {
    case 0:
    case 1: report("rename", from, to, rename(from, to)); break;
    case 2:
        report("rename noreplace", from, to,
               syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1));
        break;
    case 3:
        report("rename exchange", from, to,
               syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 2));
        break;
    case 4: report("link", from, to, link(from, to)); break;
    case 5: report("symlink", from, to, symlink(from, to)); break;
    case 6:
        report("linkat follow", from, to,
               linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
        break;
    }
}

static void one_name(void)
{
    const char *path = any_path();
    struct stat st;

    switch (below(9)) {
    case 0:
    case 1: report("mkdir", path, "", mkdir(path, 0755 + below(2) * 01000)); break;
    case 2: report("rmdir", path, "", rmdir(path)); break;
    case 3: report("unlink", path, "", unlink(path)); break;
    case 4: report("chmod", path, "", chmod(path, below(010000))); break;
    case 5: report("truncate", path, "", truncate(path, below(30000))); break;
    case 6: report("access", path, "", access(path, (int)below(8))); break;
    case 7: report("readlink", path, "", readlink(path, buffer, below(30))); break;
    case 8: report("stat", path, "", stat(path, &st) ? -1 : (long)st.st_mode); break;
    }
}

static void change_directory(void)
{
    const char *path = any_path();

    report("chdir", path, "", chdir(path));
    report("getcwd", getcwd(buffer, sizeof buffer) ? buffer : "nowhere", "", 0);
    if (below(2) || chdir("/w") == 0)
        return;
    mkdir("/w", 0777);
    if (chdir("/w"))
        report("chdir", "w", "", -1);
}

/* ---- calls on open files -------------------------------------------------------- */

static void open_file(int *file)
{
    static const int ways[] = {
        O_RDONLY,           O_WRONLY | O_CREAT,          O_RDWR | O_CREAT | O_EXCL,
        O_RDWR | O_TRUNC,   O_RDWR | O_CREAT | O_APPEND, O_RDONLY | O_DIRECTORY,
        O_RDONLY | O_NOFOLLOW, O_PATH,                   O_PATH | O_NOFOLLOW,
        O_RDWR | O_CREAT,   O_RDONLY | O_CREAT,          O_WRONLY | O_TRUNC | O_CREAT,
    };
    const char *path = any_path();
    int         flags = ways[below(sizeof ways / sizeof ways[0])];
    char        call[32];

    if (*file >= 0)
        close(*file);
    *file = open(path, flags, 0644);
    snprintf(call, sizeof call, "open %#o", (unsigned)flags);
    report(call, path, "", *file < 0 ? -1 : 0);
}

static void use_file(int file)
{
    size_t      count = below(3000);
    struct stat st;

    switch (below(6)) {
    case 0:
        memset(buffer, 'a' + (int)below(26), count);
        report("write", "", "", write(file, buffer, count));
        break;
    case 1: report("pwrite", "", "", pwrite(file, buffer, count, below(20000))); break;
    case 2: report("read", "", "", read(file, buffer, count)); break;
    case 3:
        if (fstat(file, &st) == 0 && !S_ISDIR(st.st_mode))
            report("lseek", "", "", lseek(file, (off_t)below(5000) - 100, (int)below(3)));
        break;
    case 4: report("ftruncate", "", "", ftruncate(file, below(30000))); break;
    case 5: report("fcntl", "", "", fcntl(file, F_GETFL)); break;
    }
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 1000;

    state = argc > 2 ? (uint32_t)atol(argv[2]) : 1;
    umask(022);
    if (mkdir(BASE, 0777) || chroot(BASE) || mkdir("/w", 0777) || chdir("/w")) {
        perror(BASE);
        return 1;
    }
    for (int i = 0; i < FILES; i++)
        files[i] = -1;
    for (long i = 1; i <= count; i++) {
        int *file = &files[below(FILES)];

        switch (below(6)) {
        case 0:
        case 1: one_name(); break;
        case 2: two_names(); break;
        case 3: open_file(file); break;
        case 4: use_file(*file); break;
        case 5:
            if (below(6) == 0)
                change_directory();
            break;
        }
        if (i % TREE_PERIOD == 0)
            show_tree("");
    }
    return 0;
}
