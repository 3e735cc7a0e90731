"""Accuracy, who wrote what, and cost of a pair on the tasks of the paper, on Inspect."""
