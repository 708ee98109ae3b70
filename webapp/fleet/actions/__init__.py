"""Writes to the fleet: enrolment, cameras, connections, reports."""

from webapp.fleet.actions.cameras import (
    CameraFields,
    CameraInUse,
    TooManyCameras,
    add_camera,
    remove_camera,
    update_camera,
)
from webapp.fleet.actions.enrolment import (
    BadSignature,
    EnrolmentRefused,
    JoinTokenExpired,
    JoinTokenUnknown,
    JoinTokenUsed,
    KeyRefused,
    create_join_token,
    enrol_agent,
    revoke_agent,
)

__all__ = [
    "BadSignature",
    "CameraFields",
    "CameraInUse",
    "EnrolmentRefused",
    "JoinTokenExpired",
    "JoinTokenUnknown",
    "JoinTokenUsed",
    "KeyRefused",
    "TooManyCameras",
    "add_camera",
    "create_join_token",
    "enrol_agent",
    "remove_camera",
    "revoke_agent",
    "update_camera",
]
