"""The store: what is acknowledged is kept, a transaction is kept whole or not at all."""

import sqlite3
import time

import pytest

from fhirpkg.errors import SourceError
from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.storing.store import Store
from tests.server.client import Client, entry, rules_of
from tests.servers.embedded import running

BASIC = {"resourceType": "Basic", "id": "b"}


def test_a_store_keeps_its_resources_until_it_is_opened_again(tmp_path):
    with Store(tmp_path / "s.db") as store:
        store.write(BASIC, "PUT")
        store.write(BASIC | {"language": "de"}, "PUT")
    with Store(tmp_path / "s.db") as store:
        version = store.current("Basic", "b")
        assert (version.version, version.method) == (2, "PUT")
        assert version.resource()["language"] == "de"


def test_what_is_acknowledged_is_on_the_disk(tmp_path):
    with Store(tmp_path / "s.db") as store:
        assert store.query("PRAGMA journal_mode") == [("wal",)]
        assert store.query("PRAGMA synchronous") == [(2,)], "FULL: each commit waits for the disk"


def write_and_fail(store, resource):
    with store.transaction():
        store.write(resource, "PUT")
        raise ZeroDivisionError


def test_an_exception_undoes_the_whole_transaction():
    with Store() as store:
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store, BASIC)
        assert store.current("Basic", "b") is None


def test_an_inner_transaction_can_fail_alone():
    with Store() as store:
        with store.transaction():
            store.write(BASIC, "PUT")
            with pytest.raises(ZeroDivisionError):
                write_and_fail(store, BASIC | {"id": "c"})
        assert store.current("Basic", "b") is not None
        assert store.current("Basic", "c") is None


def test_meta_stands_after_the_id_with_the_servers_parts_first():
    with Store() as store:
        tagged = {"resourceType": "Basic", "language": "de", "meta": {"tag": []}, "id": "b"}
        version, _ = store.write(tagged, "PUT")
        assert list(version.resource()) == ["resourceType", "id", "meta", "language"]
        assert list(version.resource()["meta"]) == ["versionId", "lastUpdated", "tag"]


def test_amending_changes_the_content_of_the_version(tmp_path):
    with Store(tmp_path / "s.db") as store:
        version, _ = store.write(BASIC | {"meta": {"tag": [{"code": "x"}]}}, "PUT")
        store.amend(version, BASIC)
        assert store.current("Basic", "b").resource()["meta"].keys() == {"versionId", "lastUpdated"}
        again, new = store.write(BASIC, "PUT")
        assert (again.version, new) == (1, False)


def test_one_store_is_for_one_process(tmp_path):
    with Store(tmp_path / "s.db"), pytest.raises(SourceError, match="in use by another"):
        Store(tmp_path / "s.db")


def test_a_database_that_is_not_ours_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE t (x)")
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(SourceError, match="no store of fhirpkg"):
        Store(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["theirs.db"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("notes " * 1000)
    with pytest.raises(SourceError, match="no store of fhirpkg"):
        Store(path)
    assert path.read_text() == "notes " * 1000


def test_a_store_of_a_later_layout_is_refused(tmp_path):
    Store(tmp_path / "s.db").close()
    with sqlite3.connect(tmp_path / "s.db") as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(SourceError, match="layout 99"):
        Store(tmp_path / "s.db")


def test_a_store_in_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        Store(tmp_path / "none" / "s.db")


def test_a_full_disk_refuses_the_write_and_keeps_what_was_there(tmp_path):
    endpoint = open_endpoint(tmp_path / "s.db")
    with running(endpoint=endpoint) as base:
        client = Client(base)
        client.put(BASIC)
        endpoint.store.query("PRAGMA max_page_count = 60")
        large = BASIC | {"id": "large", "language": "x" * 100_000}
        for refused in (client.put(large), client.bundle(entry("PUT", "Basic/large", large))):
            assert (refused.status_code, rules_of(refused)) == (507, ["server-storage"])
        endpoint.store.query("PRAGMA max_page_count = 100000")
        assert client.get("Basic/large").status_code == 404
        assert client.put(BASIC).headers["ETag"] == 'W/"1"'
        assert client.put(large).status_code == 201


def test_versions_are_dated_when_they_are_written():
    with Store() as store:
        before = time.time_ns() // 1000 - 1000
        version, _ = store.write(BASIC, "PUT")
        assert before <= version.updated <= time.time_ns() // 1000
