"""What our pages may load and run."""

import re
from pathlib import Path

import pytest
from django.test import Client

from webapp.accounts.models import User

ROOT = Path(__file__).parents[3]
PAGES = ("/", "/events/", "/agents/", "/nothing/")


@pytest.mark.parametrize("path", PAGES)
def test_it_works(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_login_page_has_it_too(client: Client) -> None:
    assert "script-src 'self';" in client.get("/login/").headers["Content-Security-Policy"]


def test_the_admin_has_one_of_its_own(client: Client, alice: User) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client.force_login(alice)
    policy = client.get("/admin/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy


def test_no_template_of_ours_runs_anything_inline_or_from_elsewhere() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        for script in re.findall(r"<script\b[^>]*>", text):
            assert 'src="{% static' in script, (path, script)
        assert not re.search(r"\son\w+=", text), path
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path


def test_no_stylesheet_or_script_of_ours_loads_from_elsewhere() -> None:
    for folder in ("css", "js"):
        for path in (ROOT / "static" / folder).rglob("*.*"):
            addresses = re.findall(
                r"""(?:url\(|from |import )["']?(?:https?:)?//""", path.read_text()
            )
            assert addresses == [], path
