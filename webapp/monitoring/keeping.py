"""How long it is kept what pictures were like, and where they were judged."""

from webapp.common.keeping import keeps, rows_kept
from webapp.monitoring.models import FeatureHour, FeatureMinute, OverflowHour
from webapp.results.keeping import of_cameras

keeps(
    rows_kept(
        "features", "What pictures were like, by minute", (FeatureMinute,),
        of_cameras("begins_at", FeatureMinute),
    )
)  # fmt: skip
keeps(
    rows_kept(
        "feature_hours", "What pictures were like, by hour", (FeatureHour,),
        of_cameras("begins_at", FeatureHour),
    )
)  # fmt: skip
keeps(
    rows_kept(
        "overflow", "What was judged where, by hour", (OverflowHour,),
        of_cameras("begins_at", OverflowHour),
    )
)  # fmt: skip
