"""Training of the bundled pair: problem families made by rule, and the models trained on them.

Not installed with the package; run its modules from the repository root, as
``python -m training.published DIR``.
"""
