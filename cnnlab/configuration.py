"""What a reader chose for a network: a preset, and the settings changed in it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property, lru_cache
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from cnnlab import catalog, devices
from cnnlab.catalog import NetworkSpec
from cnnlab.datasets.augment import Augment
from cnnlab.errors import ConfigError
from cnnlab.networks.options import Options
from cnnlab.training.config import RunConfig
from cnnlab.validated import OneOf, choices, counted
from cnnlab.words import words

Value = bool | int | float | str | None

# A run's own affairs: nobody sets these for a network.
NOT_CHOSEN = ("network", "options", "augment", "evaluate", "budget_s", "probes")
RUN_SETTINGS: dict[str, FieldInfo] = {
    name: info
    for name, info in (RunConfig.model_fields | Augment.model_fields).items()
    if name not in NOT_CHOSEN
}
# No preset decides these.
OWN = ("seed", "device", "precision")
SMALL = "small"
# How a link says that there is no limit.
ALL = "all"
# The longest that a value in a link can be, and a configuration in one.
LONGEST_TEXT, LONGEST_LINE = 40, 1000


@dataclass(frozen=True)
class Configuration:
    """A preset of a network and the settings changed in it: knobs, and how a run is done.

    Where it is not `exact`, a run takes the small preset with the same changes.

    Raises: ConfigError for a network, a preset, a setting or a value that does not exist.
    """

    network: str
    preset: str = "d2l"
    changes: Mapping[str, Value] = field(default_factory=dict)
    exact: bool = True

    def __post_init__(self) -> None:
        self.spec.preset(self.preset)
        for name, value in self.changes.items():
            check(self.spec, name, value)

    @property
    def spec(self) -> NetworkSpec:
        return catalog.network(self.network)

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """All settings by name."""
        return {**preset_values(self.spec, self.preset), **self.changes}

    @property
    def changed(self) -> dict[str, Value]:
        """The settings that are not the preset's, but for what no preset decides."""
        preset = preset_values(self.spec, self.preset)
        return {
            name: value
            for name, value in self.changes.items()
            if value != preset[name] and name not in OWN
        }

    @property
    def own(self) -> dict[str, Value]:
        """The changes that stay when another preset is chosen."""
        return {name: value for name, value in self.changes.items() if name in OWN}

    @property
    def options(self) -> Options:
        """The network's knobs."""
        values = self.values
        return self.spec.options(**{name: values[name] for name in self.spec.options.model_fields})

    @property
    def image_size(self) -> int:
        """The side of the picture that enters the network. Units: pixels."""
        return cast("int", self.values["image_size"])

    @property
    def trained(self) -> "Configuration":
        """What a run takes: this, or the quick stand-in for it."""
        return self if self.exact else replace(self, preset=SMALL, exact=True)

    @property
    def run_config(self) -> RunConfig:
        """The run of what is trained. Raises: ConfigError for settings that cannot work."""
        chosen = self.trained
        values = {name: chosen.values[name] for name in RUN_SETTINGS}
        augment = Augment(**{name: values.pop(name) for name in Augment.model_fields})
        return RunConfig(network=self.network, options=chosen.options, augment=augment, **values)

    def with_changes(self, **changes: Value) -> "Configuration":
        """The same with some settings changed; a list that overrules one of them is emptied."""
        for name, info in self.spec.options.model_fields.items():
            if (found := counted(info)) and found.instead_of in changes and name not in changes:
                changes[name] = ""
        presets = [preset_values(self.spec, name) for name in {self.preset, SMALL}]
        kept = {
            name: value
            for name, value in {**self.changes, **changes}.items()
            # What both presets have is no change in either.
            if any(preset[name] != value for preset in presets)
        }
        return replace(self, changes=kept)


def setting(spec: NetworkSpec, name: str) -> FieldInfo:
    """What a setting is. Raises: ConfigError when the network has no such setting."""
    found = spec.options.model_fields.get(name) or RUN_SETTINGS.get(name)
    if found is None:
        raise ConfigError(f"{spec.title} has no setting {name!r}; remove it.")
    return found


