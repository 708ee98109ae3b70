"""The pages of one event, and their parts (names that begin with an underscore)."""

from django.urls import path

from webapp.dashboard.views import event, event_deeds

urlpatterns = [
    path("<uuid:event_id>/", event.event, name="event_page"),
    path("<uuid:event_id>/_media/", event.media_part, name="event_media"),
    path("<uuid:event_id>/_life/", event.life_part, name="event_life"),
    path("<uuid:event_id>/acknowledge/", event_deeds.take_note, name="event_take_note"),
    path("<uuid:event_id>/take-back/", event_deeds.take_back, name="event_take_back"),
    path("<uuid:event_id>/false-alarm/", event_deeds.false_alarm, name="event_false_alarm"),
    path("<uuid:event_id>/report/", event_deeds.report, name="event_report"),
    path("<uuid:event_id>/true-alarm/", event_deeds.no_false_alarm, name="event_true_alarm"),
    path("<uuid:event_id>/comments/", event_deeds.say, name="event_say"),
    path("acknowledge/", event_deeds.take_note_of_many, name="events_take_note"),
    path("clips/<uuid:clip_id>/_part/", event.clip_part, name="event_clip_part"),
    path("clips/<uuid:clip_id>/ask/", event.ask, name="event_clip_ask"),
]
