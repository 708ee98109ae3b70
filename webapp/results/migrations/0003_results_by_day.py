"""Results by day on PostgreSQL, with fewer indexes and no foreign keys on both databases."""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

from webapp.results.partitions import ensure_days, make_ahead

COLUMNS = (
    "id, organization_id, agent_id, camera_id, bundle_id, epoch, seq,"
    " captured_at, received_at, latency_ms, n_detections, detections"
)
ASIDE = "ALTER TABLE results_result RENAME TO results_result_before"
BACK = f"INSERT INTO results_result ({COLUMNS}) SELECT {COLUMNS} FROM results_result_before"
INDEXES = ("result_by_camera", "result_by_organization")


class MoveResults(migrations.SeparateDatabaseAndState):
    """Builds the table anew and moves the rows: one pass, where each altered column makes one."""

    reversible = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            partition(schema_editor)
        else:
            rebuild(schema_editor, to_state.apps.get_model(app_label, "Result"))


def rebuild(schema_editor, result):
    schema_editor.execute(ASIDE)
    for index in INDEXES:
        schema_editor.execute(f"DROP INDEX {index}")
    schema_editor.create_model(result)
    schema_editor.execute(BACK)
    schema_editor.execute("DROP TABLE results_result_before")


def partition(schema_editor):
    schema_editor.execute(ASIDE)
    for index in INDEXES:
        schema_editor.execute(f"DROP INDEX {index}")
    schema_editor.execute("ALTER TABLE results_result_before DROP CONSTRAINT result_once")
    schema_editor.execute("ALTER TABLE results_result_before ALTER id DROP IDENTITY IF EXISTS")
    schema_editor.execute(
        "CREATE TABLE results_result (LIKE results_result_before INCLUDING CONSTRAINTS)"
        " PARTITION BY RANGE (captured_at)"
    )
    # A partitioned table has no identity columns before PostgreSQL 17.
    schema_editor.execute("CREATE SEQUENCE results_result_id_seq OWNED BY results_result.id")
    schema_editor.execute(
        "ALTER TABLE results_result ALTER id SET DEFAULT nextval('results_result_id_seq')"
    )
    schema_editor.execute(
        "SELECT setval('results_result_id_seq', (SELECT coalesce(max(id), 0) + 1"
        " FROM results_result_before), false)"
    )
    schema_editor.execute(
        "ALTER TABLE results_result ADD CONSTRAINT result_once"
        " UNIQUE (camera_id, captured_at, epoch, seq)"
    )
    schema_editor.execute(
        "CREATE INDEX result_by_organization ON results_result (organization_id, captured_at)"
    )
    # For what has no camera: all of an hour, and the one with an id. A few bytes for 32 pages.
    schema_editor.execute(
        "CREATE INDEX result_by_time ON results_result USING brin (captured_at, id)"
        " WITH (pages_per_range = 32, autosummarize = on)"
    )
    at = timezone.now()
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (captured_at AT TIME ZONE 'UTC')::date FROM results_result_before"
        )
        ensure_days([row[0] for row in cursor.fetchall()], today=at.date())
    make_ahead(at)
    schema_editor.execute(BACK)
    schema_editor.execute("DROP TABLE results_result_before")
    # The same few rows are updated many times a minute: leave them room on their page.
    for table in ("cameraminute", "labelminute", "camerahour", "labelhour"):
        schema_editor.execute(f"ALTER TABLE results_{table} SET (fillfactor = 70)")


def points_at(model, on_delete):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=on_delete, related_name="+", to=model
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("fleet", "0001_initial"),
        ("results", "0002_hours"),
    ]

    operations = [
        MoveResults(
            state_operations=[
                migrations.RemoveConstraint(model_name="result", name="result_once"),
                migrations.RemoveIndex(model_name="result", name="result_by_camera"),
                *(
                    migrations.AlterField("result", name, points_at(model, on_delete))
                    for name, model, on_delete in (
                        ("organization", "accounts.organization", models.deletion.DO_NOTHING),
                        ("agent", "fleet.agent", models.deletion.DO_NOTHING),
                        ("camera", "fleet.camera", models.deletion.CASCADE),
                        ("bundle", "fleet.bundle", models.deletion.PROTECT),
                    )
                ),
                migrations.AddConstraint(
                    model_name="result",
                    constraint=models.UniqueConstraint(
                        fields=("camera", "captured_at", "epoch", "seq"), name="result_once"
                    ),
                ),
            ]
        ),
    ]
