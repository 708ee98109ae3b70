"""Pictures, each under the id of the sample that owns it, and exports of what people said."""

from django.urls import path

from webapp.datasets.export_views import cancel_export, exports, start_export
from webapp.datasets.views import picture, thumbnail

urlpatterns = [
    path("media/<uuid:sample_id>/", picture, name="picture"),
    path("media/<uuid:sample_id>/thumbnail/", thumbnail, name="thumbnail"),
    path("exports/", exports, name="exports"),
    path("exports/start/", start_export, name="export_start"),
    path("exports/<uuid:job_id>/cancel/", cancel_export, name="export_cancel"),
]
