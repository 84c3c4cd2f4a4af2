"""One training on several GPUs and machines, by TensorFlow's distribution strategies.

Each machine runs the same script with the same options; TF_CONFIG, in its environment, names all
workers and which of them this one is. A worker computes on its own share of the pictures; sums over
all workers keep the weights of all equal. Worker 0, the chief, writes the results. Without
TF_CONFIG there is one worker, with all GPUs of its machine.

shares      shares of the pictures, sums over all workers
tf_config   the workers that TF_CONFIG names
joining     meeting the others, seeing who is gone, parting
"""

from lab.workers.joining import joined
from lab.workers.shares import ALONE, Workers

__all__ = ["ALONE", "Workers", "joined"]
