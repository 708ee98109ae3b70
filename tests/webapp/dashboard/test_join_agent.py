"""Making the command that lets an agent join."""

import re
from http import HTTPStatus

from django.test import Client

from webapp.accounts.models import User
from webapp.fleet.models import JoinToken, Site


def test_it_works(client: Client, alice: User, site: Site) -> None:
    client.force_login(alice)
    answer = client.post("/agents/join/", {"site": str(site.pk)})
    assert answer.status_code == HTTPStatus.OK
    assert re.search(r"enroll --hub http://testserver --token fw1_\w+", answer.text)
    token = JoinToken.objects.get()
    assert (token.site, token.created_by) == (site, alice)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_strangers_site_is_no_choice(client: Client, charlie: User, site: Site) -> None:
    client.force_login(charlie)
    answer = client.post("/agents/join/", {"site": str(site.pk)})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not JoinToken.objects.exists()


def test_an_operator_may_not(client: Client, olga: User, site: Site) -> None:
    client.force_login(olga)
    assert client.post("/agents/join/", {"site": str(site.pk)}).status_code == HTTPStatus.FORBIDDEN
    assert "Make the command" not in client.get("/agents/").text


def test_without_a_site_the_page_says_what_to_do_first(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "No site yet" in client.get("/agents/").text
