"""How good a classifier is.

judgement   a classifier's answers on labelled pictures
metrics     the numbers made of them: accuracy, intervals, calibration, temperature
"""

from lab.judging.judgement import Judgement, judge

__all__ = ["Judgement", "judge"]
