"""Errors that a reader can act on: each says what was given, what is allowed and what to do."""


class CnnLabError(Exception):
    """Base of every error that CNN Lab raises on purpose; its message is shown to the reader."""


class ImageError(CnnLabError):
    """A picture that cannot be used."""


class ConfigError(CnnLabError):
    """A combination of knobs that no network or run can have."""


class DatasetError(CnnLabError):
    """A data set that is absent, damaged or cannot be downloaded."""


class TrainingError(CnnLabError):
    """A run that cannot start or go on."""


class WeightsError(CnnLabError):
    """Weights that are absent, damaged, cannot be downloaded or do not fit."""
