"""Cameras that answer on the agent's network, by WS-Discovery as ONVIF has it: suggestions only.

One question goes out by multicast; whoever is a camera answers for itself. Nothing that an answer
says is opened or believed: a person decides what to do with it. Answers come from anybody on the
network, so they are small, few, and never read by a parser that knows entities.
"""

import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

import structlog

from processing.wire.limits import MAX_NAME, MAX_TEXT
from processing.wire.messages import FoundCamera

MULTICAST: Final = ("239.255.255.250", 3702)
EVERY_S: Final = 600.0
_ANSWER_WITHIN_S: Final = 3.0
_MAX_ANSWER_BYTES: Final = 16_384
_MAX_ANSWERS: Final = 512
_MAX_FOUND: Final = 64
_MAX_ELEMENTS: Final = 200

_DISCOVERY: Final = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_SCOPE: Final = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/(.+)", re.IGNORECASE)
_PROBE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<e:Header><w:MessageID>uuid:{message_id}</w:MessageID>
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body>
</e:Envelope>"""

log = structlog.get_logger()


def probe(
    timeout_s: float = _ANSWER_WITHIN_S, *, target: tuple[str, int] = MULTICAST
) -> tuple[FoundCamera, ...]:
    """Ask who is a camera, and return who answers in time, by address; at most 64.

    A multicast goes out where the machine's route for it leads: one network of several.
    Raise `OSError` if the question cannot be sent.
    """
    found: dict[str, FoundCamera] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)  # this network only
        asker.sendto(_PROBE.format(message_id=uuid4()).encode(), target)
        for answer, sender in _answers(asker, timeout_s):
            camera = camera_of(answer, sender)
            if camera is not None and len(found) < _MAX_FOUND:
                found.setdefault(camera.address, camera)
    return tuple(found[address] for address in sorted(found))


def camera_of(answer: bytes, sender: str) -> FoundCamera | None:
    """Return the camera that an answer is about; None if it is not an answer of a camera.

    Its address is the sender's, whatever it says: one machine does not speak for another.
    """
    elements = _elements(answer)
    addresses = _words(elements, "XAddrs")
    scopes = _words(elements, "Scopes")
    types = _words(elements, "Types")
    if not any(word.endswith("NetworkVideoTransmitter") for word in types):
        return None
    told = {
        match[1].lower(): unquote(match[2])
        for match in map(_SCOPE.fullmatch, reversed(scopes))
        if match
    }
    service = next((url for url in addresses if _is_at(url, sender)), "")
    return FoundCamera(
        address=sender[:MAX_NAME],
        name=_printable(told.get("name", "")),
        hardware=_printable(told.get("hardware", "")),
        service=service[:MAX_TEXT],
    )


class Discovery:
    """Probes at once and then every ten minutes, in a thread of its own."""

    def __init__(
        self,
        found_are: Callable[[tuple[FoundCamera, ...]], None],
        *,
        every_s: float = EVERY_S,
        target: tuple[str, int] = MULTICAST,
        answer_within_s: float = _ANSWER_WITHIN_S,
    ) -> None:
        self._answer_within_s = answer_within_s
        self._found_are = found_are
        self._every_s = every_s
        self._target = target
        self._stop = threading.Event()
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="discovery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End; a probe that has begun may take its three seconds."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._found_are(probe(self._answer_within_s, target=self._target))
                self._is_failing = False
            except OSError as error:
                if not self._is_failing:  # a machine without a network, or one that forbids it
                    self._is_failing = True
                    log.info("discovery.failed", reason=str(error))
            self._stop.wait(self._every_s)


def _answers(asker: socket.socket, timeout_s: float) -> Iterator[tuple[bytes, str]]:
    """Yield what comes in time, and from which host."""
    deadline = time.monotonic() + timeout_s
    for _ in range(_MAX_ANSWERS):
        left_s = deadline - time.monotonic()
        if left_s <= 0.0 or not select.select([asker], [], [], left_s)[0]:
            return
        try:
            answer, sender = asker.recvfrom(_MAX_ANSWER_BYTES + 1)
        except ConnectionError:  # an earlier question came back as undeliverable
            continue
        if len(answer) <= _MAX_ANSWER_BYTES:
            yield answer, sender[0]


def _elements(answer: bytes) -> list[Element]:
    """Return the elements of a small XML text without declarations of its own; else nothing.

    Entities need a `<!DOCTYPE`, so whatever has a `<!` in it is refused unread, and so is whatever
    the parser could take for another encoding than UTF-8, in which one could hide.
    """
    try:
        text = answer.decode("utf-8").removeprefix("\ufeff").lstrip()
    except UnicodeDecodeError:
        return []
    if "<!" in text or "\0" in text:
        return []
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]  # it may name another encoding than the one we read it in
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - see above; defusedxml refuses the same
    try:
        elements = list(fromstring(text, parser=parser).iter())  # noqa: S314
    except (ParseError, ValueError):
        return []
    return elements if len(elements) <= _MAX_ELEMENTS else []


def _words(elements: Iterable[Element], name: str) -> list[str]:
    return [
        word
        for element in elements
        if element.tag == f"{_DISCOVERY}{name}"
        for word in (element.text or "").split()
    ]


def _is_at(url: str, host: str) -> bool:
    """Return whether it is an address of a web service on that host, and can be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isprintable() and parts.username is None and len(url) <= MAX_TEXT
    return is_plain and parts.scheme in {"http", "https"} and parts.hostname == host


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:MAX_TEXT]
