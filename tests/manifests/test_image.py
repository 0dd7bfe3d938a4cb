"""The image, as far as no container engine is needed: the Dockerfile's own steps, in a folder."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from helmwake.version import VERSION
from tests.controlplane import toolbox

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "Dockerfile"
# What the Dockerfile makes outside of its working directory.
FOLDERS: Final = ("app", "build", "dist")


def instructions() -> Iterator[tuple[str, str]]:
    """Yield (instruction, arguments), continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word:
            yield word, " ".join(rest.split())


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = [[]]
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the index gives for the lock files, fetched once per machine: that takes long."""
    locks = [ROOT / "requirements" / f"{name}.txt" for name in ("run", "build")]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in locks)).hexdigest()[:16]
    folder = toolbox.cache() / f"wheels-{sys.implementation.cache_tag}-{platform.machine()}-{key}"
    if not folder.is_dir():
        half = tmp_path_factory.mktemp("wheels")
        arguments = [f"-r{file}" for file in locks]
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, *arguments, "-d", half], check=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(half, folder)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Path:
    """The folder that stands for the image's root, after the first stage's steps."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    source.mkdir()
    # `python` and `pip` are those we run with, in place of the base image's.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for word, rest in stages()[1]:
        if word == "COPY":
            *copied, to = rest.split()
            copy(copied, source / to)
        elif word == "RUN":
            command = re.sub(rf"(?<!\S)/({'|'.join(FOLDERS)})\b", rf"{root}/\1", rest)
            # Most of it is not run here, so that compiling it would only take time.
            command = command.replace("--no-cache-dir", "--no-compile")
            done = subprocess.run(
                ["sh", "-ec", command],
                cwd=source,
                env={
                    **os.environ,
                    "PATH": path,
                    "PIP_FIND_LINKS": str(wheels),
                    "PIP_NO_INDEX": "1",
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
    return root


def copy(names: list[str], to: Path) -> None:
    for name in names:
        file = ROOT / name
        if file.is_dir():
            shutil.copytree(file, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, to)


def run(image: Path, *command: str) -> str:
    """Run a program of the image's as the last stage does: nothing of ours around it."""
    done = subprocess.run(
        [image / "app" / "bin" / command[0], *command[1:]],
        cwd=image,
        env={"PATH": f"{image}/app/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_steps_install_is_this_version(image: Path) -> None:
    assert VERSION in run(image, "helmwake", "--version")


def test_what_the_container_runs_is_there(image: Path) -> None:
    (entry,) = (yaml.safe_load(rest) for word, rest in stages()[-1] if word == "ENTRYPOINT")
    (arguments,) = (yaml.safe_load(rest) for word, rest in stages()[-1] if word == "CMD")

    shown = run(image, *entry, *arguments, "--help")

    for flag in ("--otlp-endpoint", "--backfill", "--retention-age", "--namespace"):
        assert flag in shown


def test_it_is_kubectls_plugin_too(image: Path) -> None:
    assert "spans" in run(image, "kubectl-helmwake", "--help")


def test_what_runs_can_install_nothing(image: Path) -> None:
    names = {
        each.name.partition("-")[0] for each in image.glob("app/lib*/python*/site-packages/*")
    }

    assert "helmwake" in names
    assert not names & {"pip", "hatchling", "pytest", "mypy"}


def test_the_wheel_holds_the_package_and_nothing_beside_it(image: Path) -> None:
    (wheel,) = (image / "dist").glob("*.whl")

    with zipfile.ZipFile(wheel) as files:
        folders = {name.partition("/")[0] for name in files.namelist()}
    assert folders == {"helmwake", f"helmwake-{VERSION}.dist-info"}


def test_both_stages_have_the_base_that_can_be_chosen() -> None:
    """A base of another Python would not find what the first stage installed."""
    ((argument, default),) = stages()[0]
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]

    assert (argument, default.partition("=")[0]) == ("ARG", "PYTHON")
    assert bases == ["${PYTHON}", "${PYTHON}"]


def test_what_is_copied_is_let_through() -> None:
    let_through = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        Path(name).parts[0]
        for word, rest in stages()[1]
        if word == "COPY"
        for name in rest.split()[:-1]
    }
    assert copied == let_through


def rendered(folder: Path) -> dict[str, Any]:
    """Render as `kubectl apply -k` does; give the Deployment's only container."""
    kubectl = toolbox.locate(toolbox.KUBERNETES, "kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", folder], capture_output=True, text=True, check=True
    )
    every = list(yaml.safe_load_all(done.stdout))
    (deployment,) = (each for each in every if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (variables,) = (
        each["data"]
        for each in every
        if each["kind"] == "ConfigMap"
        and each["metadata"]["name"] == container["envFrom"][0]["configMapRef"]["name"]
    )
    return {**container, "variables": variables}


@pytest.mark.parametrize("folder", ["manifests", "manifests/namespaced"])
def test_image_and_collector_are_set_in_one_file(tmp_path: Path, folder: str) -> None:
    for name in ("manifests", "crds"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / folder / "kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    for before, after in {
        "newName: helmwake": "newName: registry.example:5000/team/helmwake",
        "newTag: 0.1.0": "newTag: v7",
        "=http://otel-collector.observability:4317": "=https://collector.example:4317",
    }.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")

    container = rendered(tmp_path / folder)

    assert container["image"] == "registry.example:5000/team/helmwake:v7"
    assert (
        container["variables"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://collector.example:4317"
    )


@pytest.mark.parametrize("folder", ["manifests", "manifests/namespaced"])
def test_as_it_is_shipped_the_image_has_this_version(folder: str) -> None:
    container = rendered(ROOT / folder)

    assert container["image"] == f"helmwake:{VERSION}"
    # Of the entrypoint: the image's own.
    assert "command" not in container
    assert container["args"] == ["run"]
