"""Services that tests use for real when the machine has them; CI demands them."""

import os
import shutil

import psycopg
import pytest
import redis

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
IS_REQUIRED = bool(os.environ.get("REQUIRE_SERVICES"))


def skip_or_fail(reason: str) -> None:
    """Skip the test, loudly; with REQUIRE_SERVICES, fail it."""
    if IS_REQUIRED:
        pytest.fail(f"{reason} (REQUIRE_SERVICES is set)")
    pytest.skip(reason)


def need_postgres() -> str:
    """Return the URL of a PostgreSQL that answers."""
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        skip_or_fail(f"PostgreSQL does not answer at {POSTGRES_URL}: {error}")
    return POSTGRES_URL


def need_redis() -> str:
    """Return the URL of a Redis that answers."""
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        skip_or_fail(f"Redis does not answer at {REDIS_URL}: {error}")
    return REDIS_URL


def need_chromium() -> str:
    """Return the path of Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    skip_or_fail("Chromium is not installed")
    raise AssertionError
