"""Jobs: the queue of runs, its limits, and the engines that do them."""
