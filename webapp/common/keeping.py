"""How long each class of data is kept, and how what is older goes.

An app says in its `keeping` module which classes it has; the days are settings
(`FARWATCH_KEEP_<NAME>_DAYS`). Everything goes in small batches, each a transaction of its own, so
that nobody waits long for it, and so that it may be interrupted anywhere and go on later.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils.module_loading import autodiscover_modules

BATCH: Final = 500
"""Rows of one transaction, where they are small..."""
CAREFUL_BATCH: Final = 100
"""...and where each takes others along."""


Old: TypeAlias = Callable[[datetime], Iterable[QuerySet[Any]]]
"""Returns the rows that are older than an instant, in parts that an index finds."""


class Forget(Protocol):
    """Deletes some rows with all that is theirs, in the caller's transaction."""

    def __call__(self, rows: QuerySet[Any], /) -> None: ...


@dataclass(frozen=True)
class Kept:
    """One class of data."""

    name: str
    words: str
    models: tuple[type[Model], ...]
    """Whose tables are its disk."""
    count: Callable[[datetime], int]
    """How many rows are older than an instant."""
    forget: Callable[[datetime], Iterator[int]]
    """Deletes what is older than an instant; yields how many rows after each batch."""
    n_file_bytes: Callable[[], int] = lambda: 0
    """How many bytes of the store are its."""

    @property
    def days(self) -> int:
        """Return how long it is kept; 0: for ever."""
        return int(settings.KEEP_DAYS[self.name])

    def before(self, at: datetime) -> datetime | None:
        """Return the instant before which it goes, if ever."""
        return at - timedelta(days=self.days) if self.days else None


def rows_kept(
    name: str,
    words: str,
    models: tuple[type[Model], ...],
    old: Old,
    n_file_bytes: Callable[[], int] = lambda: 0,
    *,
    delete: Forget | None = None,
) -> Kept:
    """Return a class of data whose rows go one batch after the other.

    `delete` is for rows that leave something behind, such as files; without it they just go.
    """
    batch = BATCH if delete is None else CAREFUL_BATCH
    return Kept(
        name,
        words,
        models,
        count=lambda before: sum(rows.count() for rows in old(before)),
        forget=lambda before: (
            n_rows for rows in old(before) for n_rows in forget_rows(rows, delete, batch=batch)
        ),
        n_file_bytes=n_file_bytes,
    )


def forget_rows(
    rows: QuerySet[Any], delete: Forget | None = None, *, batch: int = BATCH
) -> Iterator[int]:
    """Delete rows, a batch and transaction at a time; yields how many each time."""
    all_rows = rows.model._default_manager  # noqa: SLF001 - Django's door
    while keys := list(rows.order_by().values_list("pk", flat=True)[:batch]):
        some = all_rows.filter(pk__in=keys)
        with transaction.atomic():
            if delete is None:
                some.delete()
            else:
                delete(some)
        yield len(keys)
        if len(keys) < batch:
            return


_classes: dict[str, Kept] = {}


def keeps(kept: Kept) -> None:
    """Register a class of data."""
    if kept.name in _classes:
        raise ValueError(f"two apps keep {kept.name!r}")
    _classes[kept.name] = kept


def all_kept() -> list[Kept]:
    """Return every class of data, as the apps' `keeping` modules name them."""
    autodiscover_modules("keeping")
    return list(_classes.values())


class Forgotten(NamedTuple):
    """What one batch was."""

    name: str
    n_rows: int


def forget_old(at: datetime) -> Iterator[Forgotten]:
    """Delete what has been kept for its days; yields after each batch."""
    for kept in all_kept():
        before = kept.before(at)
        if before is not None:
            for n_rows in kept.forget(before):
                yield Forgotten(kept.name, n_rows)


def count_old(kept: Kept, at: datetime) -> int:
    """Return how many rows would go."""
    before = kept.before(at)
    return kept.count(before) if before is not None else 0


def n_table_bytes(kept: Kept) -> int:
    """Return how much disk the tables of a class use, with their indexes."""
    tables = [model._meta.db_table for model in kept.models]  # noqa: SLF001 - Django's door
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT coalesce(sum(pg_total_relation_size(coalesce(relid, name::regclass))), 0)"
                " FROM unnest(%s::text[]) AS tables (name)"
                " LEFT JOIN LATERAL pg_partition_tree(name::regclass) ON true",
                [tables],
            )
        else:
            marks = ", ".join("%s" for _ in tables)
            cursor.execute(
                "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN"  # noqa: S608 - constants only
                f" (SELECT name FROM sqlite_master WHERE tbl_name IN ({marks}))",
                tables,
            )
        return int(cursor.fetchone()[0])
