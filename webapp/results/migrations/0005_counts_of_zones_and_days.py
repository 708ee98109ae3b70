"""Counts of zones, and of days; counts no longer have the database look up what they point at."""

from django.db import migrations, models


def points_at(model, on_delete=models.CASCADE):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=on_delete, related_name="+", to=model
    )


CAMERA, ORGANIZATION = "fleet.camera", "accounts.organization"


def make(of, begins_at, fields, *, key):
    """Return a table of counts whose rows have this key."""
    length = begins_at.removesuffix("_at")
    return migrations.CreateModel(
        name=f"{of}{length.title()}",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("camera", points_at(CAMERA)),
            ("organization", points_at(ORGANIZATION)),
            (begins_at, models.DateTimeField()),
            *fields,
        ],
        options={
            "constraints": [models.UniqueConstraint(fields=key, name=f"{of.lower()}_{length}_once")]
        },
    )


def of_class(*fields):
    return (
        ("bundle", points_at("fleet.bundle", models.PROTECT)),
        ("label", models.PositiveSmallIntegerField()),
        ("n_tracks", models.PositiveIntegerField()),
        *fields,
    )


def of_zone(begins_at):
    return make(
        "Zone",
        begins_at,
        of_class(("zone_id", models.UUIDField())),
        key=("camera", begins_at, "zone_id", "bundle", "label"),
    )


def leave_room(apps, schema_editor):
    """The same few rows are updated many times a minute: leave them room on their page."""
    if schema_editor.connection.vendor == "postgresql":
        for table in ("zoneminute", "zonehour"):
            schema_editor.execute(f"ALTER TABLE results_{table} SET (fillfactor = 70)")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_wrong_passwords"),
        ("fleet", "0003_slowed_agents"),
        ("results", "0004_archived_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="FoldedDay",
            fields=[("day_at", models.DateTimeField(primary_key=True, serialize=False))],
        ),
        make(
            "Camera",
            "day_at",
            [("n_results", models.PositiveIntegerField())],
            key=("camera", "day_at"),
        ),
        make(
            "Label",
            "day_at",
            of_class(
                ("n_detections", models.PositiveBigIntegerField()),
                ("peak", models.PositiveSmallIntegerField()),
            ),
            key=("camera", "day_at", "bundle", "label"),
        ),
        *(of_zone(begins_at) for begins_at in ("minute_at", "hour_at", "day_at")),
        # A day's sum of 24 hours may be more than an hour's column holds.
        *(
            migrations.AlterField(of, "n_tracks", models.PositiveBigIntegerField())
            for of in ("labelday", "zoneday")
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
        # One index finds a minute's classes whatever bundle had them, as it does an hour's.
        migrations.RemoveConstraint("labelminute", "label_minute_once"),
        *(
            migrations.AlterField(of, field, points_at(to))
            for of in ("cameraminute", "camerahour", "labelminute", "labelhour")
            for field, to in (("camera", CAMERA), ("organization", ORGANIZATION))
        ),
        *(
            migrations.AlterField(of, "bundle", points_at("fleet.bundle", models.PROTECT))
            for of in ("labelminute", "labelhour")
        ),
        migrations.AddConstraint(
            "labelminute",
            models.UniqueConstraint(
                fields=("camera", "minute_at", "bundle", "label"), name="label_minute_once"
            ),
        ),
    ]
