"""Cameras answer for themselves; rubbish, lies and bombs from the network find nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.discovery import Discovery, camera_of, probe
from processing.wire.messages import FoundCamera
from tests.edge_agent.entries import wait_until

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:wsdd="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch>
<wsdd:Types>{types}</wsdd:Types>
<wsdd:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/{name}
 onvif://www.onvif.org/hardware/DC-1200 onvif://www.onvif.org/location/</wsdd:Scopes>
<wsdd:XAddrs>{addresses}</wsdd:XAddrs>
</wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
SERVICE = "http://127.0.0.1:8080/onvif/device_service"


def answer(
    *, types: str = "dn:NetworkVideoTransmitter", name: str = "Yard%20cam", addresses: str = SERVICE
) -> bytes:
    return ANSWER.format(types=types, name=name, addresses=addresses).encode()


CAMERA = FoundCamera(address="127.0.0.1", name="Yard cam", hardware="DC-1200", service=SERVICE)


@contextmanager
def responder(*answers: bytes) -> Iterator[tuple[str, int]]:
    """Answer every question with all of these."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    question, asker = server.recvfrom(65_536)
                except TimeoutError:
                    continue
                assert b"NetworkVideoTransmitter" in question
                for each in answers:
                    server.sendto(each, asker)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            is_over.set()
            thread.join()


def test_it_works() -> None:
    with responder(answer()) as target:
        assert probe(0.3, target=target) == (CAMERA,)


def test_one_that_answers_twice_is_one_camera() -> None:
    with responder(answer(), answer(name="Again")) as target:
        assert probe(0.3, target=target) == (CAMERA,)


def test_a_camera_is_found_among_rubbish() -> None:
    rubbish = [b"", b"\xff\xfe\0", b"<a>", answer()[:300], b"x" * 40_000, b"<a/>" * 9]
    with responder(*rubbish, answer(), *rubbish) as target:
        assert probe(0.3, target=target) == (CAMERA,)


def test_nobody_is_nothing() -> None:
    with responder() as target:
        assert probe(0.1, target=target) == ()


def test_a_flood_is_cut_off() -> None:
    with responder(*[b"<a/>"] * 2000, answer()) as target:
        assert probe(2.0, target=target) == ()


BOMB = """<!DOCTYPE a [<!ENTITY b "{}">{}]>""".format(
    "x" * 100, "".join(f'<!ENTITY b{n} "{"&b;" * 10}">' for n in range(9))
)


@pytest.mark.parametrize(
    "hostile",
    [
        answer().replace(b"<SOAP-ENV:Envelope", BOMB.encode() + b"<SOAP-ENV:Envelope", 1),
        answer().replace(
            b"<SOAP-ENV:Envelope",
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><SOAP-ENV:Envelope',
            1,
        ),
        answer().decode().encode("utf-16"),
        (BOMB + "<a/>").encode("utf-16-le"),
        answer().decode().replace("UTF-8", "UTF-16").encode("utf-16-le"),
        b"<a>" * 5000 + b"</a>" * 5000,
        answer().replace(b"<wsdd:XAddrs>", b"<x/>" * 500 + b"<wsdd:XAddrs>"),
        answer(types="dn:Printer"),
    ],
)
def test_what_is_hostile_or_no_camera_is_not_read(hostile: bytes) -> None:
    assert camera_of(hostile, "127.0.0.1") is None


@pytest.mark.parametrize(
    "addresses",
    [
        "http://10.0.0.9/onvif/device_service", "javascript:alert(1)", "file:///etc/passwd",
        "http://user:pw@127.0.0.1/onvif", "http://[::1", "rtsp://127.0.0.1/live",
        "http://127.0.0.1/" + "x" * 3000, "",
    ],
)  # fmt: skip
def test_one_machine_does_not_speak_for_another(addresses: str) -> None:
    found = camera_of(answer(addresses=addresses), "127.0.0.1")
    assert found is not None
    assert (found.address, found.service) == ("127.0.0.1", "")


def test_of_several_services_the_one_at_the_sender_is_told() -> None:
    found = camera_of(answer(addresses=f"http://[fe80::1]/onvif {SERVICE}"), "127.0.0.1")
    assert found is not None
    assert found.service == SERVICE


def test_a_name_is_of_letters_that_can_be_shown() -> None:
    found = camera_of(answer(name="A%00%1b[31mB" + "x" * 3000), "127.0.0.1")
    assert found is not None
    assert found.name.startswith("A[31mB")
    assert len(found.name) <= 2000


@given(st.binary(max_size=400), st.integers(0, len(answer())))
def test_an_answer_that_is_damaged_breaks_nothing(damage: bytes, at: int) -> None:
    camera_of(answer()[:at] + damage + answer()[at + len(damage) :], "127.0.0.1")


@pytest.fixture
def discover() -> Iterator[Callable[[tuple[str, int]], list[tuple[FoundCamera, ...]]]]:
    running: list[Discovery] = []

    def start(target: tuple[str, int]) -> list[tuple[FoundCamera, ...]]:
        told: list[tuple[FoundCamera, ...]] = []
        running.append(Discovery(told.append, every_s=0.05, target=target, answer_within_s=0.1))
        running[0].start()
        return told

    yield start
    for discovery in running:
        discovery.close()
        discovery.join(5.0)


Discover = Callable[[tuple[str, int]], list[tuple[FoundCamera, ...]]]


def test_it_goes_on_asking(discover: Discover) -> None:
    with responder(answer()) as target:
        told = discover(target)
        wait_until(lambda: len(told) >= 2)
    assert told[:2] == [(CAMERA,)] * 2


def test_a_machine_without_a_network_finds_nothing_and_goes_on(discover: Discover) -> None:
    told = discover(("255.255.255.255", 9))  # sending there is forbidden
    time.sleep(0.2)
    assert told == []
    assert any(thread.name == "discovery" for thread in threading.enumerate())
