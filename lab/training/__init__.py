"""Training of a head on frozen features, or of the whole network.

experiment      one training from its options to its files
answers         what heads say of pictures they have not seen; the temperature by that
on_features     the steps of a head: judging, or folds; temperature, novelty, refit
frozen_heads    ... features, and a head fitted on some of them
linear_head     ... by Adam, as in the lab
logistic_head   ... by L-BFGS on whitened principal components
components      ... how those are found
whitening       ... and how they are scaled
whole_network   the steps of the whole network: learning, judging, temperature
plans           ... its schedule, learning rate, input sizes and how far copies may differ
learner         ... its gradient steps
trunk_and_head  ... what is trained: conv1 to pool5, and a linear head
checkpoints     ... its state on disk
adam            Adam, for both
notices         what must be known beside an accuracy
augmentation    random copies of pictures that mean the same
dirt            ... as cameras, weather and files change them
draws           ... and the random numbers of each
trained         the result of a training
"""
