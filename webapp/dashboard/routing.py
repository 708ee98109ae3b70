"""The browsers' websockets. Whoever composes them adds sessions and the check of the origin."""

from django.urls import path

from webapp.dashboard.consumers import live, live_camera

websocket_urlpatterns = [
    path("live/", live),  # type: ignore[arg-type]  # Channels routes to ASGI applications
    path("live/camera/<uuid:camera_id>/", live_camera),  # type: ignore[arg-type]  # same
]
