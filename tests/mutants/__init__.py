"""Faults that checks must notice; `python -m tests.mutants` prints which check notices which."""
