#!/usr/bin/env python3
"""Writes a C header with the bytes of a file: embed.py FILE NAME OUTPUT."""
import sys


def main():
    source, name, output = sys.argv[1:]
    with open(source, 'rb') as file:
        data = file.read()
    with open(output, 'w', encoding='ascii') as header:
        header.write(f'static const unsigned char {name}[{len(data)}] = {{\n')
        for start in range(0, len(data), 16):
            row = ', '.join(str(byte) for byte in data[start:start + 16])
            header.write(f'    {row},\n')
        header.write('};\n')


main()
