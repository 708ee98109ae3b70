"""What people draw over a camera's picture: one document, saved as a whole."""

from typing import Annotated

from msgspec import Meta, Struct

from processing.wire.camera import Privacy, Region
from processing.wire.fields import Polygon
from processing.wire.limits import MAX_ZONES
from processing.wire.scene import Scene
from webapp.fleet.models import Camera


class Drawing(Struct, frozen=True, kw_only=True):
    """Zones, lines and rules, the part that is looked at, and the parts that nobody may see."""

    revision: Annotated[int, Meta(ge=0)]
    """Of the drawing that this one was made from; see `Camera.drawing_revision`."""
    scene: Scene = Scene()
    region: Region = Region()
    privacy_zones: Annotated[tuple[Polygon, ...], Meta(max_length=MAX_ZONES)] = ()

    @classmethod
    def of(cls, camera: Camera) -> "Drawing":
        """Return what is drawn over a camera's picture now."""
        wanted = camera.desired()
        return cls(
            revision=camera.drawing_revision,
            scene=wanted.scene,
            region=wanted.region,
            privacy_zones=wanted.privacy.zones,
        )

    def privacy(self, camera: Camera) -> Privacy:
        """Return these zones with what else the camera hides."""
        return Privacy(zones=self.privacy_zones, hides_faces=camera.desired().privacy.hides_faces)
