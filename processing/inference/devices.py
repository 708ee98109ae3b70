"""What networks can run on here."""

import openvino  # type: ignore[import-untyped]  # it ships no types


def installed_devices() -> dict[str, str]:
    """Return OpenVINO's name of each device (CPU, GPU.0, NPU) with the maker's."""
    runtime = openvino.Core()
    return {
        name: str(runtime.get_property(name, "FULL_DEVICE_NAME"))
        for name in runtime.available_devices
    }


def lacking(wanted: str, installed: tuple[str, ...]) -> list[str]:
    """Return the devices that a setting names and that are not there.

    The setting is one device or several with commas, as in "GPU,CPU" or "AUTO:GPU,CPU"; GPU means
    any of GPU.0, GPU.1; AUTO, MULTI and HETERO choose among what there is.
    """
    names = [name.strip().rpartition(":")[2].upper() for name in wanted.split(",")]
    present = {name.upper() for name in installed} | {
        name.upper().partition(".")[0] for name in installed
    }
    virtual = {"AUTO", "MULTI", "HETERO", ""}
    return [name for name in names if name not in present and name not in virtual]
