"""Rendered signs: a labelled set, drawn from shapes, that needs no download.

sign_shapes   strokes, letters and boards
pictograms    the 43 signs, each a board and what is on it
painting      strokes -> pixels, and signs in their poses
scenery       light, shadows and what is behind a sign
camera        poses, exposure, focus
photographs   the pictures: signs(count, seed)
benchmarks/drawn_signs.py draws them all on one sheet.
"""

from lab.drawn_signs.photographs import signs

RENDERED = "rendered signs"  # what messages and reports call the set

__all__ = ["RENDERED", "signs"]
