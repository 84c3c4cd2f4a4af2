"""Labelled pictures: where they come from, which belong to one sign, and how they are split.

classes         how many traffic signs there are, and their names
dataset         Dataset: pictures, labels and what else is known about them
loading         load: a file, folder or zip -> Dataset
train_p         a pickle like train.p, read, checked, or made from the official archive
gtsrb           GTSRB as its authors publish it
archives        folders and zips, with one interface
class_folders   a folder of pictures for each class
table           a CSV of pictures, classes and groups
labelled_files  picture files with a class each, checked, each of them once
hash_memory     hashes of picture files that were read before
photographs     pictures that stay on disk until they are asked for
tracks          which pictures show one physical sign
folds           pictures dealt out, so that each is held out once
splits          which pictures are trained on, and which are held out
fingerprints    which pictures two sets share, and which ones a network was trained on
"""

from lab.data.classes import CLASSES, class_names
from lab.data.dataset import Dataset, aligned
from lab.data.loading import check, check_crop, load
from lab.data.photographs import Photographs

__all__ = [
    "CLASSES",
    "Dataset",
    "Photographs",
    "aligned",
    "check",
    "check_crop",
    "class_names",
    "load",
]
