"""The API's addresses: version 1, its schema and its page."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from webapp.api import schema
from webapp.api.enrolment import EnrolView
from webapp.api.false_alarms import JudgedEventViewSet
from webapp.api.reports import ReportViewSet
from webapp.batches.api import BatchViewSet
from webapp.datasets.api import ExportViewSet, ImportViewSet, SampleViewSet
from webapp.fleet.api import AgentViewSet, CameraViewSet, JoinTokenViewSet, SiteViewSet
from webapp.inference.api import ApiKeyViewSet, ServedModelsView, UsageViewSet
from webapp.inference.tier_api import GrantsView, ReportsView
from webapp.jobs.api import JobViewSet
from webapp.monitoring.api import FeaturesViewSet
from webapp.results.api import CountsViewSet, ResultViewSet, ZoneCountsViewSet
from webapp.review.api.items import ReviewItemViewSet
from webapp.review.api.quality import GoldAnswerViewSet, LabelerFlagViewSet
from webapp.review.api.queues import ReviewQueueViewSet, TeamViewSet
from webapp.review.api.verdicts import CheckViewSet, VerdictViewSet
from webapp.review.api.webhooks import WebhookViewSet

__all__ = ("schema", "urlpatterns")  # importing `schema` registers what it describes

router = SimpleRouter()
router.register("sites", SiteViewSet, "site")
router.register("agents", AgentViewSet, "agent")
router.register("join-tokens", JoinTokenViewSet, "join-token")
router.register("cameras", CameraViewSet, "camera-api")
router.register("results", ResultViewSet, "result")
router.register("counts", CountsViewSet, "count")
router.register("zone-counts", ZoneCountsViewSet, "zone-count")
router.register("features", FeaturesViewSet, "feature")
router.register("events", JudgedEventViewSet, "event")
router.register("samples", SampleViewSet, "sample")
router.register("teams", TeamViewSet, "team")
router.register("review-queues", ReviewQueueViewSet, "review-queue")
router.register("review-items", ReviewItemViewSet, "review-item")
router.register("verdicts", VerdictViewSet, "verdict")
router.register("checks", CheckViewSet, "check")
router.register("gold-answers", GoldAnswerViewSet, "gold-answer")
router.register("labeler-flags", LabelerFlagViewSet, "labeler-flag")
router.register("exports", ExportViewSet, "export")
router.register("imports", ImportViewSet, "import")
router.register("batches", BatchViewSet, "batch")
router.register("reports", ReportViewSet, "report")
router.register("webhooks", WebhookViewSet, "webhook")
router.register("api-keys", ApiKeyViewSet, "api-key")
router.register("inference/usage", UsageViewSet, "inference-usage")
router.register("jobs", JobViewSet, "job")

urlpatterns = [
    re_path(r"^v1/agents/enroll/?$", EnrolView.as_view(), name="agent-enroll"),
    path("v1/tier/grants/", GrantsView.as_view(), name="tier-grants"),
    path("v1/tier/reports/", ReportsView.as_view(), name="tier-reports"),
    path("v1/inference/models/", ServedModelsView.as_view(), name="inference-models"),
    path("v1/", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
