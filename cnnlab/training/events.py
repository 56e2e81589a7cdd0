"""What a run reports, in the order in which it happens."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class Started(_Event):
    """The model is built, the data are on the device, the first step comes next."""

    kind: Literal["started"] = "started"
    device: str
    precision: str
    params: int
    train_images: int
    test_images: int
    steps: int


class Progress(_Event):
    """Training loss and accuracy over the steps since the last report.

    Units: `epoch` counts fractions; `eta_s` is the time left.
    """

    kind: Literal["progress"] = "progress"
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

    kind: Literal["evaluation"] = "evaluation"
    step: int
    epoch: float
    elapsed_s: float
    test_loss: float
    test_accuracy: float


class _Ended(_Event):
    """Figures at the end: training over the last epoch's steps, test over the whole set."""

    step: int
    epoch: float
    elapsed_s: float
    train_loss: float | None = None
    train_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    images_per_s: float | None = None
    weights: str | None = None
    note: str | None = None


class Finished(_Ended):
    """The run did all its epochs, or used up its budget."""

    kind: Literal["finished"] = "finished"


class Cancelled(_Ended):
    """The reader stopped the run; what it learned so far is kept."""

    kind: Literal["cancelled"] = "cancelled"


class Failed(_Event):
    """The run could not go on; the message says why and what to change."""

    kind: Literal["failed"] = "failed"
    message: str
    step: int = 0
    elapsed_s: float = 0.0


Event = Started | Progress | Evaluation | Finished | Cancelled | Failed
ENDINGS = (Finished, Cancelled, Failed)

_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def from_json(line: str | bytes) -> Event:
    """Read an event back from its JSON line."""
    return _adapter.validate_json(line)
