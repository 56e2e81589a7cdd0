"""What tests of the Feature maps view read off it."""

import json
import struct
from typing import Any

from streamlit.testing.v1 import AppTest

from cnnlab import catalog
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, checkpoint
from tests.app.runs_page import ME


def fine(app: AppTest) -> bool:
    return not [*app.exception, *app.error]


def alts(app: AppTest) -> list[str]:
    return [str(picture.proto.imgs[0].alt) for picture in app.image]


def drawn(app: AppTest) -> dict[str, dict[str, Any]]:
    """What the components of the view are drawn from, by name; their bytes are left out."""
    return dict(drawn_all(app))


def drawn_all(app: AppTest) -> list[tuple[str, dict[str, Any]]]:
    """The same for each of them, where there are two of a name."""
    found = []
    for element in app.get("bidi_component"):
        raw = element.proto.bytes
        (length,) = struct.unpack_from("<I", raw)
        found.append((element.proto.component_name, json.loads(raw[4 : 4 + length])))
    return found


def mosaic_alt(app: AppTest) -> str:
    return str(drawn(app)["cnnlab_mosaic"]["alt"])


def channel_alt(app: AppTest) -> str:
    return str(drawn(app)["cnnlab_channel"]["alt"])


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.caption, *app.markdown, *app.info))


def add_trained(
    store: RunStore, name: str, accuracy: float, network: str = "lenet", **knobs: int
) -> str:
    options = catalog.NETWORKS[network].presets["small"].replace(**knobs)
    config = RunConfig(network=network, options=options)
    run = store.add(config, ME, "batch_norm", name)
    path = store.weights_path(run)
    model = checkpoint.fresh(network, config.options, config.image_size, seed=5)
    checkpoint.save(model, config, path)
    store.ended(run, "finished", weights=str(path), figures={"test_accuracy": accuracy})
    return run
