"""Pictures, each under the id of its sample; exports of what people said, and files to import."""

from django.urls import path

from webapp.datasets.export_views import cancel_export, exports, start_export
from webapp.datasets.import_views import cancel_import, imports
from webapp.datasets.uploads import PREFIX
from webapp.datasets.views import picture, thumbnail, upload_import

urlpatterns = [
    path("media/<uuid:sample_id>/", picture, name="picture"),
    path("media/<uuid:sample_id>/thumbnail/", thumbnail, name="thumbnail"),
    path(f"{PREFIX.lstrip('/')}<str:token>", upload_import, name="import_upload"),
    path("imports/", imports, name="imports"),
    path("imports/<uuid:job_id>/cancel/", cancel_import, name="import_cancel"),
    path("exports/", exports, name="exports"),
    path("exports/start/", start_export, name="export_start"),
    path("exports/<uuid:job_id>/cancel/", cancel_export, name="export_cancel"),
]
