"""Pictures and clips, each under the id of what owns it."""

from django.urls import path

from webapp.events.views import clip, thumbnail

urlpatterns = [
    path("media/events/<uuid:event_id>/", thumbnail, name="event_thumbnail"),
    path("media/clips/<uuid:clip_id>/", clip, name="event_clip"),
]
