"""How unlike its training pictures a picture is.

measure        two distances, of which the larger counts; limits and a threshold
fitting        fits a measure to the pictures that a head was trained on
spaces         what distances are measured on
"""

from lab.novelty.fitting import LEAST, fit, sample
from lab.novelty.measure import NAMES, Novelty, threshold
from lab.novelty.spaces import apart, scaled

__all__ = ["LEAST", "NAMES", "Novelty", "apart", "fit", "sample", "scaled", "threshold"]
