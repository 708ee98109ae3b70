"""A hub of before results had days, with results in it, brought up to date; says what is there.

`DATABASE_URL` names an empty database. Prints JSON: the results before and after, what else counts.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

from webapp.env import default_settings_module

BEFORE = [("results", "0002_hours"), ("fleet", "0002_scenes_and_policies")]
INSTANTS = ("2026-10-31 23:59:59.999999+00", "2026-11-01 00:00:00+00", "2026-11-03 12:00:00.5+00")


def rows(apps: Any) -> list[list[str]]:
    found = apps.get_model("results", "Result").objects.order_by("id").values_list()
    return [[bytes(v).hex() if isinstance(v, memoryview) else str(v) for v in row] for row in found]


def counts(apps: Any, length: str) -> list[list[str | int]]:
    found = apps.get_model("results", f"Camera{length}").objects.order_by(f"{length}_at")
    return [[str(at), n] for at, n in found.values_list(f"{length}_at", "n_results")]


def main() -> None:
    default_settings_module()
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - after the set-up
    from django.db import connection  # noqa: PLC0415 - same
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415 - same

    from webapp.results.partitions import days_before  # noqa: PLC0415 - same

    executor = MigrationExecutor(connection)
    old = executor.migrate(BEFORE).apps
    at = INSTANTS[0]
    organization = old.get_model("accounts", "Organization").objects.create(name="Acme")
    theirs = {"organization_id": organization.pk}
    fleet = {name: old.get_model("fleet", name) for name in ("Site", "Agent", "Camera", "Bundle")}
    site = fleet["Site"].objects.create(name="Harbour", **theirs)
    agent = fleet["Agent"].objects.create(
        site=site, name="Quay", public_key=b"1" * 32, enrolled_at=at, **theirs
    )
    camera = fleet["Camera"].objects.create(agent=agent, name="Gate", source="file:a", **theirs)
    bundle = fleet["Bundle"].objects.create(digest="0", name="b", first_seen_at=at, **theirs)
    for seq, captured_at in enumerate(INSTANTS, 1):
        old.get_model("results", "Result").objects.create(
            agent=agent, camera=camera, bundle=bundle, epoch=1, seq=seq, captured_at=captured_at,
            received_at=captured_at, latency_ms=1.5, n_detections=1, detections=b"x" * 16, **theirs,
        )  # fmt: skip
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = (datetime(2026, 10, 31, 22, tzinfo=UTC) + n * timedelta(hours=1) for n in range(3))
    for n_results, hour_at in enumerate((*hours, now), 1):
        old.get_model("results", "CameraHour").objects.create(
            camera=camera, hour_at=hour_at, n_results=n_results, **theirs
        )
    before = rows(old)
    call_command("migrate", "results", verbosity=0)
    new = MigrationExecutor(connection).loader.project_state().apps
    after = rows(new)
    added = new.get_model("results", "Result").objects.create(
        agent_id=agent.pk, camera_id=camera.pk, bundle_id=bundle.pk, epoch=1, seq=9,
        captured_at=INSTANTS[2], received_at=at, latency_ms=1, n_detections=0, detections=b"",
        **theirs,
    )  # fmt: skip
    said = {
        "before": before,
        "after": after,
        "next_id": added.pk,
        "tables": connection.introspection.table_names(),
        "days": [str(day) for day in days_before(date.max)],
        "hours": counts(new, "hour"),
        "counted_days": counts(new, "day"),
        "is_folded": new.get_model("results", "Folded").objects.get().until < now,
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
