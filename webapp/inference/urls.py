"""The pages about inference."""

from django.urls import path

from webapp.inference import key_views, views

urlpatterns = [
    path("", views.inference, name="inference"),
    path("route/", views.route, name="inference_route"),
    path("traffic.json", views.traffic_figures, name="inference_traffic"),
    path("try/", views.try_it, name="inference_try"),
    path("try/token/", views.try_token, name="inference_try_token"),
    path("keys/", key_views.keys, name="api_keys"),
    path("keys/add/", key_views.add, name="api_key_add"),
    path("keys/<uuid:key_id>/revoke/", key_views.revoke, name="api_key_revoke"),
]
