"""Who is in a room, what each publishes and receives, and whose packets may be recorded."""
