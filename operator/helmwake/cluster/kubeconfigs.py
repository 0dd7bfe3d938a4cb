"""`kubernetes.aio.config`, without all that its packages import beside it.

Whoever imports anything of `kubernetes` gets its synchronous client too, and with that requests,
oauthlib and websocket: 8 MB and 0.1 s, which nobody here uses. The library knows no narrower
way. So its two packages are kept closed: their modules can be imported, and their own `__init__`
runs when somebody misses what it defines.
"""

import sys
from importlib.util import find_spec, module_from_spec


def keep_closed(name: str) -> None:
    """Let the modules in a package be imported without its `__init__`, until that is missed.

    Changes nothing where the package has been imported. Not `importlib.util.LazyLoader`:
    that one's packages open as soon as a module in them is imported.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def open_for(attribute: str) -> object:
        # First of all: `__init__` misses things itself, and is not to be run again for them.
        vars(package).pop("__getattr__", None)
        loader.exec_module(package)
        return getattr(package, attribute)

    vars(package)["__getattr__"] = open_for
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


keep_closed("kubernetes")
keep_closed("kubernetes.aio")

# HAZARD: `from kubernetes.aio import config` would look for it in the package first, and open it.
from kubernetes.aio.client.configuration import Configuration  # noqa: E402
from kubernetes.aio.config import (  # noqa: E402
    ConfigException,
    load_incluster_config,
    load_kube_config,
)

__all__ = ["ConfigException", "Configuration", "load_incluster_config", "load_kube_config"]
