"""Configuration of a run, complete: the same configuration gives the same curve."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from cnnlab import catalog
from cnnlab.datasets import DATASETS
from cnnlab.datasets.augment import Augment
from cnnlab.errors import ConfigError
from cnnlab.network_spec import LARGEST_IMAGE, SMALLEST_IMAGE
from cnnlab.networks.options import Options
from cnnlab.trace import trace_of
from cnnlab.training import probes
from cnnlab.training.initialization import INITIALIZATIONS
from cnnlab.training.optimizers import OPTIMIZERS
from cnnlab.training.probes import Probe
from cnnlab.training.schedules import SCHEDULES
from cnnlab.validated import Offered, OneOf, Validated, shortened

DatasetName = Annotated[str, OneOf(DATASETS)]
Optimizer = Annotated[str, OneOf(OPTIMIZERS)]
Schedule = Annotated[str, OneOf(SCHEDULES)]
Init = Annotated[str, OneOf(INITIALIZATIONS)]
Evaluate = Literal["spread", "end"]
Precision = Literal["auto", "float32", "bfloat16"]
# What is offered of numbers for which factors count, not differences.
TRAIN_SIZES = Offered((500, 1000, 2000, 4000, 8000, 12_000, 30_000, None))
BATCH_SIZES = Offered(tuple(2**power for power in range(1, 10)))
RATES = Offered((*(digit * 10.0**power for power in range(-4, 1) for digit in (1, 2, 5)), 10.0))
MOMENTA = Offered((0, 0.5, 0.8, 0.9, 0.95, 0.99))
DECAYS = Offered((0, *(digit * 10.0**power for power in range(-5, -1) for digit in (1, 2, 5)), 0.1))
SCALES = Offered((0.1, 0.2, 0.5, 1, 2, 5, 10))
EPOCHS = Offered((1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200))


class RunConfig(Validated):
    """A training run, complete; what is left out comes from the network's quick recipe.

    The knobs that the data decide (channels, classes) are set from the data.

    Units: `budget_s` seconds, `image_size` pixels per side.
    Raises: ConfigError for a field out of bounds or a combination that cannot work.
    """

    network: str
    options: SerializeAsAny[Options]
    dataset: DatasetName = Field(
        "shapes", title="Data set", description="The pictures to learn from."
    )
    train_size: Annotated[int | None, TRAIN_SIZES] = Field(
        None, ge=2, title="Training pictures", description="How many are used; all if empty."
    )
    image_size: int = Field(
        ge=SMALLEST_IMAGE,
        le=LARGEST_IMAGE,
        strict=True,
        title="Input size",
        description="Pixels per side of the square picture that enters the network.",
    )
    augment: Augment = Augment()
    batch_size: Annotated[int, BATCH_SIZES] = Field(ge=2, le=1024, description="Pictures per step.")
    optimizer: Optimizer = Field("sgd", description="How a gradient becomes a step.")
    lr: Annotated[float, RATES] = Field(
        gt=0,
        le=10,
        title="Learning rate",
        description="Size of a step, as a factor on the gradient.",
    )
    momentum: Annotated[float, MOMENTA] = Field(
        0.0, ge=0, le=0.99, description="Share of the last step kept (SGD)."
    )
    weight_decay: Annotated[float, DECAYS] = Field(
        0.0, ge=0, le=0.1, description="Pull of the weights towards 0."
    )
    schedule: Schedule = Field("constant", description="How the learning rate changes.")
    init: Init = Field(
        "default", title="Initialization", description="What the weights are before the first step."
    )
    init_scale: Annotated[float, SCALES] = Field(
        1.0,
        ge=0.1,
        le=10,
        title="Scale of initial weights",
        description="Factor on the weights that the initialization draws, not on the biases.",
    )
    epochs: Annotated[int, EPOCHS] = Field(
        ge=1, le=200, description="Times that all training pictures are seen."
    )
    evaluate: Evaluate = Field("spread", description="When the test set is looked at.")
    budget_s: float | None = Field(None, gt=0, le=86_400, description="Stop after this time.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Where all random numbers start.")
    precision: Precision = Field("auto", description="Number format of the arithmetic.")
    device: str = Field("auto", description="Where the run is computed.")
    probes: tuple[SerializeAsAny[Probe], ...] = Field((), description="What is observed inside.")

    if TYPE_CHECKING:
        # What is left out is filled in below, which a type checker cannot know.
        def __init__(self, /, *, network: str, **fields: Any) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """Defaults from the quick recipe, and the network's knobs fitted to the data."""
        if not isinstance(given, Mapping):
            raise ConfigError(
                "The configuration of a run is a mapping of its fields; "
                f"{shortened(given)} was given."
            )
        fields = {name: value for name, value in given.items() if value is not None}
        spec = catalog.network(str(fields.get("network", "")))
        dataset = fields.setdefault("dataset", "shapes")
        if not isinstance(dataset, str) or dataset not in DATASETS:
            raise ConfigError(
                f"There is no data set {shortened(dataset)}; there are {', '.join(DATASETS)}."
            )
        fields = {k: v for k, v in asdict(spec.quick).items() if v is not None} | fields
        fields["options"] = _options(spec, fields.get("options")).replace(
            in_channels=DATASETS[dataset].channels, num_classes=DATASETS[dataset].num_classes
        )
        return fields

    @field_validator("probes", mode="before")
    @classmethod
    def _read_probes(cls, given: object) -> tuple[Probe, ...]:
        return probes.probes(given)

    @model_validator(mode="after")
    def _check_combination(self) -> "RunConfig":
        spec = catalog.network(self.network)
        # It is needed for the page and the price anyway, and says where a picture does not fit.
        trace_of(spec, self.options, self.image_size)
        spec.check_affordable(self.options, self.image_size)
        size = self.training_images
        if size < self.batch_size:
            raise ConfigError(
                f"A batch of {self.batch_size} pictures was asked for, but the run uses only "
                f"{size} training pictures. Lower batch_size or raise train_size."
            )
        return self

    @property
    def training_images(self) -> int:
        """Training pictures that the run uses."""
        full = DATASETS[self.dataset].train_size
        return full if self.train_size is None else min(self.train_size, full)


def _options(spec: catalog.NetworkSpec, given: Any) -> Options:
    """Knobs from a model, a preset's name or plain data; the small preset when left out."""
    if isinstance(given, spec.options):
        return given
    if given is None or isinstance(given, str):
        return spec.preset(given or "small")
    if isinstance(given, Mapping):
        # Runs were stored with the size while it was a knob of the network.
        return spec.options(**{k: v for k, v in given.items() if k != "image_size"})
    raise ConfigError(
        f"options: {type(given).__name__} was given; {spec.title} takes "
        f"{spec.options.__name__}, a preset's name or a mapping of knobs."
    )
