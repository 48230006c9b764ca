#!/usr/bin/env python3
"""What the generators say to mistakes, and that what is checked in is up to date."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import protogen    # noqa: E402
import syscallgen  # noqa: E402

TABLE = ROOT / "personality/linux/syscalls.tbl"
FLAGS = ROOT / "personality/linux/flags.tbl"


def in_file(text, use):
    """Calls use(path) with a file of this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_text(text)
        return use(path)


class ProtocolMistakes(unittest.TestCase):
    """Each message names the file, the line and what is wrong."""

    def expect(self, text, message, line):
        with self.assertRaises(protogen.DefinitionError) as caught:
            in_file(text, protogen.parse)
        self.assertRegex(str(caught.exception), rf"/input:{line}: .*{message}")

    def expect_operation(self, operation, message):
        self.expect(f"# remark\nserver s\n\n{operation}\n", message, 4)

    def test_outline(self):
        self.expect("", "no .server NAME.", 1)
        self.expect("op a 16 () -> ()", "before", 1)
        self.expect("server a\nserver b", "second server", 2)
        self.expect("server a b", "expected", 1)
        self.expect("server a\nwhat 1", "expected", 2)

    def test_operation(self):
        self.expect_operation("op a 16", "an operation is")
        self.expect_operation("op a 16 () -> () x", "an operation is")
        self.expect_operation("op A 16 () -> ()", "name of an operation")
        self.expect_operation("op a x () -> ()", "not a number")
        self.expect_operation("op a 15 () -> ()", "from 16")
        self.expect_operation("op a 32768 () -> ()", "to 32767")
        self.expect("server common\nop a 16 () -> ()", "from 0 to 15", 2)

    def test_repetition(self):
        self.expect("server s\nop a 16 () -> ()\nop b 16 () -> ()", "taken by a", 3)
        self.expect("server s\nop a 16 () -> ()\nop a 17 () -> ()", "second operation a", 3)
        self.expect_operation("op a 16 (u32 x, u64 x) -> ()", "named .x.")
        self.expect_operation("op a 16 (u32 x) -> (u64 x)", "named .x.")

    def test_parameter(self):
        self.expect_operation("op a 16 (u31 x) -> ()", "unknown type .u31.")
        self.expect_operation("op a 16 (u32) -> ()", "not a parameter")
        self.expect_operation("op a 16 (u32 x,) -> ()", "not a parameter")
        self.expect_operation("op a 16 (u32 while) -> ()", "can not be the name")
        self.expect_operation("op a 16 (u32 call) -> ()", "can not be the name")
        self.expect_operation("op a 16 (u32 x[3]) -> ()", "takes no size")
        self.expect_operation("op a 16 (u32 x:SM_UP) -> ()", "takes no rights")
        self.expect_operation("op a 16 (bytes x) -> ()", "needs a size")
        self.expect_operation("op a 16 (bytes x[0]) -> ()", "needs a size")
        self.expect_operation("op a 16 (bytes x[3585]) -> ()", "needs a size")
        self.expect_operation("op a 16 () -> (string x[5])", "only go in")

    def test_size(self):
        self.expect_operation("op a 16 (bytes x[3000], bytes y[600]) -> ()", "needs up to 450 words")
        caps = ", ".join(f"cap c{i}" for i in range(9))
        self.expect_operation(f"op a 16 ({caps}) -> ()", "more than 8 capabilities")

    def test_largest(self):
        server, operations = in_file("server s\nop a 16 (bytes x[3584]) -> (bytes y[3584])",
                                     protogen.parse)
        self.assertEqual((server, len(operations)), ("s", 1))

    def test_command(self):
        done = subprocess.run([sys.executable, ROOT / "tools/protogen.py", "client", "/nowhere", "x"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere", done.stderr)


class TableMistakes(unittest.TestCase):
    """The same for syscalls.tbl and flags.tbl."""

    def expect(self, text, message, parse=syscallgen.parse_table):
        with self.assertRaises(syscallgen.TableError) as caught:
            in_file(f"# remark\n{text}\n", parse)
        self.assertRegex(str(caught.exception), rf"/input:\d+: .*{message}")

    def test_row(self):
        self.expect("", "no rows")
        self.expect("0 read vfs -", "a row is")
        self.expect("x read vfs - int", "not the number")
        self.expect("512 read vfs - int", "not the number")
        self.expect("0 Read vfs - int", "not the name")
        self.expect("0 read fs - int", "unknown owner .fs.")
        self.expect("0 read vfs maybe int", "unknown flag .maybe.")
        self.expect("0 read - wait int", "without an owner")
        self.expect("0 read router direct int", "direct route")
        self.expect("0 read vfs - long", "unknown kind of result")
        self.expect("0 read vfs - int\n0 write vfs - int", "taken by read")
        self.expect("0 read vfs - int\n1 read vfs - int", "second row for read")

    def test_arguments(self):
        self.expect("0 read vfs - int fish", "unknown kind of argument .fish.")
        self.expect("0 read vfs - int inbuf", "unknown kind of argument")
        self.expect("0 read vfs - int inbuf(1)", "no argument 1")
        self.expect("0 read vfs - int inbuf(result)", "no argument result")
        self.expect("0 read vfs - int int int int int int int int", "more than 6")

    def test_flags(self):
        def parse(path):
            return syscallgen.parse_flags(path)
        self.expect("  A", "before the first", parse)
        self.expect("sets x", "expected", parse)
        self.expect("set x\nset x", "second x", parse)
        self.expect("set x\n A-B", "not a symbol", parse)
        self.expect("enum x\n mask A", "for sets", parse)

    def test_missing_set(self):
        calls = in_file("0 read vfs - int flags:nothing", syscallgen.parse_table)
        with self.assertRaisesRegex(syscallgen.TableError, "read: no flags nothing"):
            syscallgen.check_sets(calls, {}, "table")


class CheckedIn(unittest.TestCase):
    """The table itself."""

    def test_every_number_of_linux_is_there(self):
        header = subprocess.run(["cc", "-E", "-dM", "-include", "asm/unistd_64.h", "-x", "c",
                                 "/dev/null"], capture_output=True, text=True, check=True).stdout
        numbers = {name: int(number)
                   for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", header, re.M)}
        calls = {call.name: call.number for call in syscallgen.parse_table(TABLE)}
        self.assertGreater(len(numbers), 350)
        for name, number in numbers.items():
            self.assertEqual(calls.get(name), number, name)

    def test_every_set_is_there(self):
        syscallgen.check_sets(syscallgen.parse_table(TABLE), syscallgen.parse_flags(FLAGS), TABLE)

    def test_document_is_up_to_date(self):
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "made.md"
            syscallgen.write_docs(syscallgen.parse_table(TABLE), made)
            self.assertEqual(made.read_text(), (ROOT / "docs/linux-calls.md").read_text(),
                             "run tools/syscallgen.py docs personality/linux/syscalls.tbl "
                             "docs/linux-calls.md")

    def test_numbers_of_common_operations_are_kept_free(self):
        for path in (ROOT / "proto").glob("*.def"):
            protogen.parse(path)


if __name__ == "__main__":
    unittest.main()
