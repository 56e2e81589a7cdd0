"""What makes the runs of a group comparable: one number format, and names by what differs."""

from cnnlab.jobs.comparable import in_one_format, names_within
from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from tests.unit.run_server import CONFIG


def test_all_runs_of_a_group_use_one_number_format() -> None:
    fast, slow = CONFIG, CONFIG.replace(batch_size=2)
    fixed = CONFIG.replace(precision="bfloat16")

    def formats(*configs: RunConfig, **found: str) -> list[str]:
        def estimate(config: RunConfig) -> Estimate | None:
            name = found.get("fast" if config == fast else "slow")
            return None if name is None else Estimate(precision=name)

        return [config.precision for config in in_one_format(configs, estimate)]

    assert formats(fast, slow) == ["float32"] * 2
    assert formats(fast, slow, fast="bfloat16") == ["float32"] * 2
    assert formats(fast, slow, fast="bfloat16", slow="float32") == ["float32"] * 2
    assert formats(fast, slow, fast="bfloat16", slow="bfloat16") == ["bfloat16"] * 2
    assert formats(fast, fixed) == ["float32", "bfloat16"]


def test_names_say_what_differs_and_are_never_too_long() -> None:
    bn = CONFIG.options.replace(batch_norm=True)
    configs = [CONFIG, CONFIG.replace(options=bn), CONFIG.replace(lr=0.5)]
    names = names_within("n" * 80, configs)
    assert len(set(names)) == 3
    assert all(len(name) <= 80 for name in names)
    assert names[1].endswith(f", learning rate {CONFIG.lr:g}, batch norm")
    assert names_within("two", configs[:2], ["with", "without"]) == ["two, with", "two, without"]
    assert names_within("same", [CONFIG, CONFIG]) == ["same, run 1", "same, run 2"]
