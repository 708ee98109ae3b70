"""Joins a hub: a one-time token for our public key. Asking again with the same key is harmless."""

from typing import Final

import httpx
import msgspec

from edge_agent.config import checked_hub_url
from edge_agent.identity import IdentityFiles, Membership, sign_enrolment
from processing.wire.identity import EnrollRequest, EnrollResponse, Problem
from processing.wire.limits import MAX_NAME
from processing.wire.version import VERSION

_PATH: Final = "/api/v1/agents/enroll"
_TIMEOUT_S: Final = 15.0
_MAX_ANSWER_BYTES: Final = 64 * 1024


class NotJoined(Exception):
    """The hub did not take us, or was not reached; the text says why."""


def enroll(
    files: IdentityFiles,
    *,
    hub_url: str,
    token: str,
    name: str,
    transport: httpx.BaseTransport | None = None,
) -> Membership:
    """Return and store who we are now. Raise `NotJoined` or `BadIdentity`."""
    try:
        hub_url = checked_hub_url(hub_url)
        body = _request(files, token=token, name=name)
    except ValueError as error:
        raise NotJoined(str(error)) from error
    answer = _post(hub_url, body, transport)
    membership = Membership(
        agent_id=answer.agent_id,
        hub_id=answer.hub_id,
        hub_url=hub_url,
        organization=answer.organization,
        site=answer.site,
    )
    files.save(membership)
    return membership


def _request(files: IdentityFiles, *, token: str, name: str) -> bytes:
    public_key, signature = sign_enrolment(files.key(), token)
    request = EnrollRequest(
        token=token,
        public_key=public_key,
        signature=signature,
        name=name[:MAX_NAME],
        software=f"farwatch {VERSION}",
    )
    # Checked as the hub will, so that a slip of the hand is told without asking it.
    try:
        msgspec.convert(msgspec.to_builtins(request), EnrollRequest)
    except msgspec.ValidationError as error:
        raise NotJoined(f"this cannot be right: {error}") from error
    return msgspec.json.encode(request)


def _post(hub_url: str, body: bytes, transport: httpx.BaseTransport | None) -> EnrollResponse:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, trust_env=False, transport=transport) as client,
            client.stream("POST", hub_url + _PATH, content=body, headers=headers) as response,
        ):
            return _understand(response, _read(response))
    except httpx.TransportError as error:
        message = f"the hub at {hub_url} cannot be reached: {error}. Is it running there?"
        raise NotJoined(message) from error


def _read(response: httpx.Response) -> bytes:
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_ANSWER_BYTES:
            raise NotJoined("the answer is far too long to be a hub's")
    return content


def _understand(response: httpx.Response, content: bytes) -> EnrollResponse:
    try:
        if response.is_success:
            return msgspec.json.decode(content, type=EnrollResponse)
        problem = msgspec.json.decode(content, type=Problem)
    except msgspec.DecodeError as error:
        message = f"what answers there is no hub: HTTP {response.status_code}"
        raise NotJoined(message) from error
    raise NotJoined(f"the hub refused: {problem.detail or problem.title}{_fields(problem)}")


def _fields(problem: Problem) -> str:
    if not problem.errors:
        return ""
    told = (f"{field}: {' '.join(texts)}" for field, texts in sorted(problem.errors.items()))
    return f" ({'; '.join(told)})"
