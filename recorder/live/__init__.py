"""Visits while they are recorded: from the tap and the control door to the disk and the store."""
