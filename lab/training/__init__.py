"""What learns: a head on frozen features, or the whole network.

experiment      one training from its options to its files
on_features     the story of a head: features, judging, temperature, refit
linear_head     ... by Adam, as in the lab
logistic_head   ... by L-BFGS on whitened principal components
whitening       ... which it finds
whole_network   the story of the whole network
learner         ... its steps and its checkpoints
plans           ... its schedule, learning rate and input sizes
augmentation    random copies of traffic signs that mean the same
trained         what comes of a training
"""
