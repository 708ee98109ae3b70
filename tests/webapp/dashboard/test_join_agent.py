"""Making the command that lets an agent join."""

import re
from http import HTTPStatus

from django.test import Client

from webapp.accounts.models import Membership, Role, User
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


def test_the_first_site_is_made_on_the_way(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post("/agents/join/", {"site": "", "new_site": "Harbour"})
    assert answer.status_code == HTTPStatus.OK
    token = JoinToken.objects.get()
    assert token.site.name == "Harbour"
    assert token.site.organization == alice.organizations.get()


def test_without_any_site_the_page_asks_for_a_name(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post("/agents/join/", {"site": "", "new_site": ""})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Name the site" in answer.text
    assert not JoinToken.objects.exists()


def test_a_name_that_is_taken_is_told(client: Client, alice: User, site: Site) -> None:
    client.force_login(alice)
    answer = client.post("/agents/join/", {"site": "", "new_site": site.name})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "already exists" in answer.text


def test_who_is_in_several_organizations_says_which(
    client: Client, alice: User, charlie: User
) -> None:
    elsewhere = charlie.organizations.get()
    Membership.objects.create(user=alice, organization=elsewhere, role=Role.ADMIN)
    client.force_login(alice)
    wish = {"site": "", "new_site": "Annex"}
    answer = client.post("/agents/join/", wish)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "which one you mean" in answer.text
    answer = client.post("/agents/join/", wish | {"organization": str(elsewhere.pk)})
    assert answer.status_code == HTTPStatus.OK
    assert Site.objects.get().organization == elsewhere


def test_an_operator_elsewhere_makes_no_site_there(
    client: Client, alice: User, charlie: User
) -> None:
    elsewhere = charlie.organizations.get()
    Membership.objects.create(user=alice, organization=elsewhere, role=Role.OPERATOR)
    client.force_login(alice)
    wish = {"site": "", "new_site": "Annex", "organization": str(elsewhere.pk)}
    assert client.post("/agents/join/", wish).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Site.objects.exists()
