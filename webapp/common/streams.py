"""Answers that are made while they are sent, piece by piece, also under ASGI."""

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import chain

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


async def in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces as the request's thread makes them.

    Of a plain iterator Django would make a list first: all of it in memory.
    """
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


class Streamed(StreamingHttpResponse):
    """What a generator makes, closed with the answer, read or not.

    The first piece is made at once, so that what is wrong with a request is still said in words.
    """

    def __init__(self, pieces: Generator[bytes], *, content_type: str) -> None:
        first = next(pieces)
        super().__init__(chain((first,), pieces), content_type=content_type)
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return in_thread(iter(self))

    def close(self) -> None:
        self._pieces.close()
        super().close()
