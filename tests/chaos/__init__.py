"""The operator killed and its collector away while Helm works: nothing may be lost.

| module | what it is about |
|---|---|
| work | what Helm is made to do, in parallel |
| truth, records | what Helm did, and for how long the cluster shows it |
| lives, collector, breaking | the operator and the collector as processes, and their ends |
| sink, spans | what arrived behind the collector |
| verdict, counting | what of it is missing, or too much, in spans and in metrics |
| scenario | all of it together; `python -m tests.chaos` does it again and again |
| past | a cluster with a history from before anyone looked |
"""
