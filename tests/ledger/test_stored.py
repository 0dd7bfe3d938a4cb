"""What an earlier version wrote is read as what it meant, for ever after."""

import pytest

from helmwake.ledger.documents import entry_labels, parse_entry, to_status
from helmwake.ledger.entry import Entry
from tests.ledger.kept import KEPT, stored
from tests.ledger.test_patching import merged


@pytest.mark.parametrize(("name", "entry"), KEPT.items(), ids=KEPT)
def test_it_means_what_it_meant(name: str, entry: Entry) -> None:
    assert parse_entry(stored(name)) == entry


@pytest.mark.parametrize(("name", "entry"), KEPT.items(), ids=KEPT)
def test_it_is_found_as_before(name: str, entry: Entry) -> None:
    assert entry_labels(entry) == stored(name)["metadata"]["labels"]


@pytest.mark.parametrize(("name", "entry"), KEPT.items(), ids=KEPT)
def test_what_this_version_writes_over_it_takes_nothing_away(name: str, entry: Entry) -> None:
    """Else an older version, put back, could not read what was its own."""
    before = stored(name)["status"]

    assert merged(to_status(entry), before) == to_status(entry)
