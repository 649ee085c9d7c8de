"""Who looks at a recording, under which key, with what trace; and what may be destroyed."""
