"""Writes to the fleet: enrolment, cameras, connections, reports."""

from webapp.fleet.actions.cameras import (
    CameraFields,
    CameraInUse,
    TooManyCameras,
    add_camera,
    remove_camera,
    update_camera,
)
from webapp.fleet.actions.connections import (
    SILENCE,
    Opened,
    close_session,
    close_silent_sessions,
    open_session,
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
from webapp.fleet.actions.reports import know_bundle, record_bundle, record_report

__all__ = [
    "SILENCE",
    "BadSignature",
    "CameraFields",
    "CameraInUse",
    "EnrolmentRefused",
    "JoinTokenExpired",
    "JoinTokenUnknown",
    "JoinTokenUsed",
    "KeyRefused",
    "Opened",
    "TooManyCameras",
    "add_camera",
    "close_session",
    "close_silent_sessions",
    "create_join_token",
    "enrol_agent",
    "know_bundle",
    "open_session",
    "record_bundle",
    "record_report",
    "remove_camera",
    "revoke_agent",
    "update_camera",
]
