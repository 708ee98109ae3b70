"""The dashboard's pages, and their parts (names that begin with an underscore)."""

from django.urls import path

from webapp.dashboard.views import (
    agents,
    camera,
    charts,
    events,
    health,
    jobs,
    overview,
    scene,
    scene_preview,
)

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
    path("cameras/<uuid:camera_id>/counts.json", charts.counts, name="camera_counts"),
    path("cameras/<uuid:camera_id>/quality.json", charts.quality, name="camera_quality"),
    path("cameras/<uuid:camera_id>/overflow.json", charts.overflow, name="camera_overflow"),
    path("cameras/<uuid:camera_id>/_overflow/", camera.overflow_part, name="camera_overflow_facts"),
    path("cameras/<uuid:camera_id>/labels.json", camera.labels, name="camera_labels"),
    path("cameras/<uuid:camera_id>/settings/", camera.settings, name="camera_settings"),
    path("cameras/<uuid:camera_id>/scene/", scene.scene, name="camera_scene"),
    path("cameras/<uuid:camera_id>/scene/preview/", scene_preview.ask, name="scene_preview_ask"),
    path("scene-previews/<uuid:job_id>/", scene_preview.previewed, name="scene_preview"),
    path("health/", health.health, name="health"),
    path("health/_figures/", health.figures_part, name="health_figures"),
    path("health/_ping/", health.ping, name="health_ping"),
    path("events/", events.events, name="events"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/cancel/", jobs.cancel, name="job_cancel"),
    path("jobs/<uuid:job_id>/retry/", jobs.retry, name="job_retry"),
    path("agents/", agents.agents, name="agents"),
    path("agents/join/", agents.join, name="agent_join"),
    path("agents/<uuid:agent_id>/cameras/new/", camera.new, name="camera_new"),
]
