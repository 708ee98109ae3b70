"""Exports are of any format now: those that are there keep their files."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def rename(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's
    apps.get_model("jobs", "Job").objects.filter(kind="export_coco").update(kind="export_set")


def rename_back(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's
    apps.get_model("jobs", "Job").objects.filter(kind="export_set").update(kind="export_coco")


class Migration(migrations.Migration):
    dependencies = (
        ("datasets", "0004_pictures_from_elsewhere"),
        ("jobs", "0004_trying_again"),
    )
    operations = (migrations.RunPython(rename, rename_back),)
