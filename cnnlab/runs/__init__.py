"""What is kept of runs: the store, comparisons and exports."""
