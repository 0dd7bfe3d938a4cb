"""The version of the installed package."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("helmwake")
except PackageNotFoundError:  # a source tree that was never installed
    VERSION = "0.0.0"
