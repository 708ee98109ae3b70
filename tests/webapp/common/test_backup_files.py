"""A backup that is not whole or not for this hub is refused before anything is touched."""

import io
import sqlite3
import tarfile
from pathlib import Path

import msgspec
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import START
from webapp.accounts.models import Organization
from webapp.common.backup.archive import (
    BadBackup,
    Manifest,
    Partition,
    Writer,
    read_manifest,
    read_parts,
    verify,
    whole_file,
)
from webapp.common.backup.files import Files
from webapp.common.backup.postgres import make_partitions
from webapp.common.backup.progress import Bar, size_in_words
from webapp.common.backup.restoring import HasData, refuse_foreign, refuse_occupied
from webapp.common.backup.sqlite import InUse, refuse_in_use

PICTURE = bytes(range(256)) * 1000


def silent(_n_bytes: int) -> None:
    pass


def manifest(**fields: object) -> Manifest:
    made = Manifest(
        made_at=START, version="1", engine="sqlite", engine_version="3", migrations=(), tables=()
    )
    return msgspec.structs.replace(made, **fields)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A whole backup of one picture and one word."""
    path = tmp_path / "hub.backup"
    with whole_file(path) as file:
        writer = Writer(file, made_at=START)
        writer.add("media/aa/picture", io.BytesIO(PICTURE), len(PICTURE), silent)
        writer.add("keys/secret_key", io.BytesIO(b"secret"), 6, silent)
        writer.finish(manifest())
    return path


def checked(path: Path) -> Manifest:
    found = read_manifest(path)
    verify(path, found, silent)
    return found


def test_it_works(backup: Path) -> None:
    assert [part.name for part in checked(backup).parts] == ["media/aa/picture", "keys/secret_key"]
    assert {name: part.read() for name, part in read_parts(backup, silent)} == {
        "media/aa/picture": PICTURE,
        "keys/secret_key": b"secret",
    }
    assert backup.stat().st_mode & 0o777 == 0o600


def test_one_changed_byte_is_noticed(backup: Path) -> None:
    body = bytearray(backup.read_bytes())
    body[body.index(PICTURE) + 1000] ^= 1
    backup.write_bytes(body)
    with pytest.raises(BadBackup, match="media/aa/picture is damaged"):
        checked(backup)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_ends_too_soon_is_noticed(backup: Path, share: float) -> None:
    body = backup.read_bytes()
    backup.write_bytes(body[: int(len(body) * share)])
    with pytest.raises(BadBackup):
        checked(backup)


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear hub, " * 1000)
    with pytest.raises(BadBackup, match="cannot be read"):
        checked(path)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "media/../../evil"])
def test_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.backup"
    with path.open("wb") as file:
        writer = Writer(file, made_at=START)
        writer.add(name, io.BytesIO(b"x"), 1, silent)
        writer.finish(manifest())
    with pytest.raises(BadBackup, match="no place in a backup"):
        checked(path)


def test_a_link_is_refused(tmp_path: Path, backup: Path) -> None:
    with tarfile.open(backup, "a") as tar:
        link = tarfile.TarInfo("media/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadBackup, match="no place in a backup"):
        checked(backup)


def test_a_part_more_or_less_than_the_manifest_says_is_refused(backup: Path) -> None:
    found = checked(backup)
    with pytest.raises(BadBackup, match="not in its manifest"):
        verify(backup, msgspec.structs.replace(found, parts=found.parts[1:]), silent)
    more = (*found.parts, msgspec.structs.replace(found.parts[0], name="media/bb/other"))
    with pytest.raises(BadBackup, match="media/bb/other is missing"):
        verify(backup, msgspec.structs.replace(found, parts=more), silent)


def test_a_backup_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "hub.backup") as file:
            file.write(b"half")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_command_refuses_a_damaged_file_in_words(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:1000])
    with pytest.raises(CommandError, match="cannot be restored"):
        call_command("restore", str(backup), check=True)


@pytest.mark.django_db
def test_a_backup_is_not_written_over_another(backup: Path) -> None:
    with pytest.raises(CommandError, match="there already"):
        call_command("backup", str(backup))


def test_files_come_back_as_they_were_and_others_go(tmp_path: Path, backup: Path) -> None:
    old = Files(FileSystemStorage(tmp_path / "old" / "media"), tmp_path / "old", "the key")
    old.storage.save("aa/picture", ContentFile(PICTURE))
    old.storage.save("aa/.half", ContentFile(b"written half"))
    (tmp_path / "old" / "archive" / "acme").mkdir(parents=True)
    (tmp_path / "old" / "archive" / "acme" / "2026-01-01.parquet").write_bytes(b"PAR1")
    path = tmp_path / "files.backup"
    with whole_file(path) as file:
        writer = Writer(file, made_at=START)
        assert old.save(writer, silent) == 2
        writer.finish(manifest())

    new = Files(FileSystemStorage(tmp_path / "new" / "media"), tmp_path / "new", "other")
    assert new.is_empty()
    new.storage.save("zz/other", ContentFile(b"of another hub"))
    assert not new.is_empty()
    new.clear()
    for name, part in read_parts(path, silent):
        assert new.load(name, part)
    found = {
        path.relative_to(tmp_path / "new").as_posix(): path.read_bytes()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }
    assert found == {
        "media/aa/picture": PICTURE,
        "archive/acme/2026-01-01.parquet": b"PAR1",
        "secret_key": b"the key",
    }


@pytest.mark.django_db
def test_a_hub_with_data_is_not_overwritten(acme: Organization, tmp_path: Path) -> None:
    files = Files(FileSystemStorage(tmp_path), tmp_path, "")
    with pytest.raises(HasData, match="has rows"):
        refuse_occupied(files)


@pytest.mark.django_db
def test_a_hub_that_was_only_migrated_counts_as_empty(tmp_path: Path) -> None:
    refuse_occupied(Files(FileSystemStorage(tmp_path), tmp_path, ""))


@pytest.mark.django_db
def test_a_backup_of_another_database_or_of_a_newer_version_is_refused() -> None:
    refuse_foreign(manifest(engine=connection.vendor, migrations=(("jobs", "0001_initial"),)))
    with pytest.raises(BadBackup, match="of a hub on oracle"):
        refuse_foreign(manifest(engine="oracle"))
    with pytest.raises(BadBackup, match=r"newer than this one \(migration jobs.9999_future\)"):
        refuse_foreign(manifest(engine=connection.vendor, migrations=(("jobs", "9999_future"),)))


@pytest.mark.django_db
def test_bounds_of_a_partition_are_no_place_for_other_statements() -> None:
    evil = Partition("results_x", "results_result", "DEFAULT; DROP TABLE accounts_user")
    connection.ensure_connection()
    with pytest.raises(BadBackup, match="cannot be read"):
        make_partitions(connection.connection, (evil,))


def test_a_sqlite_file_that_somebody_has_open_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    reader = sqlite3.connect(path)
    reader.execute("PRAGMA journal_mode=WAL")
    reader.execute("CREATE TABLE t (x)")
    reader.execute("SELECT * FROM t").fetchall()
    with pytest.raises(InUse):
        refuse_in_use(path)
    reader.close()
    refuse_in_use(path)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else() -> None:
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        bar = Bar(out, "Files", 1000)
        bar.tell(500)
        bar.finish()
    assert "50%" in terminal.getvalue()
    assert terminal.getvalue().endswith("100%  500 B \n")
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("n_bytes", "words"), [(0, "0 B"), (999, "999 B"), (12_400_000, "12.4 MB"), (3e12, "3 TB")]
)
def test_sizes_are_said_in_words(n_bytes: float, words: str) -> None:
    assert size_in_words(n_bytes) == words
