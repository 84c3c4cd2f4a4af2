"""report.html and predictions.csv: what a training or an evaluation found, for people to read."""

from lab.report.evaluation import evaluate
from lab.report.report import write

__all__ = ["evaluate", "write"]
