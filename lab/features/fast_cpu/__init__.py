"""The same features from fewer operations, on a CPU, in float32 and bfloat16.

Two things are known here that `alexnet.build` cannot know: nothing is learned, and signs are small
pictures enlarged. conv1 of signs is computed directly from the small ones (enlarged_convolution).
In float32 the other convolutions are Winograd's (winograd); photographs, which are not enlarged,
gain by these alone. network.py combines them. Its tensors are (height, width, parts, n, channels),
the order that suits both, or (n, height, width, channels) for TensorFlow's own convolutions.

In bfloat16 Winograd's products do not pay: they would have to be transformed in bfloat16 as well,
for a product in float32 takes twice the time, and then conv2 with its normalisation takes 1.09 ms
of a core for a picture in place of 1.05, and conv3 0.53 in place of 0.57. And they magnify what
bfloat16 rounds off: with tiles of 2, 3 and 4 outputs, 3x3 kernels give 0.5%, 1.4% and 2.8% of
their results' size (root mean square), 5x5 ones 3%, 4% and 5%; a plain convolution gives 0.2%.
Float32 also stays where sums are kept: within products, in the normalisation, and for the mean
colour, whose whole part is taken from the pixels, which bfloat16 has exactly. conv4's features of
train.p are then 0.6% of their size from float32's, and a head by track is as good: 0.9236 (95%:
0.914 to 0.934) for 0.9238 (0.914 to 0.934), the difference -0.0005 to 0.0001.
"""

from lab.features.fast_cpu.network import FastNetwork

__all__ = ["FastNetwork"]
