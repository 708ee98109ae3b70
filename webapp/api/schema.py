"""What OpenAPI says beyond what the views say: how to log in, and what errors look like."""

from typing import Any, Final

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from processing.wire.identity import Problem
from processing.wire.tier import Grant, GrantAsked, Judged, TierReport, TierWanted
from webapp.common.problems import CONTENT_TYPE
from webapp.inference.described import BEARER, SCHEME, tier_paths

_REF: Final = "#/components/schemas/{name}"
_STRUCTS: Final = (Problem, GrantAsked, Grant, TierReport, TierWanted, Judged)


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


class TierLoginScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses, untyped
    """The token that the hub and its inference tiers share."""

    target_class = "webapp.inference.tier_api.TierLogin"
    name = "tier"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the signature is drf-spectacular's
        return {"type": "http", "scheme": "bearer", "description": "For inference tiers alone."}


def finish_schema(result: dict[str, Any], **_options: object) -> dict[str, Any]:
    """Give every operation its errors, one shape for all of them, and a line that sums it up."""
    _, schemas = msgspec.json.schema_components(_STRUCTS, ref_template=_REF)
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas)
    components.setdefault("securitySchemes", {})[BEARER] = SCHEME
    result["paths"].update(tier_paths())
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
