"""Things to try on the page of batch normalization."""

from cnnlab.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
