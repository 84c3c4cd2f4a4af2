"""How good a classifier is: its answers on labelled pictures, and the numbers made of them."""

from lab.judging.judgement import Judgement, judge

__all__ = ["Judgement", "judge"]
