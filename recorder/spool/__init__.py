"""What is not in the store yet, on the disk, and on its way there."""
