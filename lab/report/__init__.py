"""report.html and predictions.csv: what a training or an evaluation found, for people to read.

report           puts the page together and writes both files
template.html    the page's structure; report.css is its style
sections         the values that each section shows
single_pictures  the surest mistakes, and pictures of no known class
figures          curves, diagrams and the confusion matrix, by matplotlib
feature_map      a map on which pictures with similar features lie together
wording          numbers and facts in words
evaluation       what --evaluate does: judge a saved classifier, and report it
"""

from lab.report.evaluation import evaluate
from lab.report.report import write

__all__ = ["evaluate", "write"]
