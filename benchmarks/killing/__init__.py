"""What benchmarks/kills.py kills, how, and what it looks at afterwards.

server   a server of downloads that is in another mood at each request
jobs     a download, and trainings on a few drawn signs
steps    what a process does to files is counted, and at one of these steps it kills itself
trial    a job in its own folder: undisturbed, killed, started again, compared
"""
