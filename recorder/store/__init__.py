"""Where objects lie: folder, S3, S3 with locks; and what they hold of each visit."""
