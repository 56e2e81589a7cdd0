"""CNN Lab: the networks of the chapter, to be built, drawn, observed and trained."""

import os

# PyTorch's CPU threads (GNU OpenMP) wait for each other in a busy loop of milliseconds. Where the
# app, a run and a browser share two cores, that makes a step up to twenty times slower; sleeping
# at once makes it up to three times slower on an idle machine. A short busy loop costs neither.
# Read once, when PyTorch is first imported; docs/adr/0005-waiting-threads.md has the figures.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
