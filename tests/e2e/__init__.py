"""The operator on a real control plane, driven by the real Helm 3 and Helm 4.

| module | what it is about |
|---|---|
| scenarios | what Helm is made to do, and what the operator must show of it |
| expected, helm, workload, counting | an expectation, Helm as a scenario calls it, what Helm did |
| programs, installing | `helmwake run` and `helmwake record` as a user runs them |
| playing | all of it once, at the same time; tests read what came of it |
| spans | spans as Jaeger and as a replay give them |
"""
