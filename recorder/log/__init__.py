"""The one log of a recorder: its tree, checkpoints, witnesses, and who else vouches for the time."""
