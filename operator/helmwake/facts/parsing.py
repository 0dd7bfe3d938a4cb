"""Object -> fact: the one door through which the cluster enters."""

from helmwake.facts.change import Change
from helmwake.facts.helm import Record, is_record, parse_record
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.namespaces import Namespace, parse_namespace
from helmwake.facts.workloads import Workload, parse_workload

Observed = Record | Workload | Namespace


def parse_change(change: Change, *, keys: KeptnKeys) -> Observed | None:
    """Turn a changed object into a fact; `None` where it is nothing that is followed.

    Raises:
        BadObjectError: it claims to be one of those, and cannot be read.
    """
    match change.object.get("kind"):
        case "Secret" | "ConfigMap" if is_record(change.object):
            return parse_record(change, keys=keys)
        case "Deployment":
            return parse_workload(change, keys=keys)
        case "Namespace":
            return parse_namespace(change, keys=keys)
        case _:
            return None
