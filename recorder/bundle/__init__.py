"""A recording handed over: made, read back, held against what somebody brings."""
