"""What can be wrong with a camera's pictures, as events call it."""

from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "picture_frozen",
    "picture_covered",
    "picture_moved",
    "picture_defocused",
    "picture_dark",
    "picture_bright",
    "picture_flat",
    "picture_blurred",
    "picture_noisy",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

WORDS: Final[dict[Kind, str]] = {
    "picture_frozen": "Picture stands still",
    "picture_covered": "Lens covered",
    "picture_moved": "Camera moved",
    "picture_defocused": "Out of focus",
    "picture_dark": "Too dark",
    "picture_bright": "Too bright",
    "picture_flat": "Low contrast",
    "picture_blurred": "Blurred",
    "picture_noisy": "Noisy",
}
"""Each in a few words, for lists."""