def names(spec: NetworkSpec) -> list[str]:
    """The settings of a network and of its runs."""
    return [*spec.options.model_fields, *RUN_SETTINGS]


@cache
def preset_values(spec: NetworkSpec, preset: str) -> Mapping[str, Value]:
    """All settings as a preset has them."""
    recipe = asdict(spec.recipe(preset))
    run = {name: recipe.get(name, info.default) for name, info in RUN_SETTINGS.items()}
    # Every knob of a page asks for these, whenever one is moved.
    return MappingProxyType({**dict(spec.presets[preset]), **run})


def choices_of(spec: NetworkSpec, name: str) -> dict[Any, str]:
    """What a setting can be, where that is a list, and how a reader says it; else nothing."""
    if name == "device":
        return {"auto": "Auto"} | {device.name: device.title for device in devices.available()}
    field = setting(spec, name)
    # An entry of a list can have a title of its own, as a data set has.
    entries = {
        n: e for part in field.metadata if isinstance(part, OneOf) for n, e in part.registry.items()
    }
    return {one: getattr(entries.get(one), "title", words(one)) for one in choices(field)}


def check(spec: NetworkSpec, name: str, value: Value) -> Value:
    """The value, if the setting can have it. Raises: ConfigError saying what it can be."""
    listed = list(choices_of(spec, name))
    if listed and value not in listed:
        raise ConfigError(
            f"{name}: {value!r} was given; it can be {', '.join(str(one) for one in listed)}."
        )
    try:
        return _validator(spec, name).validate_python(value)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise ConfigError(
            f"{name}: {value!r} was given; {problem[0].lower()}{problem[1:]}."
        ) from None


@lru_cache(maxsize=512)
def _validator(spec: NetworkSpec, name: str) -> TypeAdapter[Value]:
    field = setting(spec, name)
    return TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]


def from_text(spec: NetworkSpec, name: str, text: str) -> Value:
    """A setting as a link or a reader writes it. Raises: ConfigError saying what it can be."""
    checked_length(name, text)
    for one in choices_of(spec, name):
        if str(one) == text:
            return check(spec, name, one)
    if counted(setting(spec, name)):
        # One block alone is a text too.
        return check(spec, name, text)
    try:
        value = None if text == ALL else json.loads(text)
    except ValueError:
        value = text
    return check(spec, name, value)


def checked_length(name: str, text: str) -> str:
    """A text of a link that is short enough to be repeated. Raises: ConfigError."""
    if len(text) > LONGEST_TEXT:
        raise ConfigError(f"{name}: {text[:LONGEST_TEXT]}… was given; no value is that long.")
    return text


def to_text(value: Value) -> str:
    """A setting as a link writes it."""
    if isinstance(value, str):
        return value
    return ALL if value is None else json.dumps(value)


def to_line(chosen: Configuration) -> str:
    """The network of a configuration in one word, for a link: `vgg.d2l~depth=16`."""
    changed = chosen.changed
    changes = [
        f"{name}={to_text(changed[name])}"
        for name in network_settings(chosen.spec)
        if name in changed
    ]
    return "~".join([f"{chosen.network}.{chosen.preset}", *changes])


def from_line(text: str) -> Configuration:
    """What `to_line` wrote, or a reader. Raises: ConfigError saying what cannot be."""
    if len(text) > LONGEST_LINE:
        raise ConfigError(f"{text[:LONGEST_TEXT]}… was given; no network takes that many words.")
    first, *parts = text.split("~")
    network, _, preset = checked_length("network", first).partition(".")
    spec, changes = catalog.network(network), {}
    for part in parts:
        name, _, value = part.partition("=")
        changes[name] = from_text(spec, checked_length("setting", name), value)
    return Configuration(network, preset, changes)


def network_settings(spec: NetworkSpec) -> list[str]:
    """The settings that decide what a network is: its knobs, and the size of the picture."""
    return [*spec.options.model_fields, "image_size"]
