"""What the four scripts share: files in, features, heads, reports out. One noun a module."""
