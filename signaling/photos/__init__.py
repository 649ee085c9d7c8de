"""Photos and portraits: what of a picture is kept, and where."""
