"""Runs on this machine, each device with a worker process of its own."""
