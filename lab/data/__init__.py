"""Labelled pictures: where they come from, which belong to one sign, and how they are split.

classes       how many classes there are, and their names
dataset       Dataset: pictures, labels and what else is known about them
loading       load: a file, folder or zip -> Dataset
train_p       a pickle like train.p, read, checked, or made from the official archive
gtsrb         GTSRB as its authors publish it
archives      folders and zips, with one interface
tracks        which pictures show one physical sign
splits        which pictures are trained on, and which are held out
fingerprints  which pictures two sets share, and which ones a network was trained on
"""

from lab.data.classes import CLASSES, class_names
from lab.data.dataset import Dataset
from lab.data.loading import load

__all__ = ["CLASSES", "Dataset", "class_names", "load"]
