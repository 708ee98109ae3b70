"""A setting names devices as OpenVINO does."""

import pytest

from processing.inference.device_names import device_names


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("CPU", ("CPU",)),
        ("GPU, CPU", ("GPU", "CPU")),
        ("GPU,GPU", ("GPU",)),
        ("AUTO", ("AUTO",)),
        ("AUTO:GPU,CPU", ("AUTO:GPU,CPU",)),
        ("NPU,AUTO:GPU,CPU", ("NPU", "AUTO:GPU,CPU")),
        ("GPU.1,", ("GPU.1",)),
    ],
)
def test_it_works(setting: str, names: tuple[str, ...]) -> None:
    assert device_names(setting) == names


def test_nothing_is_no_device() -> None:
    with pytest.raises(ValueError, match="no device"):
        device_names(" , ")
