"""What is asked of the kernel: ports, connections over TCP, runs of datagrams, to be woken soon."""
