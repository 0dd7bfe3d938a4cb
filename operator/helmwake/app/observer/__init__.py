"""Our own configuration: the ReleaseObserver named `default`, as it changes."""

from helmwake.app.observer.observer import Observer
from helmwake.app.observer.reconciler import Apply
from helmwake.app.observer.status import DeliveryState

__all__ = ["Apply", "DeliveryState", "Observer"]
