"""What a word of the command line stands for.

picture_files   files and folders -> pictures; the signs in examples/
labelled_sets   --data, --test, --evaluate
weights_files   --weights
classifiers     --model
"""
