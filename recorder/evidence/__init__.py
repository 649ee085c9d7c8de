"""What is true of a recording, and how to prove it. Pure: bytes and times come in, bytes and verdicts come out.

`log` writes a visit's chain, `verify` judges one; both follow `recorder/FORMAT.md`, whose rule ids stand above the lines
that obey them. Nothing here opens a file, a socket, a clock or the system's entropy.
"""
