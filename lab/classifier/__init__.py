"""A trained classifier.

head      a linear head, and the recipe of the features it was trained on: answers, saving
loading   ... read from its file, every part of it checked
"""

from lab.classifier.head import Classifier, default_recipe, fresh
from lab.classifier.loading import load

__all__ = ["Classifier", "default_recipe", "fresh", "load"]
