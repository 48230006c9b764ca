"""Makes small ELF files, good ones and bad ones, for the tests of execve."""

import struct

EM_X86_64, EM_AARCH64 = 62, 183
ET_REL, ET_EXEC, ET_CORE = 1, 2, 4
PT_LOAD, PT_INTERP = 1, 3
R, W, X = 4, 2, 1
BASE = 0x400000
HEADER_BYTES, PHDR_BYTES = 64, 56
CODE_OFFSET = 0x200

# write(1, message, 3); exit(0), with the message behind the code.
CODE = bytes.fromhex('b801000000' 'bf01000000' '488d3514000000' 'ba03000000' '0f05'
                     'b83c000000' '31ff' '0f05' '90909090') + b'ok\n'
# Writes a byte to each page of bss (address and end patched in), then exit(0).
TOUCH = ('48bf{start:016x}' '48be{end:016x}' 'c60701' '4881c700100000' '4839f7' '72f1'
         'b83c000000' '31ff' '0f05')
JUMP_TO_NULL = bytes.fromhex('31c0' 'ffe0')
WRITE_TO_CODE = bytes.fromhex('c60500000000ff')
UNDEFINED = bytes.fromhex('0f0b')
DIVIDE_BY_ZERO = bytes.fromhex('31c9' 'f7f1')


def header(**changes):
    """The file header; fields can be changed."""
    fields = dict(magic=b'\x7fELF', bits=2, endian=1, type=ET_EXEC, machine=EM_X86_64,
                  entry=BASE + CODE_OFFSET, phoff=HEADER_BYTES, ehsize=HEADER_BYTES,
                  phentsize=PHDR_BYTES, phnum=1)
    fields.update(changes)
    ident = fields['magic'] + bytes([fields['bits'], fields['endian'], 1]) + bytes(9)
    return ident + struct.pack('<HHIQQQIHHHHHH', fields['type'], fields['machine'], 1,
                               fields['entry'], fields['phoff'], 0, 0, fields['ehsize'],
                               fields['phentsize'], fields['phnum'], 0, 0, 0)


def segment(offset=0, vaddr=BASE, filesz=0x1000, memsz=0x1000, flags=R | X, kind=PT_LOAD,
            align=0x1000):
    """A program header."""
    return struct.pack('<IIQQQQQQ', kind, flags, offset, vaddr, vaddr, filesz, memsz, align)


def image(segments=None, code=CODE, size=0x1000, **changes):
    """A whole file: header, program headers, code."""
    segments = [segment()] if segments is None else segments
    changes.setdefault('phnum', len(segments))
    head = header(**changes) + b''.join(segments)
    return (head.ljust(CODE_OFFSET, b'\0') + code).ljust(size, b'\0')


def touch_code(start, end):
    """Code that writes to each page from start to end."""
    text = TOUCH.format(start=int.from_bytes(struct.pack('<Q', start), 'big'),
                        end=int.from_bytes(struct.pack('<Q', end), 'big'))
    return bytes.fromhex(text)


def bss(bytes_, code=None):
    """A program with so much bss, which it touches."""
    start = 0x10000000
    code = touch_code(start, start + bytes_) if code is None else code
    return image([segment(), segment(vaddr=start, offset=0, filesz=0, memsz=bytes_,
                                     flags=R | W)], code)


def files():
    """All files by name."""
    good = image()
    interpreter = b'/no/such/interpreter\0'
    at = 0x800
    with_interpreter = image([segment(), segment(at, BASE + at, len(interpreter),
                                                 len(interpreter), R, PT_INTERP)])
    with_interpreter = with_interpreter[:at] + interpreter + with_interpreter[at + len(interpreter):]
    return {
        'good': good,
        'empty': b'',
        'short': good[:20],
        'truncated-header': good[:63],
        'truncated-segments': good[:80],
        'truncated-code': good[:CODE_OFFSET + 10],
        'segment-beyond-end': image([segment(offset=0x10000, vaddr=BASE + 0x10000)]),
        'text': b'this is no program\n',
        'bad-magic': image(magic=b'\x7fELG'),
        'foreign-machine': image(machine=EM_AARCH64),
        'class-32': image(bits=1),
        'relocatable': image(type=ET_REL),
        'core': image(type=ET_CORE),
        'no-segments': image([]),
        'no-load': image([segment(kind=4)]),
        'many-segments': image(phnum=65535),
        'phentsize-0': image(phentsize=0),
        'phentsize-57': image(phentsize=57),
        'phoff-wraps': image(phoff=(1 << 64) - 8),
        'overlap': image([segment(), segment(vaddr=BASE, flags=R | W)]),
        'kernel-half': image([segment(vaddr=0xffffffff80000000)]),
        'above-user': image([segment(vaddr=0x0000800000000000)]),
        'wraps': image([segment(memsz=(1 << 64) - 0x1000)]),
        'memsz-huge': image([segment(memsz=1 << 47)]),
        'filesz-over-memsz': image([segment(filesz=0x2000, memsz=0x1000)], size=0x3000),
        'misaligned': image([segment(offset=0x10, vaddr=BASE)]),
        'null-page': image([segment(vaddr=0)], entry=CODE_OFFSET),
        'entry-nowhere': image(entry=0x12345678),
        'entry-kernel': image(entry=0xffffffff80000000),
        'no-interpreter': with_interpreter,
        'interpreter-beyond-end': image([segment(), segment(0x100000, 0, 20, 20, R, PT_INTERP)]),
        'interpreter-empty': image([segment(), segment(at, 0, 0, 0, R, PT_INTERP)]),
        'interpreter-no-end': image([segment(), segment(CODE_OFFSET, 0, 4, 4, R, PT_INTERP)]),
        'jump-to-null': image(code=JUMP_TO_NULL),
        'write-to-code': image(code=WRITE_TO_CODE),
        'undefined': image(code=UNDEFINED),
        'divide': image(code=DIVIDE_BY_ZERO),
        'bss-1m': bss(1 << 20),
        'bss-1g': bss(1 << 30),
    }
