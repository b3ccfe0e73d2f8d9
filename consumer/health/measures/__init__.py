"""What is counted and timed, a file for each part of the consumer that has something to tell.

A measure without a registry counts for nobody, at the same cost.
"""
