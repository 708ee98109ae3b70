"""The dashboard's pages, and their parts (names that begin with an underscore)."""

from django.urls import path

from webapp.dashboard.views import agents, camera, events, overview

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("_headline/", overview.headline_part, name="overview_headline"),
    path("_wall/", overview.wall_part, name="overview_wall"),
    path("_agents/", overview.agents_part, name="overview_agents"),
    path("_events/", overview.events_part, name="overview_events"),
    path("cameras/<uuid:camera_id>/", camera.camera, name="camera"),
    path("cameras/<uuid:camera_id>/_state/", camera.state_part, name="camera_state"),
    path("cameras/<uuid:camera_id>/_events/", camera.events_part, name="camera_events"),
    path("cameras/<uuid:camera_id>/_samples/", camera.samples_part, name="camera_samples"),
    path("cameras/<uuid:camera_id>/counts.json", camera.counts, name="camera_counts"),
    path("cameras/<uuid:camera_id>/labels.json", camera.labels, name="camera_labels"),
    path("cameras/<uuid:camera_id>/settings/", camera.settings, name="camera_settings"),
    path("events/", events.events, name="events"),
    path("agents/", agents.agents, name="agents"),
    path("agents/join/", agents.join, name="agent_join"),
    path("agents/<uuid:agent_id>/cameras/new/", camera.new, name="camera_new"),
]
