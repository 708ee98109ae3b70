"""Who may use which route: the rows of the matrix of routes and roles (`test_route_matrix`)."""

from dataclasses import dataclass, field
from typing import Final, Literal

from webapp.accounts.models import Role

Method = Literal["GET", "POST", "PATCH", "DELETE"]
UNSAFE: Final = ("POST", "PATCH", "DELETE")

MEMBERS: Final = frozenset(Role)
OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
LABELERS: Final = frozenset({Role.LABELER, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Row:
    """What one method of one route does for everybody."""

    name: str
    method: Method
    who: frozenset[Role]
    of: str = ""
    """Which of `Objects` its address names; empty: it names none, so strangers see their own."""
    body: dict[str, object] = field(default_factory=dict)
    is_api: bool = False
    is_authors: bool = False
    """Only for the labeler whose work it is: to others with the role it is not there."""

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def page(
    name: str, who: frozenset[Role], method: Method = "GET", of: str = "", **body: object
) -> Row:
    return Row(name, method, who, of, body)


def api(
    name: str, who: frozenset[Role], method: Method = "GET", of: str = "", **body: object
) -> Row:
    return Row(name, method, who, of, body, is_api=True)


def read_only(name: str, who: frozenset[Role]) -> list[Row]:
    """A list of the API and its rows."""
    return [api(f"{name}-list", who), api(f"{name}-detail", who, of=name)]


ROWS: Final = [
    # the dashboard
    page("overview", MEMBERS),
    page("overview_headline", MEMBERS),
    page("overview_wall", MEMBERS),
    page("overview_agents", MEMBERS),
    page("overview_events", MEMBERS),
    page("camera", OPERATORS, of="camera"),
    page("camera_state", OPERATORS, of="camera"),
    page("camera_events", OPERATORS, of="camera"),
    page("camera_samples", OPERATORS, of="camera"),
    page("camera_counts", OPERATORS, of="camera"),
    page("camera_quality", OPERATORS, of="camera"),
    page("camera_overflow", OPERATORS, of="camera"),
    page("camera_overflow_facts", OPERATORS, of="camera"),
    page("camera_labels", OPERATORS, of="camera"),
    page("camera_settings", ADMINS, of="camera"),
    page("camera_settings", ADMINS, "POST", of="camera"),
    page("camera_scene", OPERATORS, of="camera"),
    page("camera_scene", OPERATORS, "POST", of="camera", revision=0),
    page("scene_preview_ask", OPERATORS, "POST", of="camera"),
    page("scene_preview", OPERATORS, of="preview"),
    page("camera_new", ADMINS, of="agent"),
    page("camera_new", ADMINS, "POST", of="agent"),
    page("health", OPERATORS),
    page("health_figures", OPERATORS),
    page("health_ping", OPERATORS),
    page("events", OPERATORS),
    page("event_page", OPERATORS, of="event"),
    page("event_media", OPERATORS, of="event"),
    page("event_life", OPERATORS, of="event"),
    page("event_take_note", OPERATORS, "POST", of="event"),
    page("event_take_back", OPERATORS, "POST", of="event"),
    page("event_false_alarm", OPERATORS, "POST", of="event"),
    page("event_true_alarm", OPERATORS, "POST", of="event"),
    page("event_report", OPERATORS, "POST", of="event"),
    page("event_say", OPERATORS, "POST", of="event"),
    page("events_take_note", OPERATORS, "POST"),
    page("event_clip_part", OPERATORS, of="clip"),
    page("event_clip_ask", OPERATORS, "POST", of="clip"),
    page("jobs", MEMBERS),
    page("job_cancel", ADMINS, "POST", of="job"),
    page("job_retry", ADMINS, "POST", of="job"),
    page("agents", OPERATORS),
    page("agent_join", ADMINS, "POST"),
    # review
    page("review", LABELERS),
    page("review_waiting", LABELERS),
    page("review_no_work", LABELERS),
    page("review_next", LABELERS, "POST"),
    page("review_undo", LABELERS, "POST"),
    page("review_keys", LABELERS, "POST", keys={}),
    page("review_labelers", LABELERS),
    page("review_flag_close", ADMINS, "POST", of="labeler-flag"),
    page("review_flag_revert", ADMINS, of="labeler-flag"),
    page("review_flag_revert", ADMINS, "POST", of="labeler-flag"),
    page("review_check_next", LABELERS, "POST"),
    page("review_check_item", ADMINS, of="checking"),
    page("review_check_decide", ADMINS, "POST", of="checking", decision="accept", revision=0),
    Row("review_undo_one", "POST", LABELERS, of="verdict", is_authors=True),
    page("review_item", LABELERS, of="item"),
    page("review_start", LABELERS, "POST", of="item"),
    page("review_submit", LABELERS, "POST", of="item", revision=0, boxes=[]),
    page("review_skip", LABELERS, "POST", of="item", revision=0, skip_as="passed"),
    page("review_renew", LABELERS, "POST", of="item"),
    page("review_release", LABELERS, "POST", of="item"),
    page("webhooks", ADMINS),
    page("webhook_add", ADMINS, "POST", url="https://example.org/"),
    page("webhook_switch", ADMINS, "POST", of="webhook"),
    page("webhook_test", ADMINS, "POST", of="webhook"),
    page("webhook_delete", ADMINS, "POST", of="webhook"),
    # inference
    page("inference", OPERATORS),
    page("inference_route", OPERATORS, "POST"),
    page("inference_traffic", OPERATORS),
    page("inference_try", OPERATORS),
    page("inference_try_token", OPERATORS, "POST"),
    page("api_keys", ADMINS),
    page("api_key_add", ADMINS, "POST"),
    page("api_key_revoke", ADMINS, "POST", of="api-key"),
    # pictures
    page("picture", MEMBERS, of="sample"),
    page("thumbnail", MEMBERS, of="sample"),
    page("event_thumbnail", OPERATORS, of="event"),
    page("event_clip", OPERATORS, of="clip"),
    # what comes in and goes out
    page("imports", LABELERS),
    page("import_cancel", LABELERS, "POST", of="import"),
    Row("import_upload", "POST", LABELERS, of="upload", is_authors=True),
    page("exports", LABELERS),
    page("export_start", LABELERS, "POST"),
    page("export_cancel", ADMINS, "POST", of="job"),
    # batches
    page("batches", MEMBERS),
    page("batch_new", OPERATORS),
    page("batch", MEMBERS, of="batch"),
    page("batch_pictures", MEMBERS, of="batch"),
    page("batch_picture", MEMBERS, of="batch"),
    page("batch_pause", OPERATORS, "POST", of="batch"),
    page("batch_resume", OPERATORS, "POST", of="batch"),
    page("batch_cancel", OPERATORS, "POST", of="batch"),
    page("batch_retry", OPERATORS, "POST", of="batch"),
    Row("batch_upload", "POST", OPERATORS, of="batch-upload", is_authors=True),
    # the API
    *read_only("site", OPERATORS),
    api("site-list", ADMINS, "POST"),
    api("site-detail", ADMINS, "PATCH", of="site"),
    *read_only("agent", OPERATORS),
    api("agent-revoke", ADMINS, "POST", of="agent"),
    *read_only("join-token", ADMINS),
    api("join-token-list", ADMINS, "POST"),
    api("camera-api-list", OPERATORS),
    api("camera-api-list", ADMINS, "POST"),
    api("camera-api-detail", OPERATORS, of="camera"),
    api("camera-api-detail", ADMINS, "PATCH", of="camera"),
    api("camera-api-detail", ADMINS, "DELETE", of="camera"),
    *read_only("result", OPERATORS),
    api("result-export", OPERATORS),
    api("count-list", OPERATORS),
    api("zone-count-list", OPERATORS),
    api("feature-list", OPERATORS),
    *read_only("event", OPERATORS),
    api("event-ask-clips", OPERATORS, "POST", of="event"),
    api("event-acknowledge", OPERATORS, "POST", of="event"),
    api("event-unacknowledge", OPERATORS, "POST", of="event"),
    api("event-acknowledge-many", OPERATORS, "POST"),
    api("event-false-alarm", OPERATORS, "POST", of="event"),
    api("event-not-false-alarm", OPERATORS, "POST", of="event"),
    api("event-deeds", OPERATORS, of="event"),
    api("event-comments", OPERATORS, "POST", of="event", text="Hello"),
    api("report-list", OPERATORS, "POST"),
    *read_only("sample", MEMBERS),
    *read_only("team", LABELERS),
    api("team-list", ADMINS, "POST"),
    api("team-detail", ADMINS, "PATCH", of="team"),
    api("team-detail", ADMINS, "DELETE", of="team"),
    *read_only("review-queue", LABELERS),
    api("review-queue-list", ADMINS, "POST"),
    api("review-queue-detail", ADMINS, "PATCH", of="review-queue"),
    api("review-queue-next", LABELERS, "POST", of="review-queue"),
    api("review-queue-next-check", ADMINS, "POST", of="review-queue"),
    api("review-queue-quality", LABELERS, of="review-queue"),
    *read_only("review-item", LABELERS),
    api("review-item-detail", ADMINS, "PATCH", of="item"),
    api("review-item-work", LABELERS, of="item"),
    api("review-item-start", LABELERS, "POST", of="item"),
    api("review-item-renew", LABELERS, "POST", of="item"),
    api("review-item-release", LABELERS, "POST", of="item"),
    api("review-item-verdict", LABELERS, "POST", of="item"),
    api("review-item-skip", LABELERS, "POST", of="item"),
    api("review-item-check", ADMINS, of="checking"),
    api("review-item-check", ADMINS, "POST", of="checking", decision="accept", revision=0),
    *read_only("verdict", LABELERS),
    Row("verdict-undo", "POST", LABELERS, of="verdict", is_api=True, is_authors=True),
    *read_only("check", LABELERS),
    *read_only("gold-answer", ADMINS),
    api("gold-answer-list", ADMINS, "POST"),
    api("gold-answer-retire", ADMINS, "POST", of="gold-answer"),
    *read_only("labeler-flag", ADMINS),
    api("labeler-flag-close", ADMINS, "POST", of="labeler-flag"),
    api("labeler-flag-revert", ADMINS, "POST", of="labeler-flag"),
    *read_only("export", LABELERS),
    api("export-list", LABELERS, "POST"),
    api("export-file", LABELERS, of="export"),
    *read_only("import", LABELERS),
    Row("import-list", "POST", LABELERS, body={"name": "set.zip"}, is_api=True),
    *read_only("batch", MEMBERS),
    api("batch-list", OPERATORS, "POST"),
    api("batch-pause", OPERATORS, "POST", of="batch"),
    api("batch-resume", OPERATORS, "POST", of="batch"),
    api("batch-cancel", OPERATORS, "POST", of="batch"),
    api("batch-retry", OPERATORS, "POST", of="batch"),
    api("batch-pictures", MEMBERS, of="batch"),
    api("batch-results", MEMBERS, of="batch"),
    api("batch-bundles", MEMBERS),
    *read_only("webhook", ADMINS),
    api("webhook-list", ADMINS, "POST", url="https://example.org/"),
    api("webhook-detail", ADMINS, "PATCH", of="webhook"),
    api("webhook-detail", ADMINS, "DELETE", of="webhook"),
    api("webhook-test", ADMINS, "POST", of="webhook"),
    *read_only("api-key", ADMINS),
    api("api-key-list", ADMINS, "POST", scopes=["detect"]),
    api("api-key-revoke", ADMINS, "POST", of="api-key"),
    api("inference-usage-list", OPERATORS),
    api("inference-models", MEMBERS),
    api("inference-models", OPERATORS, "PATCH"),
    *read_only("job", MEMBERS),
    api("job-cancel", ADMINS, "POST", of="job"),
    api("job-retry", ADMINS, "POST", of="job"),
    api("schema", MEMBERS),
    api("docs", MEMBERS),
]

OPEN: Final = {
    "login", "logout", "healthz", "metrics", "agent-enroll", "clip_upload", "tier-grants",
    "tier-reports",
}  # fmt: skip
"""Without a login; what they do is tested by name elsewhere."""
