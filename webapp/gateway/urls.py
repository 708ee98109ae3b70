"""Where agents send what is too large for their socket."""

from django.urls import path

from webapp.gateway.uploads import PREFIX
from webapp.gateway.views import upload_clip

urlpatterns = [path(f"{PREFIX.lstrip('/')}<str:token>", upload_clip, name="clip_upload")]
