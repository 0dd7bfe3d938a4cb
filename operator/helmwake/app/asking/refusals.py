"""What to do when the cluster does not let the ledger be read."""

from helmwake.cluster.errors import (
    ApiError,
    CredentialsError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)


def refusal(error: ApiError, *, namespace: str) -> str:
    """Say in one line what is wrong and what to do."""
    match error:
        case NotFoundError():
            return (
                "the cluster has no releasetraces: kubectl apply -k manifests/ installs Helmwake"
            )
        case ForbiddenError():
            return (
                f"you may not list releasetraces in {namespace}: let an administrator run "
                f"kubectl create rolebinding NAME -n {namespace} "
                "--clusterrole=helmwake-reader --user=YOU"
            )
        case UnauthorizedError():
            return "the cluster does not know you (401): log in again, or choose --context NAME"
        case CredentialsError():
            return f"{error}; give --kubeconfig FILE or a --context NAME that is in it"
        case UnavailableError():
            # Who asks wants to know where, not what for.
            where = str(error).rpartition(" at ")[2]
            return f"the cluster cannot be reached at {where}; choose --kubeconfig or --context"
    return str(error)
