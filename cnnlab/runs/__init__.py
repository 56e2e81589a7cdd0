"""Kept runs: the store, comparisons and exports."""
