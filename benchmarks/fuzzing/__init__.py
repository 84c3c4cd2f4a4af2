"""What benchmarks/fuzz.py does in processes of its own.

process    fuzzes one reader
lines      the lines of a reader that the inputs reached
"""
