"""The benchmark of the Architecture view asks for what there is; no figure is taken here."""

import pytest

from benchmarks import architecture
from cnnlab import catalog
from cnnlab.network_spec import LARGEST_IMAGE


def test_it_moves_within_the_sizes_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    most = architecture.parse(["--reruns", "30"]).reruns
    for slug, preset in architecture.NETWORKS.values():
        spec = catalog.NETWORKS[slug]
        assert preset in spec.presets
        assert spec.preset_image_size(preset) + architecture.WARM_UP + most <= LARGEST_IMAGE
    for wrong in ("0", "31"):
        with pytest.raises(SystemExit):
            architecture.parse(["--reruns", wrong])
        assert "it can be 1 to 30" in capsys.readouterr().err
