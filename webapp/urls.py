"""The hub's URLs: composition only."""

from django.contrib import admin
from django.urls import include, path

from webapp.api.health import healthz
from webapp.api.metrics import metrics

urlpatterns = [
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.dashboard.urls")),
    path("events/", include("webapp.dashboard.event_urls")),
    path("review/", include("webapp.review.urls")),
    path("inference/", include("webapp.inference.urls")),
    path("", include("webapp.datasets.urls")),
    path("", include("webapp.batches.urls")),
    path("", include("webapp.events.urls")),
    path("", include("webapp.gateway.urls")),
    path("api/", include("webapp.api.urls")),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

handler400 = "webapp.common.problems.bad_request"
handler403 = "webapp.common.problems.permission_denied"
handler404 = "webapp.common.problems.page_not_found"
handler500 = "webapp.common.problems.server_error"
