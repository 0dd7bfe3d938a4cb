"""Resource versions, compared."""


def is_newer(version: str, known: str) -> bool:
    """Tell whether a version comes after the known one, of the same kind.

    Source: Kubernetes, KEP-5504: resource versions of a kind are ordered numbers. Anything
    else counts as newer if it differs.
    """
    if version.isdigit() and known.isdigit():
        return int(version) > int(known)
    return version != known
