"""A hub of before items had several labelers, in the middle of work, brought up to date.

`DATABASE_URL` names an empty database. Prints JSON: what is there after, and what can be done.
"""

import json
import sys
from datetime import timedelta
from typing import Any, Final

import django

from webapp.env import default_settings_module

BEFORE: Final = [
    ("review", "0002_leases_and_undo"),
    ("datasets", "0002_sample_newest_first"),
    ("fleet", "0002_scenes_and_policies"),
]
AT: Final = "2026-11-22 18:00:00+00:00"
LATER: Final = "2026-11-22 18:10:00+00:00"


def fill(apps: Any) -> None:
    """Write work in every state that there was: of Bob's verdicts one was taken back."""
    get = apps.get_model
    organization = get("accounts", "Organization").objects.create(name="Acme")
    theirs = {"organization_id": organization.pk}
    people = {
        name: get("accounts", "User").objects.create(username=name) for name in ("bob", "bea")
    }
    for user in people.values():
        get("accounts", "Membership").objects.create(
            user=user, organization=organization, role="labeler"
        )
    site = get("fleet", "Site").objects.create(name="Harbour", **theirs)
    agent = get("fleet", "Agent").objects.create(
        site=site, name="Quay", public_key=b"1" * 32, enrolled_at=AT, **theirs
    )
    camera = get("fleet", "Camera").objects.create(
        agent=agent, name="Gate", source="file:a", **theirs
    )
    bundle = get("fleet", "Bundle").objects.create(
        digest="0", name="b", labels=["person"], first_seen_at=AT, **theirs
    )
    picture = get("media", "Blob").objects.create(
        sha256="0" * 64, size=1, content_type="image/jpeg", created_at=AT, **theirs
    )
    queue = get("review", "ReviewQueue").objects.create(name="Doubtful pictures", **theirs)

    def item(seq: int, state: str, **fields: Any) -> Any:
        sample = get("datasets", "Sample").objects.create(
            agent=agent, camera=camera, bundle=bundle, epoch=1, seq=seq, captured_at=AT,
            received_at=AT, reason="low_confidence", score=0.3, width=64, height=64,
            picture=picture, predictions=b"", state="ready", **theirs,
        )  # fmt: skip
        return get("review", "ReviewItem").objects.create(
            sample=sample, queue=queue, state=state, created_at=AT, **fields, **theirs
        )

    def decide(item: Any, outcome: str, by: str, *, is_current: bool = True, **fields: Any) -> None:
        annotation = None
        if outcome in {"accepted", "corrected"}:
            annotation = get("datasets", "Annotation").objects.create(
                sample=item.sample, author=people[by], created_at=AT, is_current=is_current,
                boxes=[{"xyxy": [0.1, 0.1, 0.5, 0.5], "label": "person"}], **theirs,
            )  # fmt: skip
        get("review", "Verdict").objects.create(
            item=item, by=people[by], outcome=outcome, annotation=annotation, created_at=AT,
            seconds=3.0, **fields, **theirs,
        )  # fmt: skip

    fresh, passed, held = (item(seq, "open") for seq in (1, 2, 3))
    decide(passed, "passed", "bob")
    decide(held, "corrected", "bob", is_current=False, undone_at=LATER)
    get("review", "Lease").objects.create(
        item=held, holder=people["bob"], claimed_at=AT, expires_at=LATER, **theirs
    )
    decide(item(4, "done", revision=1), "accepted", "bob")
    decide(item(5, "ambiguous", revision=1), "ambiguous", "bea")
    assert fresh.state == "open"


def said() -> dict[str, Any]:
    """Return what is there now, by the number of each item, and go on working with it."""
    from django.utils.dateparse import parse_datetime  # noqa: PLC0415 - after the set-up

    from webapp.accounts.models import User  # noqa: PLC0415 - same
    from webapp.review.actions import claim_next, undo_verdict  # noqa: PLC0415 - same
    from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict  # noqa: PLC0415 - same
    from webapp.review.standing import standings  # noqa: PLC0415 - same

    at = parse_datetime(LATER)
    assert at is not None
    items = ReviewItem.objects.order_by("sample__seq")
    fields = ("sample__seq", "state", "n_labelers", "n_decided", "revision", "is_returned")
    verdicts = Verdict.objects.order_by("item__sample__seq")
    found: dict[str, Any] = {
        "items": list(items.values_list(*fields)),
        "verdicts": list(
            verdicts.values_list(
                "item__sample__seq", "outcome", "undone_as", "undone_by__username", "error"
            )
        ),
        "leases": list(Lease.objects.values_list("item__sample__seq", "holder__username")),
    }
    queue, bob = ReviewQueue.objects.get(), User.objects.get(username="bob")
    n_decided = {one.name: one.n_decided for one in standings(queue, since=at - timedelta(days=1))}
    found["bob_decided"] = n_decided["bob"]
    found["gold_share"] = queue.gold_share
    reopened = undo_verdict(verdict=verdicts.get(item__sample__seq=4), by=bob, at=at)
    found["reopened"] = [reopened.state, reopened.n_decided]
    claimed = claim_next(queue=queue, by=User.objects.get(username="bea"), at=at)
    found["claimed"] = claimed and claimed.sample.seq
    return found


def main() -> None:
    default_settings_module()
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - after the set-up
    from django.db import connection  # noqa: PLC0415 - same
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415 - same

    fill(MigrationExecutor(connection).migrate(BEFORE).apps)
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps(said()))


if __name__ == "__main__":
    main()
