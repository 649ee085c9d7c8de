"""Keys of recordings, and what they seal."""
