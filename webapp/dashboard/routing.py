"""The browsers' websockets. Whoever composes them adds sessions and the check of the origin."""

from django.urls import path

from webapp.dashboard.consumers import live, live_camera, live_main, live_small, live_video

websocket_urlpatterns = [
    path("live/", live),  # type: ignore[arg-type]  # Channels routes to ASGI applications
    path("live/camera/<uuid:camera_id>/", live_camera),  # type: ignore[arg-type]  # same
    path("live/camera/<uuid:camera_id>/small/", live_small),  # type: ignore[arg-type]  # same
    path("live/camera/<uuid:camera_id>/video/", live_video),  # type: ignore[arg-type]  # same
    path("live/camera/<uuid:camera_id>/video/main/", live_main),  # type: ignore[arg-type]  # same
]
