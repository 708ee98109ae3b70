"""What the tier itself answers under the hub's address, as OpenAPI describes it."""

from typing import Any, Final

from processing.wire.tier import MAX_PICTURE_BYTES

BEARER: Final = "api_key"
SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of this hub, `fw_…`: an admin makes one under Inference, API keys.",
}

_DETECT_WORDS: Final = f"""Send a JPEG or PNG of at most {MAX_PICTURE_BYTES // 2**20} MiB as the
body; the answer says what is in it and where, boxes as shares of width and height.

```sh
curl --data-binary @street.jpg -H "Content-Type: image/jpeg" \\
  -H "Authorization: Bearer $FARWATCH_KEY" "https://hub.example.org/api/v1/detect/?budget_ms=500"
```

An answer comes within the budget or not at all: 429 is too much of this key, 503 too much of all
(both say when to try again, `Retry-After`), 504 an answer that would have come too late.
"""
_INFER_WORDS: Final = """The Open Inference Protocol (KServe V2) over REST, as `tritonclient` and
`kserve` speak it, with the binary tensor extension. `image` takes encoded pictures (`BYTES`).

```sh
curl -H "Authorization: Bearer $FARWATCH_KEY" -H "Content-Type: application/json" \\
  "https://hub.example.org/v2/models/MODEL/infer" -d '{"inputs": [{"name": "image",
  "datatype": "BYTES", "shape": [1], "data": ["'"$(base64 -w0 street.jpg)"'"]}]}'
```
"""


def _query(name: str, schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": False, "description": words, "schema": schema,
    }  # fmt: skip


def _model() -> dict[str, Any]:
    return {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}


def _operation(
    name: str, summary: str, answer: dict[str, Any], **more: object
) -> dict[str, object]:
    return {
        "operationId": name,
        "tags": ["inference"],
        "summary": summary,
        "security": [{BEARER: []}],
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": answer}}}
        },
        **more,
    }


_TENSORS: Final = {"type": "object", "additionalProperties": True}
_PICTURE: Final = {"schema": {"type": "string", "format": "binary"}}
_JUDGED_EXAMPLE: Final = {
    "model": "nanodet-g",
    "version": "00112233445566778899aabbccddeeff",
    "width": 1280,
    "height": 720,
    "detections": [
        {"label": 0, "name": "person", "score": 0.91, "box": [0.1, 0.2, 0.3, 0.9]},
    ],
    "waited_ms": 2.1,
    "decode_ms": 4.8,
    "infer_ms": 21.5,
}


def tier_paths() -> dict[str, dict[str, Any]]:
    """Return the paths; `Judged` is among the components."""
    number, text = {"type": "number"}, {"type": "string"}
    detect = _operation(
        "detect",
        "What is in a picture?",
        {"$ref": "#/components/schemas/Judged"},
        description=_DETECT_WORDS,
        parameters=[
            _query("model", text, "Which model; empty: the first that is served."),
            _query("budget_ms", number | {"default": 5000}, "How long the answer is of use."),
            _query("version", text, "A bundle's digest, to have that version judge."),
            _query("sticky", text, "Equal for pictures that one version is to judge."),
            _query("urgency", text | {"enum": ["interactive", "batch"]}, "Does somebody wait?"),
            _query("min_score", number, "Leave out what is less sure, 0 to 1."),
        ],
        requestBody={
            "required": True,
            "content": {"image/jpeg": _PICTURE, "image/png": _PICTURE},
        },
    )
    judged: dict[str, Any] = detect["responses"]  # type: ignore[assignment]  # made above
    judged["200"]["content"]["application/json"]["example"] = _JUDGED_EXAMPLE
    infer = _operation(
        "v2_infer",
        "Have tensors judged, by the Open Inference Protocol",
        _TENSORS,
        description=_INFER_WORDS,
        parameters=[_model()],
        requestBody={"required": True, "content": {"application/json": {"schema": _TENSORS}}},
    )
    metadata = _operation(
        "v2_model", "Which tensors a model takes and gives", _TENSORS, parameters=[_model()]
    )
    return {
        "/api/v1/detect/": {"post": detect},
        "/v2/models/{model}": {"get": metadata},
        "/v2/models/{model}/infer": {"post": infer},
    }
