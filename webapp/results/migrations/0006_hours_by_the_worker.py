"""Hours that the worker adds up, as it does days: what is there already stays."""

from datetime import UTC, timedelta

from django.db import migrations, models
from django.db.models import Max
from django.utils import timezone

ONE_DAY = timedelta(days=1)
REST = timedelta(hours=2)
FIGURES = {
    "camera": ("", "n_results", "sum(n_results)"),
    "label": (
        ", bundle_id, label",
        "n_detections, n_tracks, peak",
        "sum(n_detections), sum(n_tracks), max(peak)",
    ),
    "zone": (", zone_id, bundle_id, label", "n_tracks", "sum(n_tracks)"),
}


def take_over(apps, schema_editor):
    """Forget the newest hours, which the worker adds up anew, and fold the days before them."""
    hours = apps.get_model("results", "CameraHour").objects
    if not hours.exists():
        return
    until = (timezone.now() - REST).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    midnight = until.replace(hour=0)
    last = apps.get_model("results", "FoldedDay").objects.aggregate(last=Max("day_at"))["last"]
    since = min(last + ONE_DAY, midnight) if last else None
    for of in FIGURES:
        newest = apps.get_model("results", f"{of}hour").objects.filter(hour_at__gte=until)
        newest.delete()
        days = apps.get_model("results", f"{of}day").objects
        (days.filter(day_at__gte=since) if since else days.all()).delete()
    fold_days(schema_editor.connection, since, midnight)
    apps.get_model("results", "Folded").objects.create(until=until)


def fold_days(connection, since, until):
    """Add up the hours of whole days from `since` on, or all."""
    as_kept = connection.ops.adapt_datetimefield_value
    is_postgres = connection.vendor == "postgresql"
    day = "date_trunc('day', hour_at, 'UTC')" if is_postgres else "date(hour_at) || ' 00:00:00'"
    for of, (keys, names, sums) in FIGURES.items():
        statement = (
            f"INSERT INTO results_{of}day (camera_id, day_at, organization_id{keys}, {names})"
            f" SELECT camera_id, {day}, organization_id{keys}, {sums} FROM results_{of}hour"
            " WHERE hour_at < %s"
            + (" AND hour_at >= %s" if since else "")
            + f" GROUP BY camera_id, {day}, organization_id{keys}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [as_kept(at) for at in (until, since) if at])


class Migration(migrations.Migration):
    dependencies = [("results", "0005_counts_of_zones_and_days")]

    operations = [
        migrations.CreateModel(
            name="Folded",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(take_over),
        migrations.DeleteModel("FoldedDay"),
    ]
