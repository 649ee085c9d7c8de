"""The law of a visit: what is true of it, what may happen, and what follows. Pure: no I/O, no clock, no entropy."""
