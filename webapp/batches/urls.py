"""Batches: all, one with its pictures, beginning one, and what is sent for it."""

from django.urls import path

from webapp.batches.uploads import PREFIX
from webapp.batches.views import batch, batches, new, picture, pictures, steer, upload

urlpatterns = [
    path("batches/", batches, name="batches"),
    path("batches/new/", new, name="batch_new"),
    path("batches/<uuid:batch_id>/", batch, name="batch"),
    path("batches/<uuid:batch_id>/_pictures/", pictures, name="batch_pictures"),
    path("batches/<uuid:batch_id>/picture/", picture, name="batch_picture"),
    *(
        path(f"batches/<uuid:batch_id>/{act}/", steer, {"act": act}, name=f"batch_{act}")
        for act in ("pause", "resume", "cancel", "retry")
    ),
    path(f"{PREFIX.lstrip('/')}<str:token>", upload, name="batch_upload"),
]
