"""The pages of batches: all of them, one of them with its pictures, and beginning one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from processing.wire.batch import BadShard
from processing.wire.packed import BadDetections
from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.batches.actions import FILE, NoPictures, NotAwaited, begin_upload
from webapp.batches.batch_rows import BatchRow, batch_rows, class_bars
from webapp.batches.drawing import drawn_pictures
from webapp.batches.exporting import CONTENT_TYPES
from webapp.batches.listing import folders_of
from webapp.batches.models import Batch
from webapp.batches.places import PictureGone, opened_places
from webapp.batches.queries import bundles_at_hand, failed_pictures, item_of, pictures_of
from webapp.batches.steering import (
    NotNow,
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_batch,
)
from webapp.batches.uploads import MAX_BYTES, VALID_FOR, BadUpload, read_token
from webapp.batches.wishes import DEFAULT_MIN_SCORE
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.common.problems import problem, problem_http
from webapp.fleet.models import Camera
from webapp.jobs.queries import has_live_worker
from webapp.media.actions import drop_unused, put_chunks
from webapp.media.queries import BlobLost

PAGE_SIZE: Final = 20
PICTURES: Final = 24
"""On one page of a batch's pictures."""
FAILURES: Final = 20
"""Told on the page: each may be in a file of its own, which is read whenever it is renewed."""
_CHUNK_BYTES: Final = 256 * 1024
_PNG: Final = b"\x89PNG"
_ACTS: Final[dict[str, Callable[..., Batch]]] = {
    "pause": pause_batch,
    "resume": resume_batch,
    "cancel": cancel_batch,
    "retry": retry_batch,
}


class _Place(forms.Form):
    """Where a page begins."""

    after = forms.UUIDField(required=False)
    first = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    number = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


@require_safe
def batches(request: HttpRequest) -> HttpResponse:
    """Show the batches, newest first; htmx gets the list alone."""
    user = actor_of(request)
    after = _place(request, "after")
    rows = Batch.objects.for_actor(user).select_related("created_by", "organization")
    if after is not None:
        rows = rows.filter(pk__lt=after)  # ids rise with time
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "rows": _rows(request, shown),
        "after": after,
        "older": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "names_organization": len({batch.organization_id for batch in shown}) > 1,
        "may_begin": organizations_where(user, Role.OPERATOR).exists(),
        "is_worker_missing": any(not batch.is_over for batch in shown)
        and not has_live_worker(at=now()),
    }
    return page(request, "batches/batches.html", context, part="batches/_batches.html")


