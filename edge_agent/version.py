"""What this program calls itself towards a hub."""

from importlib.metadata import PackageNotFoundError, version


def software() -> str:
    """Return name and version."""
    try:
        return f"farwatch {version('farwatch')}"
    except PackageNotFoundError:
        return "farwatch (not installed)"
