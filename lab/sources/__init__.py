"""What the values of the command line's options name.

picture_files   files and folders -> pictures; the signs in examples/
labelled_sets   --data, --test, --evaluate
weights_files   --weights
classifiers     --model
"""
