"""Events of a run, in the order in which they happen."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cnnlab.training.probes.values import Values

# What the network said is kept of so many test pictures, the first of the set.
MOST_PREDICTED = 10_000


class _Event(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        ser_json_inf_nan="constants",
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )


class Started(_Event):
    """The model is built, the data are on the device, the first step comes next.

    `precision` and `layout` are those in which it is computed.
    """

    type: Literal["started"] = "started"
    device: str
    precision: str
    layout: str
    params: int
    train_images: int
    test_images: int
    steps: int


class Progress(_Event):
    """Training loss and accuracy over the steps since the last report.

    Units: `epoch` counts fractions; `eta_s` is the time left.
    """

    type: Literal["progress"] = "progress"
    step: int
    epoch: float
    elapsed_s: float
    train_loss: float
    train_accuracy: float
    lr: float
    images_per_s: float
    eta_s: float


class Evaluation(_Event):
    """Loss and accuracy over the whole test set."""

    type: Literal["evaluation"] = "evaluation"
    step: int
    epoch: float
    elapsed_s: float
    test_loss: float
    test_accuracy: float


class Predicted(_Event):
    """What the network said of each test picture at an evaluation, in the order of the set.

    `classes` are their numbers as uint16, little-endian; `confidence` the shares that it gave to
    them as uint8, 255 for a share of 1. At most the first 10,000 pictures.
    """

    type: Literal["predicted"] = "predicted"
    step: int
    epoch: float
    elapsed_s: float
    classes: bytes = Field(max_length=2 * MOST_PREDICTED, repr=False)
    confidence: bytes = Field(max_length=MOST_PREDICTED, repr=False)


class Measurement(_Event):
    """What a probe read off one step, of one layer or of the whole network.

    `kind` is the probe's, whose class says what `values` holds.
    """

    type: Literal["measurement"] = "measurement"
    step: int
    epoch: float
    elapsed_s: float
    kind: str
    layer: str | None
    values: Values


class _Ended(_Event):
    """Figures at the end: training over the last epoch's steps, test over the whole set.

    `named` says of how many test pictures the network named each class, right or wrong.
    """

    step: int
    epoch: float
    elapsed_s: float
    train_loss: float | None = None
    train_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    named: tuple[int, ...] | None = None
    images_per_s: float | None = None
    weights: str | None = None
    note: str | None = None


class Finished(_Ended):
    """The run did all its epochs, or used up its budget."""

    type: Literal["finished"] = "finished"


class Cancelled(_Ended):
    """The reader stopped the run; what it learned so far is kept."""

    type: Literal["cancelled"] = "cancelled"


class Failed(_Event):
    """The run could not go on; the message says why and what to change."""

    type: Literal["failed"] = "failed"
    message: str
    step: int = 0
    elapsed_s: float = 0.0


Event = Started | Progress | Evaluation | Predicted | Measurement | Finished | Cancelled | Failed
ENDINGS = (Finished, Cancelled, Failed)


def can_wait(event: Event) -> bool:
    """Whether an event may be sent together with later ones: there are many of its kind."""
    return isinstance(event, Progress | Measurement) and event.step > 1


_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


def from_json(line: str | bytes) -> Event:
    """Read an event back from its JSON line."""
    return _adapter.validate_json(line)
