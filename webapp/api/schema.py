"""What OpenAPI says beyond what the views say: how to log in, and what errors look like."""

from typing import Any, Final

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from processing.wire.identity import Problem
from webapp.common.problems import CONTENT_TYPE

_REF: Final = "#/components/schemas/{name}"


class SessionLoginScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses, untyped
    """A browser's session; unsafe methods carry the CSRF token in `X-CSRFToken`."""

    target_class = "webapp.accounts.authentication.SessionLogin"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the signature is drf-spectacular's
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Log in on the hub's page; writes also need the header X-CSRFToken.",
        }


def finish_schema(result: dict[str, Any], **_options: object) -> dict[str, Any]:
    """Give every operation its errors, one shape for all of them, and a line that sums it up."""
    _, schemas = msgspec.json.schema_components((Problem,), ref_template=_REF)
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas)
    answer = {
        "description": "What is wrong, in words; `errors` says it by field.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = answer
            first_sentence, _, _ = operation.get("description", "").partition(". ")
            operation.setdefault("summary", " ".join(first_sentence.split()).rstrip("."))
    return result
