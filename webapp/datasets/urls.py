"""Pictures, each under the id of the sample that owns it."""

from django.urls import path

from webapp.datasets.views import picture, thumbnail

urlpatterns = [
    path("<uuid:sample_id>/", picture, name="picture"),
    path("<uuid:sample_id>/thumbnail/", thumbnail, name="thumbnail"),
]
