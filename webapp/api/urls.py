"""The API's addresses: version 1, its schema and its page."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from webapp.api import schema
from webapp.api.enrolment import EnrolView
from webapp.datasets.api import ExportViewSet, SampleViewSet
from webapp.events.api import EventViewSet
from webapp.fleet.api import AgentViewSet, CameraViewSet, JoinTokenViewSet, SiteViewSet
from webapp.jobs.api import JobViewSet
from webapp.results.api import CountsViewSet, ResultViewSet
from webapp.review.api import ReviewItemViewSet, VerdictViewSet

__all__ = ("schema", "urlpatterns")  # importing `schema` registers what it describes

router = SimpleRouter()
router.register("sites", SiteViewSet, "site")
router.register("agents", AgentViewSet, "agent")
router.register("join-tokens", JoinTokenViewSet, "join-token")
router.register("cameras", CameraViewSet, "camera-api")
router.register("results", ResultViewSet, "result")
router.register("counts", CountsViewSet, "count")
router.register("events", EventViewSet, "event")
router.register("samples", SampleViewSet, "sample")
router.register("review-items", ReviewItemViewSet, "review-item")
router.register("verdicts", VerdictViewSet, "verdict")
router.register("exports", ExportViewSet, "export")
router.register("jobs", JobViewSet, "job")

urlpatterns = [
    re_path(r"^v1/agents/enroll/?$", EnrolView.as_view(), name="agent-enroll"),
    path("v1/", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
