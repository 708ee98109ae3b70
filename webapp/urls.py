"""The hub's URLs: composition only."""

from django.contrib import admin
from django.urls import include, path

from webapp.api.health import healthz

urlpatterns = [
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.dashboard.urls")),
    path("review/", include("webapp.review.urls")),
    path("", include("webapp.datasets.urls")),
    path("api/", include("webapp.api.urls")),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]

handler400 = "webapp.common.problems.bad_request"
handler403 = "webapp.common.problems.permission_denied"
handler404 = "webapp.common.problems.page_not_found"
handler500 = "webapp.common.problems.server_error"
