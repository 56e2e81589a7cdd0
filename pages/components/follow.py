"""A picture of the reader's that a run carries: chosen before it, watched and played back after."""

from collections.abc import Mapping, Sequence

import streamlit as st
from PIL.Image import Image
from streamlit.delta_generator import DeltaGenerator

from cnnlab import images
from cnnlab.runs.playback import playback
from cnnlab.runs.store import ACTIVE, RunRecord
from cnnlab.training import RunConfig, followed
from cnnlab.training.events import Measurement
from cnnlab.training.probes.picture import PictureProbe
from pages.components import observations, picture_choice, services, state
from pages.components.playback import PLAYER, message

KEY = "follow"
# The reader's picture is the same here and in Feature maps.
SAMPLE = "sample"
PICTURE, KERNELS = "picture", "kernels"
NOTE = (
    "Each step has its own range of values, which stands below the maps. The kernels are those of "
    "the first convolution: grey is zero, and all steps have the same range. The steps are dense "
    "at the beginning, where most happens."
)


def choice(row: DeltaGenerator, dataset: str) -> Image | None:
    """Whether the next run, which learns from `dataset`, carries a picture, and which."""
    follows = row.toggle(
        "Follow a picture",
        key=KEY,
        bind="query-params",
        help="Watch what the network makes of one picture while it learns, and play it back "
        "afterwards: class scores, maps and the first kernels. It changes nothing of the run. The "
        "picture is kept with the run: who gets a link to the run sees it too.",
    )
    if not follows:
        return None
    with row.popover("Picture", icon=":material/image:"):
        suggest(dataset)
        picture = picture_choice.choose()
        st.image(picture.image, width=160, alt=f"The picture to follow: {picture.title}")
    return picture.image


def suggest(dataset: str) -> None:
    """Where no sample was chosen yet, begin with one of the pictures that are learned from."""
    known = [sample.name for sample in images.samples() if sample.dataset == dataset]
    if known and state.get(SAMPLE) is None and SAMPLE not in st.query_params:
        state.put(SAMPLE, known[0])


def followed_by(config: RunConfig, picture: Image | None) -> RunConfig:
    """The run with the picture that it carries, if there is one. Raises: ConfigError."""
    return followed.followed(config, picture) if picture is not None else config


def show(runs: Mapping[str, RunRecord], key: str, *, opened: bool) -> None:
    """What a run makes of its picture; of several one is chosen by its name."""
    carrying = {name: run for name, run in runs.items() if carried(run)}
    if not carrying:
        return
    place = st.expander(
        "The picture, step by step",
        icon=":material/animated_images:",
        key=f"{key}.open",
        expanded=opened,
        on_change="rerun",
    )
    # What is folded is not read at every tick.
    if not place.open:
        return
    with place:
        name = next(iter(carrying))
        if len(carrying) > 1:
            name = st.selectbox("Run", list(carrying), key=f"{key}.run")
        play(carrying[name], key)


def play(run: RunRecord, key: str) -> None:
    """One run: as it stands while it goes on, from the first step to the last afterwards."""
    going = run.status in ACTIVE
    # Of one step the kernels are written last, where there are some.
    kind = KERNELS if observations.is_observed(run, KERNELS) else PICTURE
    last = services.store().last_measured(run.id, kind)
    if last is None:
        st.caption(
            "The picture appears with the first step."
            if going
            else "This run ended before the picture had passed through it."
        )
        return
    PLAYER(key=f"{key}.player", data=so_far(run, last) if going else whole(run))
    st.caption(NOTE)


def carried(run: RunRecord) -> PictureProbe | None:
    """The picture that a run carries."""
    return next((probe for probe in run.config.probes if isinstance(probe, PictureProbe)), None)


def so_far(run: RunRecord, last: int) -> bytes:
    """The newest frame of a run, made once for each observed step."""
    return _so_far(run.id, last, run)


def whole(run: RunRecord) -> bytes:
    """All frames of a run that has ended."""
    return _whole(run.id, run)


@st.cache_resource(max_entries=60, show_spinner=False)
def _so_far(run: str, last: int, _record: RunRecord) -> bytes:
    store = services.store()
    newest = store.measurements(run, PICTURE, step=last)
    scores = store.measurements(run, PICTURE, of_whole=True)
    first = min(one.step for one in scores)
    kernels = [one for step in {first, last} for one in store.measurements(run, KERNELS, step=step)]
    layers = [one for one in newest if one.layer is not None]
    return sent(_record, [*scores, *layers], kernels)


# At most 1.5 MB each.
@st.cache_resource(max_entries=20, show_spinner=False)
def _whole(run: str, _record: RunRecord) -> bytes:
    store = services.store()
    return sent(_record, store.measurements(run, PICTURE), store.measurements(run, KERNELS))


def sent(run: RunRecord, picture: Sequence[Measurement], kernels: Sequence[Measurement]) -> bytes:
    """What was observed as the player takes it."""
    probe, found = carried(run), playback(picture, kernels)
    assert probe is not None
    assert found is not None
    return message(run, probe.picture, found)
