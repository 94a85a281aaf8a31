"""Tests of the suite itself: readers, judgement, mutants, whole runs."""
