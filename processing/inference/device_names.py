"""Names of devices as OpenVINO writes them, and lists of them."""

from typing import Final

LAST_RESORT: Final = "CPU"
"""Every machine has one."""


def device_names(setting: str) -> tuple[str, ...]:
    """Return the devices that a setting like `GPU`, `CPU,GPU` or `AUTO:GPU,CPU` names.

    As in OpenVINO all that follows a colon belongs to one name, commas too. Whatever is named twice
    counts once; raise `ValueError` if nothing is named.
    """
    plain, colon, choice = setting.partition(":")
    names = [name.strip() for name in plain.split(",")]
    if colon:
        names[-1] += f":{choice.strip()}"
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise ValueError("no device is named: CPU, GPU, NPU or AUTO")
    return found
