"""Who computes when: the queue, its limits, and the engines that do the runs."""
