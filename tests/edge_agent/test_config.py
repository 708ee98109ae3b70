"""Settings come from one place, and a hub that is not encrypted is refused unless it is here."""

from pathlib import Path

import pytest

from edge_agent.config import BadConfig, checked_hub_url, load_config


def test_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FARWATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FARWATCH_HUB_URL", "https://hub.example.org/")
    monkeypatch.setenv("FARWATCH_SECRET_KEY", "the hub's, and none of our business")
    config = load_config()
    assert (config.data_dir, config.hub_url) == (tmp_path, "https://hub.example.org")
    assert config.resolved_cache_dir == tmp_path / "cache"
    assert config.ledger is None


def test_the_command_line_beats_the_environment_and_that_beats_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('device = "GPU"\nlog_level = "debug"\nledger = "from_file"\n')
    monkeypatch.setenv("FARWATCH_LOG_LEVEL", "error")
    config = load_config(file, ledger=Path("from_line"))
    assert (config.device, config.log_level, config.ledger) == ("GPU", "error", Path("from_line"))


def test_settings_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_config().device = "GPU"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000", "http://localhost", "http://[::1]:80", "http://127.9.9.9/",
        "https://hub.example.org", "https://hub.example.org:8443/farwatch",
    ],
)  # fmt: skip
def test_safe_addresses_are_taken(url: str) -> None:
    assert checked_hub_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example.org", "http://10.0.0.7", "http://0.0.0.0", "ws://127.0.0.1",
        "wss://hub.example.org", "ftp://127.0.0.1", "hub.example.org", "", "https://",
        "http://localhost.example.org", "http://127.0.0.1.example.org", "http://127.1@evil.org",
        "https://user:secret@hub.example.org", "https://hub.example.org/?a=b",
        "http://2130706433", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"hub|http"):
        checked_hub_url(url)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('hub_url = "http://hub.example.org"', "not encrypted"),
        ("outbox_max_mb = 0", "outbox_max_mb"),
        ('log_format = "xml"', "log_format"),
        ("device = ", "TOML"),
    ],
)
def test_a_wrong_setting_is_told_in_words(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(content)
    with pytest.raises(BadConfig, match=words):
        load_config(file)


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no settings file"):
        load_config(tmp_path / "nothing.toml")


def test_systemd_says_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert (load_config().notify_socket, load_config().watchdog_usec) == ("", 0)
    monkeypatch.setenv("NOTIFY_SOCKET", "@/org/freedesktop/systemd1/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    config = load_config()
    assert config.notify_socket == "@/org/freedesktop/systemd1/notify"
    assert config.watchdog_usec == 60_000_000


def test_several_devices_may_be_named_but_not_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARWATCH_DEVICE", "GPU,CPU")
    monkeypatch.setenv("FARWATCH_INFERENCE_MODE", "latency")
    monkeypatch.setenv("FARWATCH_INFERENCE_REQUESTS", "4")
    config = load_config()
    assert (config.device, config.inference_mode, config.inference_requests) == (
        "GPU,CPU", "latency", 4,
    )  # fmt: skip
    with pytest.raises(BadConfig, match="device: no device is named"):
        load_config(device=",")