@require_safe
@requires(Role.OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """Show the form that begins a batch; its script sends it to the API."""
    user = actor_of(request)
    organizations = list(organizations_where(user, Role.OPERATOR))
    cameras = Camera.objects.for_actor(user, Role.OPERATOR).order_by("name")
    context = {
        "bundles": bundles_at_hand(),
        "organizations": organizations if len(organizations) > 1 else (),
        "folders": sorted({name for place in organizations for name in folders_of(place)}),
        "cameras": cameras[:200],
        "min_score": DEFAULT_MIN_SCORE,
        "most_bytes": MAX_BYTES,
        "nobody": UUID(int=0),
    }
    return page(request, "batches/new.html", context)


@require_safe
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Show one batch; htmx gets what changes while it runs."""
    shown = _batch(request, batch_id)
    (row,) = _rows(request, [shown])
    bars, n_more = class_bars(shown)
    with _readable():
        failures = list(failed_pictures(shown, most=FAILURES)) if shown.n_failed else []
    context = {
        "row": row,
        "bars": bars,
        "n_more_classes": n_more,
        "failures": failures,
        "n_more_failures": max(shown.n_failed - len(failures), 0),
        "formats": list(CONTENT_TYPES),
    }
    return page(request, "batches/batch.html", context, part="batches/_progress.html")


@require_safe
def pictures(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Show some pictures of a batch with what was found in them."""
    shown = _batch(request, batch_id)
    first = _place(request, "first")
    first = first if isinstance(first, int) else 0
    with _readable():
        found = list(drawn_pictures(shown, pictures_of(shown, first=first, most=PICTURES)))
    context = {
        "batch": shown,
        "pictures": found,
        "first": first,
        "last": first + len(found),
        "before": max(first - PICTURES, 0) if first else None,
        "next": first + PICTURES if first + PICTURES < shown.n_items else None,
    }
    return page(request, "batches/_pictures.html", context)


@require_safe
def picture(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Answer with the bytes of one picture (`number`), as they were sent or kept."""
    shown = _batch(request, batch_id)
    number = _place(request, "number")
    with _readable():
        item = item_of(shown, number if isinstance(number, int) else 0)
    if item is None:
        raise Http404
    try:
        with opened_places(shown) as places:
            content = places.read(item)
    except PictureGone as gone:
        raise Http404(str(gone)) from gone
    kind = "image/png" if content.startswith(_PNG) else "image/jpeg"
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_POST
@requires(Role.OPERATOR)
def steer(request: HttpRequest, batch_id: UUID, act: str) -> HttpResponse:
    """Pause a batch, go on with it, end it, or look again at what failed."""
    mine = Batch.objects.for_actor(actor_of(request), Role.OPERATOR)
    shown = get_object_or_404(mine, pk=batch_id)
    try:
        _ACTS[act](shown, at=now())
    except NotNow as error:
        messages.warning(request, str(error))
    if not is_htmx(request):
        return redirect("batch", batch_id=batch_id)
    # What is shown fetches itself anew, so that it is that of the page.
    renew = '{"fw:jobs": {"target": "body"}}'
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": renew})


@require_POST
@requires(Role.OPERATOR)
def upload(request: HttpRequest, token: str) -> HttpResponse:
    """Take the pictures of a batch from the very person who began it."""
    user = actor_of(request)
    try:
        batch_id = read_token(token, max_age=2 * VALID_FOR)  # it was newer when the file began
    except BadUpload as error:
        raise Http404 from error
    own = Batch.objects.for_actor(user, Role.OPERATOR).filter(created_by=user)
    awaiting = get_object_or_404(own.select_related("organization"), pk=batch_id)
    try:
        begun = _begun(awaiting, request)
    except NotAwaited as error:
        return problem_http(problem(HTTPStatus.CONFLICT, code="not-awaited", detail=str(error)))
    except NoPictures as error:
        return problem_http(problem(HTTPStatus.BAD_REQUEST, code="no-pictures", detail=str(error)))
    answer = JsonResponse({"id": str(begun.pk), "state": begun.state}, status=HTTPStatus.ACCEPTED)
    answer["Location"] = reverse("batch-detail", args=[begun.pk])
    return answer


def _begun(awaiting: Batch, request: HttpRequest) -> Batch:
    """Store the request's body as the batch's file and begin; what is refused is not kept."""
    if awaiting.state != Batch.State.AWAITED:
        raise NotAwaited
    file = put_chunks(
        _chunks(request), content_type=FILE, organization=awaiting.organization, at=now()
    )
    try:
        return begin_upload(awaiting, file=file, at=now())
    except (NotAwaited, NoPictures):
        drop_unused([file.pk])
        raise


@contextmanager
def _readable() -> Iterator[None]:
    """Say that nothing is there of what the store has lost."""
    try:
        yield
    except (BlobLost, BadShard, BadDetections) as error:
        raise Http404("What came of it is not in the store any more.") from error


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(_CHUNK_BYTES):
        yield chunk


def _batch(request: HttpRequest, batch_id: UUID) -> Batch:
    mine = Batch.objects.for_actor(actor_of(request))
    return get_object_or_404(mine.select_related("created_by", "organization", "file"), pk=batch_id)


def _rows(request: HttpRequest, shown: list[Batch]) -> list[BatchRow]:
    mine = Batch.objects.for_actor(actor_of(request), Role.OPERATOR)
    steerable = set(mine.filter(pk__in=[each.pk for each in shown]).values_list("pk", flat=True))
    return batch_rows(shown, steerable=steerable, at=now())


def _place(request: HttpRequest, name: str) -> UUID | int | None:
    """Return where a page begins; what is no place is as good as none."""
    place = _Place(request.GET)
    place.is_valid()
    found: UUID | int | None = place.cleaned_data.get(name)
    return found
