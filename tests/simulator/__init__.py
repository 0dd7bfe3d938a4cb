"""An independent simulator of what Helm and Kubernetes write to a cluster.

It imports nothing of `helmwake`: it is the second opinion that our own
reading of Helm's records is tested against. Where to look:

    clock and objects   cluster.py      a small apiserver with virtual time
    one record          release.py      chart, hooks, info, and the payload's bytes
    Helm's storage      storage.py      labels, history, prune
    Deployments         workloads.py    their controller, scale and restart
    Helm's actions      client.py (one process), deliver.py, revert.py
    what really happened truth.py, world.py
    the whole           simulated.py    `SimulatedHelm`, the one to use
    what a watch loses  watching.py     gaps with a re-list, streams that race
    what is left to know sightings.py, evidence.py
    random sequences    strategies.py

Source: helm/helm v4.3.1 and v3.22.0, pkg/action and pkg/storage.
"""
