"""`media.plane` in Python: what happens to a packet between one socket and the next."""
