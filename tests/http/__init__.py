"""What the faces share, driven through a small app of its own."""
