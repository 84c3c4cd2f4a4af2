"""Adam (Kingma and Ba, 2015), one fused operation a variable."""

from collections.abc import Sequence

import tensorflow as tf

BETA1, BETA2 = 0.9, 0.999  # TensorFlow's defaults, as in the lab


class Adam:
    """Adam's two averages of each variable's gradients.

    Made in the scope of a `tf.distribute.Strategy`, it is to be used where that strategy runs a
    function, with gradients that are summed already: Keras' Adam sums them itself, and only after
    it has clipped each part.

    Args:
        variables: to be trained.
        epsilon: what is added to the root of the second average.
    """

    def __init__(self, variables: Sequence[tf.Variable], epsilon: float):
        self.trained, self.epsilon = list(variables), epsilon
        self.variables = [tf.Variable(tf.zeros(v.shape)) for v in self.trained for _ in range(2)]

    def apply(self, gradients: Sequence[tf.Tensor], step: tf.Tensor, rate: tf.Tensor) -> None:
        """Changes the variables.

        Args:
            gradients: as many as variables, each of its variable's shape.
            step: float32 scalar, from 1.
            rate: float32 scalar, the learning rate.
        """
        pairs = zip(self.variables[::2], self.variables[1::2], strict=True)
        for variable, (m, v), gradient in zip(self.trained, pairs, gradients, strict=True):
            # Keras' Adam, a dozen small operations, takes three times as long as the two matrix
            # products of a linear head together.
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=BETA1**step,
                beta2_power=BETA2**step,
                lr=rate,
                beta1=BETA1,
                beta2=BETA2,
                epsilon=self.epsilon,
                grad=gradient,
            )
