"""What is shipped says what the operator does, and gives it no more than that."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helmwake.settings.options import OPTIONS
from helmwake.settings.sources import parse_observer

ROOT = Path(__file__).parents[2]
BASE = ROOT / "manifests" / "base"
ROLES = [BASE / name for name in ("cluster-roles.yaml", "ledger.yaml", "reader.yaml")]
FILES = sorted((ROOT / "manifests").rglob("*.yaml"))
OBSERVED = {"secrets", "configmaps", "deployments", "namespaces"}
READ = ["get", "list", "watch"]


def documents(*files: Path) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def one(kind: str) -> dict[str, Any]:
    (found,) = (each for each in documents(*BASE.glob("*.yaml")) if each["kind"] == kind)
    return found


def roles(*kinds: str) -> dict[str, list[dict[str, Any]]]:
    return {
        each["metadata"]["name"]: each["rules"]
        for each in documents(*BASE.glob("*.yaml"))
        if each["kind"] in (kinds or ("ClusterRole", "Role"))
    }


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = one("Deployment")["spec"]["template"]["spec"]
    return spec


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    found: dict[str, Any] = only
    return found


def test_every_rule_has_a_comment_that_says_why() -> None:
    lines = [line for file in ROLES for line in file.read_text(encoding="utf-8").splitlines()]
    rules = [number for number, line in enumerate(lines) if line.startswith("  - apiGroups:")]

    assert len(rules) == sum(len(rules_) for rules_ in roles().values())
    for number in rules:
        assert lines[number - 1].startswith("  # "), lines[number]


def test_what_is_observed_is_only_read() -> None:
    for rule in (rule for rules in roles("ClusterRole").values() for rule in rules):
        if OBSERVED.intersection(rule["resources"]):
            assert rule["verbs"] == READ


def written(kind: str) -> set[tuple[str, str]]:
    return {
        (resource, verb)
        for rules in roles(kind).values()
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if verb not in READ
    }


def test_outside_of_its_own_namespace_only_our_own_status_is_written() -> None:
    assert written("ClusterRole") == {("releaseobservers/status", "patch")}


def test_in_its_own_namespace_the_ledger_is_written_and_one_config_map() -> None:
    assert written("Role") == {
        ("releasetraces", "create"),
        ("releasetraces", "patch"),
        ("releasetraces", "delete"),
        ("releasetraces/status", "patch"),
        ("configmaps", "create"),
        ("configmaps", "patch"),
    }
    (named,) = [each for each in one("Role")["rules"] if "patch" in each["verbs"]
                and each["resources"] == ["configmaps"]]  # fmt: skip
    assert named["resourceNames"] == ["helmwake-progress"]
    assert one("Role")["metadata"]["namespace"] == one("Namespace")["metadata"]["name"]


def test_a_reader_of_the_ledger_reads_nothing_else_and_writes_nothing() -> None:
    assert roles()["helmwake-reader"] == [
        {"apiGroups": ["helmwake.dev"], "resources": ["releasetraces"], "verbs": READ}
    ]


def test_nothing_that_is_shipped_has_a_finalizer() -> None:
    files = [*FILES, *(ROOT / "crds").glob("*.yaml")]

    assert not [each for each in documents(*files) if "finalizers" in each.get("metadata", {})]


def test_nothing_is_granted_by_a_wildcard() -> None:
    assert "*" not in str(roles())


def test_secrets_are_read_by_the_role_that_can_be_bound_to_single_namespaces() -> None:
    assert "secrets" in str(roles()["helmwake-observed"])
    assert "secrets" not in str(roles()["helmwake"])
    assert "namespaces" not in str(roles()["helmwake-observed"])


def test_everything_carries_our_label() -> None:
    for each in documents(*FILES):
        if each["kind"] not in {"Kustomization", "ReleaseObserver"}:
            assert each["metadata"]["labels"]["app.kubernetes.io/name"] == "helmwake"


def test_bindings_bind_our_account_to_roles_that_exist() -> None:
    account = one("ServiceAccount")["metadata"]
    bindings = [each for each in documents(*FILES) if each["kind"].endswith("Binding")]

    assert len(bindings) == 4
    for each in bindings:
        assert each["roleRef"]["name"] in roles()
        (subject,) = each["subjects"]
        assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])


def test_the_deployment_selects_its_own_pods_as_our_account() -> None:
    deployment = one("Deployment")
    template = deployment["spec"]["template"]

    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert pod()["serviceAccountName"] == one("ServiceAccount")["metadata"]["name"]
    assert deployment["metadata"]["namespace"] == one("Namespace")["metadata"]["name"]
    # Two at once would send everything twice.
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("probe", "path"), [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
)
def test_probes_ask_what_is_served_where_it_is_served(probe: str, path: str) -> None:
    (port,) = container()["ports"]

    assert container()[probe]["httpGet"] == {"path": path, "port": port["name"]}
    assert environment()["HELMWAKE_HTTP_ADDRESS"] == f":{port['containerPort']}"


def environment() -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in container()["env"]}


def test_variables_are_ones_that_are_read() -> None:
    assert environment().keys() <= {option.variable for option in OPTIONS}


def test_the_container_can_do_nothing_it_need_not() -> None:
    context = pod()["securityContext"] | container()["securityContext"]

    assert context["runAsNonRoot"] is True
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["resources"]["limits"]["memory"]


def test_the_collectors_address_is_in_one_place() -> None:
    variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
    places = {
        file.relative_to(ROOT).as_posix()
        for file in FILES
        if variable in file.read_text(encoding="utf-8")
    }
    # One for each way to install.
    assert places == {"manifests/kustomization.yaml", "manifests/namespaced/kustomization.yaml"}
    (source,) = container()["envFrom"]
    for place in places:
        (kustomization,) = documents(ROOT / place)
        (generated,) = kustomization["configMapGenerator"]
        assert generated["name"] == source["configMapRef"]["name"]
        assert generated["namespace"] == one("Deployment")["metadata"]["namespace"]


@pytest.mark.parametrize("folder", ["manifests", "manifests/namespaced"])
def test_the_image_is_named_beside_the_collectors_address(folder: str) -> None:
    (kustomization,) = documents(ROOT / folder / "kustomization.yaml")

    (image,) = kustomization["images"]
    assert image["name"] == container()["image"]
    assert image.keys() == {"name", "newName", "newTag"}


def test_the_sample_is_valid_and_shows_every_field_but_the_clusters_name() -> None:
    (sample,) = documents(ROOT / "manifests" / "samples" / "releaseobserver.yaml")

    assert sample["metadata"]["name"] == "default"
    assert parse_observer(sample).values.keys() == {
        "otlp",
        "namespaceSelector",
        "keptn",
        "rolloutLimit",
        "stuckAfter",
        "backfill",
        "retention",
    }


def test_the_image_installs_nothing_unchecked_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = [
        line for line in re.split(r"\n|&&", text) if " install " in line or "wheel " in line
    ]

    assert len(installs) == 4
    for line in installs:
        assert "--require-hashes" in line or "--no-index" in line
    assert f"USER {pod()['securityContext']['runAsUser']}" in text


@pytest.mark.parametrize("name", ["run", "dev", "build"])
def test_every_requirement_has_a_hash_and_no_registry_is_named(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]

    assert pins
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in text
    assert not re.search(r"^protobuf==.*rc", text, flags=re.MULTILINE)


def test_everything_that_is_asked_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {"run": project["project"]["dependencies"], "dev": project["dependency-groups"]["dev"]}

    for name, requirements in asked.items():
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for requirement in requirements:
            package = re.split(r"[<>=!~\[; ]", requirement)[0].lower()
            assert re.search(rf"^{re.escape(package)}==", text, flags=re.MULTILINE), package


def test_development_runs_on_what_is_shipped() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][^ ;\\]*", text, flags=re.MULTILINE))

    assert pins("run") < pins("dev")
    assert pins("build") <= pins("dev")
