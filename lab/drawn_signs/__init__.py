"""drawn_signs."""
