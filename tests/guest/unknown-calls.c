/*
 * Makes system calls with numbers that do not exist, up to 2^64 - 1: each must
 * answer ENOSYS and change nothing else.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Linux looks at the lower 32 bits only. */
static const uint64_t numbers[] = {
    340, 423, /* in the gap between the old and the new numbers */
    511, 600, 1000, 4095, 4096, 0xfff0, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0x80000000,
    0xfffffffe, 0xffffffff, 0x7fffffffffffffff, 0xfffffffffffffffe, 0xffffffffffffffff,
    0x80000000000003e8, 0x1000003e8,
};

static long call_number(uint64_t number)
{
    register long a4 __asm__("r10") = 4;
    register long a5 __asm__("r8") = 5;
    register long a6 __asm__("r9") = 6;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(1l), "S"(2l), "d"(3l), "r"(a4), "r"(a5), "r"(a6)
                     : "rcx", "r11", "memory");
    return result;
}

int main(void)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        long result = call_number(numbers[i]);

        if (result != -ENOSYS) {
            printf("call %#llx answered %ld\n", (unsigned long long)numbers[i], result);
            wrong++;
        }
    }
    printf("%u unknown calls answered wrongly\n", wrong);
    return wrong != 0;
}
