"""The labelers' pages."""

from django.urls import path

from webapp.review import check_views, editor_views, standing_views, views, webhook_views

urlpatterns = [
    path("", views.review, name="review"),
    path("waiting/", views.waiting, name="review_waiting"),
    path("next/", editor_views.claim, name="review_next"),
    path("no-work/", views.no_work, name="review_no_work"),
    path("undo/", editor_views.undo, name="review_undo"),
    path("keys/", editor_views.bind_keys, name="review_keys"),
    path("verdicts/<uuid:verdict_id>/undo/", editor_views.undo_one, name="review_undo_one"),
    path("labelers/", standing_views.labelers, name="review_labelers"),
    path("flags/<uuid:flag_id>/close/", standing_views.close, name="review_flag_close"),
    path("flags/<uuid:flag_id>/revert/", standing_views.revert, name="review_flag_revert"),
    path("webhooks/", webhook_views.webhooks, name="webhooks"),
    path("webhooks/add/", webhook_views.add, name="webhook_add"),
    path("webhooks/<uuid:webhook_id>/switch/", webhook_views.switch, name="webhook_switch"),
    path("webhooks/<uuid:webhook_id>/test/", webhook_views.test, name="webhook_test"),
    path("webhooks/<uuid:webhook_id>/delete/", webhook_views.delete, name="webhook_delete"),
    path("check/next/", check_views.check_next, name="review_check_next"),
    path("check/<uuid:item_id>/", check_views.check_item, name="review_check_item"),
    path("check/<uuid:item_id>/decide/", check_views.decide, name="review_check_decide"),
    path("<uuid:item_id>/", editor_views.review_item, name="review_item"),
    path("<uuid:item_id>/start/", editor_views.start, name="review_start"),
    path("<uuid:item_id>/verdict/", editor_views.submit, name="review_submit"),
    path("<uuid:item_id>/skip/", editor_views.skip, name="review_skip"),
    path("<uuid:item_id>/renew/", editor_views.renew, name="review_renew"),
    path("<uuid:item_id>/release/", editor_views.release, name="review_release"),
]
