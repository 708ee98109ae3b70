"""What comes to a queue is told on its page, in words and with the policy's own figures."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.review.models import ReviewQueue
from webapp.review.policies import REASONS
from webapp.review.policy_words import queue_in_words


@pytest.mark.parametrize(
    ("policy", "name", "why"),
    [
        ({"low_score": 0.1, "high_score": 0.3}, "Low confidence", "the model is 10% to 30% sure"),
        ({"rare_share": 0.005}, "Rare class", "less than 0.5% of all that is labelled"),
        ({"novelty": 0.4}, "Unlike what is labelled", "at least 0.40 from the nearest"),
        ({"novelty_to_network": 0.1}, "Unlike what is labelled", "to the network at least 0.100"),
        ({"random_share": 0.2}, "Random slice", "20% of a camera's pictures"),
    ],
)
def test_it_works(queue: ReviewQueue, policy: dict[str, object], name: str, why: str) -> None:
    queue.policy = policy
    told = {each.name: each.why for each in queue_in_words(queue).asked}
    assert len(told) == len(REASONS), "no policy says so, so all reasons count"
    assert why in told[name]


def test_only_what_the_policy_asks_for_is_told(queue: ReviewQueue) -> None:
    queue.policy = {"reasons": ["novelty"], "items_a_day": 30, "alike_bits": 0}
    told = queue_in_words(queue)
    assert [each.name for each in told.asked] == ["Unlike what is labelled"]
    assert told.most == "At most 30 pictures a day, 30 of one camera."
    queue.policy = {"items_a_day": 0}
    assert queue_in_words(queue).most == "Takes only what people send."


def test_a_labeler_reads_it(client: Client, queue: ReviewQueue, bob: User) -> None:
    client.force_login(bob)
    queue.name = "<Doubts>"
    queue.policy = {"reasons": ["drift"]}
    queue.save()
    page = client.get(reverse("review"))
    assert page.status_code == HTTPStatus.OK
    assert "What comes to “&lt;Doubts&gt;”" in page.content.decode()
    assert "something is wrong with the camera&#x27;s pictures" in page.content.decode()
    assert "Rare class" not in page.content.decode()
