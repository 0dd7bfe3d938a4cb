"""`operator/` is a source root: as a package it would shadow the standard library's."""

import operator
import sysconfig
from pathlib import Path

import helmwake

ROOT = Path(__file__).parent.parent


def test_the_source_root_is_no_package() -> None:
    assert (ROOT / "operator" / "helmwake").is_dir()
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_operator_is_still_the_standard_librarys() -> None:
    library = Path(sysconfig.get_path("stdlib"))

    assert operator.__file__ is not None
    assert Path(operator.__file__).is_relative_to(library)
    assert operator.add(1, 2) == 3


def test_the_tested_package_is_the_one_beside_the_tests() -> None:
    assert helmwake.__file__ is not None
    assert Path(helmwake.__file__).is_relative_to(ROOT / "operator")
