"""An operator's home: its namespace with the ledger, its account, and all that is shipped."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tests.chaos.lives import Operator
from tests.controlplane.api import ApiError
from tests.controlplane.waiting import POLL_SECONDS, wait_for
from tests.e2e.installing import ACCOUNT, MANIFESTS, NAMESPACE
from tests.e2e.ledger.backend import SECONDS, Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane

T = TypeVar("T")
LABEL: Final = "helmwake.test/home"
HTTP_LATER: Final = 429
RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
LEDGER_ROLE: Final = "helmwake-ledger"
READER_ROLE: Final = "helmwake-reader"
CLUSTER_BINDINGS: Final = ("helmwake", "helmwake-observed")
CRD: Final = "releasetraces.helmwake.dev"
PROGRESS: Final = "helmwake-progress"
STATE_LABEL: Final = "helmwake.dev/state"
DEPLOYING: Final = {"install", "upgrade", "rollback"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Everything of one operator; only what happens in namespaces with its label concerns it."""

    cluster: ControlPlane
    name: str
    directory: Path
    backend: Backend
    operator: Operator

    @property
    def ledger(self) -> str:
        """The operator's own namespace."""
        return f"home-of-{self.name}"

    @property
    def user(self) -> str:
        """As the audit log names it."""
        return f"system:serviceaccount:{NAMESPACE}:{account_of(self.name)}"

    @property
    def traces(self) -> str:
        return f"/apis/helmwake.dev/v1alpha1/namespaces/{self.ledger}/releasetraces"

    @property
    def progress(self) -> str:
        return f"/api/v1/namespaces/{self.ledger}/configmaps/{PROGRESS}"

    def build(self) -> None:
        """Make the namespace, and give the account in it what it has in the shipped one."""
        self.cluster.create_namespace(self.ledger)
        self.give_rights()

    def give_rights(self) -> None:
        subject = _subject(self.name)
        for kind in ("roles", "rolebindings"):
            shipped = self.cluster.api.get(f"{RBAC}/namespaces/{NAMESPACE}/{kind}/{LEDGER_ROLE}")
            body = {key: shipped[key] for key in ("rules", "roleRef") if key in shipped}
            body |= {"metadata": {"name": LEDGER_ROLE}}
            body |= {"subjects": [subject]} if "roleRef" in body else {}
            self.cluster.api.create(f"{RBAC}/namespaces/{self.ledger}/{kind}", body)

    def take_rights(self) -> None:
        for kind in ("rolebindings", "roles"):
            path = f"{RBAC}/namespaces/{self.ledger}/{kind}/{LEDGER_ROLE}"
            self.cluster.api.delete(path)

    def observed(self, namespace: str, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a namespace in which this operator looks."""
        self.cluster.create_namespace(namespace, labels={LABEL: self.name, **(labels or {})})
        return namespace

    def reader(self) -> Path:
        """A person's login who may ask this ledger, and nothing else."""
        accounts = f"/api/v1/namespaces/{self.ledger}/serviceaccounts"
        self.cluster.api.create(accounts, {"metadata": {"name": "reader"}})
        subject = f"--serviceaccount={self.ledger}:reader"
        role = f"--clusterrole={READER_ROLE}"
        self.cluster.kubectl("create", "rolebinding", "readers", "-n", self.ledger, role, subject)
        token = self.cluster.token_for(self.ledger, "reader")
        return self.cluster.kubeconfig_for(token, namespace=self.ledger)

    def entries(self) -> dict[str, Any]:
        """Return what the ledger has, by name."""
        listed = patiently(lambda: self.cluster.api.items(self.traces))
        return {each["metadata"]["name"]: each for each in listed}

    def entry(self, namespace: str, release: str, revision: int = 1) -> Any:
        """Return the entry of a revision's install or upgrade; None where there is none."""
        wanted = {"release": {"namespace": namespace, "name": release}, "revision": revision}
        for each in self.entries().values():
            spec = each["spec"]
            if wanted.items() <= spec.items() and spec["operation"] in DEPLOYING:
                return each
        return None

    def wait_for_entry(
        self,
        namespace: str,
        release: str,
        revision: int = 1,
        *,
        that: Callable[[Any], bool],
        what: str,
    ) -> Any:
        """Wait for an entry of which this holds."""

        def look() -> Any:
            found = self.entry(namespace, release, revision)
            return found if found is not None and that(found) else None

        said = f"the entry of {namespace}/{release} {revision} to be {what}"
        return wait_for(said, look, seconds=SECONDS)

    def wait_until_rolling(self, namespace: str, release: str, revision: int = 1) -> Any:
        """Wait until Helm's part is over and read, and the rollout is under way."""
        return self.wait_for_entry(
            namespace, release, revision, that=_is_rolling, what="rolling out"
        )

    def wait_until_delivered(self, namespace: str, release: str, revision: int = 1) -> Any:
        """Wait for both its status and its label, which comes after that."""

        def is_delivered(found: Any) -> bool:
            label = found["metadata"].get("labels", {}).get(STATE_LABEL)
            return (state_of(found), label) == ("Delivered", "delivered")

        return self.wait_for_entry(
            namespace, release, revision, that=is_delivered, what="delivered"
        )

    @property
    def log(self) -> str:
        """What the present life has said, or the last one."""
        return self.operator.lives[-1].log.read_text(encoding="utf-8", errors="replace")

    def said(self, *words: str) -> list[str]:
        """Return the lines of this life's log with all of these words."""
        return [line for line in self.log.splitlines() if all(word in line for word in words)]

    def begin(self, *flags: str, ready: bool = True) -> None:
        """Start the operator's next life."""
        self.operator.start(*flags)
        if ready:
            assert self.operator.wait_until_ready(), self.log


def patiently(ask: Callable[[], T]) -> T:
    """Ask again where the apiserver says later: it makes a kind's storage anew with its CRD."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return ask()
        except ApiError as error:
            if error.status != HTTP_LATER or time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def state_of(entry: Any) -> str | None:
    found = entry.get("status", {}).get("state")
    return None if found is None else str(found)


def _is_rolling(entry: Any) -> bool:
    status = entry.get("status", {})
    rolling = any("ended" not in each for each in status.get("rollouts", ()))
    return rolling and "payload" in status


def account_of(name: str) -> str:
    return f"{ACCOUNT}-of-{name}"


@contextmanager
def home_of(
    cluster: ControlPlane, name: str, directory: Path, *, built: bool = True
) -> Iterator[Home]:
    """Set all up but the operator's first life. The account is one of its own: it is audited."""
    install(cluster)
    login = _login(cluster, name)
    with ExitStack() as stack:
        backend = stack.enter_context(Backend())
        environment = {
            "HELMWAKE_KUBECONFIG": str(login),
            "HELMWAKE_NAMESPACE": f"home-of-{name}",
            "HELMWAKE_NAMESPACE_SELECTOR": f"{LABEL}={name}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{backend.port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        }
        operator = stack.enter_context(Operator(directory, environment=environment))
        home = Home(
            cluster=cluster, name=name, directory=directory, backend=backend, operator=operator
        )
        if built:
            home.build()
        yield home


def install(cluster: ControlPlane) -> None:
    """Apply what is shipped. Its own operator has no pods here."""
    cluster.kubectl("apply", "-k", str(MANIFESTS))
    cluster.kubectl("scale", "-n", NAMESPACE, f"deployment/{ACCOUNT}", "--replicas=0")
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}")


def _subject(name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": account_of(name), "namespace": NAMESPACE}


def _login(cluster: ControlPlane, name: str) -> Path:
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    cluster.api.create(accounts, {"metadata": {"name": account_of(name)}})
    for binding in CLUSTER_BINDINGS:
        shipped = cluster.api.get(f"{RBAC}/clusterrolebindings/{binding}")
        body = {
            "metadata": {"name": f"{binding}-of-{name}"},
            "roleRef": shipped["roleRef"],
            "subjects": [_subject(name)],
        }
        cluster.api.create(f"{RBAC}/clusterrolebindings", body)
    token = cluster.token_for(NAMESPACE, account_of(name))
    return cluster.kubeconfig_for(token, namespace=NAMESPACE)
