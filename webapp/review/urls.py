"""The labelers' pages."""

from django.urls import path

from webapp.review import views

urlpatterns = [
    path("", views.review, name="review"),
    path("waiting/", views.waiting, name="review_waiting"),
    path("next/", views.claim, name="review_next"),
    path("undo/", views.undo, name="review_undo"),
    path("verdicts/<uuid:verdict_id>/undo/", views.undo_one, name="review_undo_one"),
    path("<uuid:item_id>/", views.review_item, name="review_item"),
    path("<uuid:item_id>/start/", views.start, name="review_start"),
    path("<uuid:item_id>/verdict/", views.submit, name="review_submit"),
    path("<uuid:item_id>/skip/", views.skip, name="review_skip"),
    path("<uuid:item_id>/renew/", views.renew, name="review_renew"),
    path("<uuid:item_id>/release/", views.release, name="review_release"),
]
